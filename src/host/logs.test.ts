import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { canForbidWatches, outputWithoutWatches } from '../testing/without-watches.ts';
import { parseEntry, timeOf } from './log-lines.ts';
import { LogError, logFiles, logText, readLog } from './logs.ts';
import type { LogLine, ReadLogOptions } from './logs.ts';

const never = new AbortController().signal;
const forever = new Promise<never>(() => undefined);

interface Log extends AsyncDisposable {
  readonly root: string;
  readonly file: string;
  write(...entries: string[]): Promise<void>;
}

async function aLog(...entries: string[]): Promise<Log> {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-log-'));
  const file = path.join(root, 'main', '0.log');
  await fs.mkdir(path.dirname(file));
  const log = {
    root,
    file,
    write: (...more: string[]) => fs.appendFile(file, more.map((each) => `${each}\n`).join('')),
    [Symbol.asyncDispose]: () => fs.rm(root, { recursive: true, force: true }),
  };
  await log.write(...entries);
  return log;
}

/** An entry at that many seconds past noon. */
function at(second: number, text: string, tag = 'F', stream = 'stdout'): string {
  const time = new Date(Date.UTC(2026, 0, 2, 12, 0, second)).toISOString();
  return `${time.replace('.000Z', '.123456789Z')} ${stream} ${tag} ${text}`;
}

async function texts(file: string, options: Partial<ReadLogOptions> = {}): Promise<string[]> {
  const lines = await Array.fromAsync(readLog(file, { signal: never, ...options }));
  return lines.map((line) => `${line.content.toString()}${line.partial ? '...' : ''}`);
}

test('times may have any fraction of a second and any offset', (t) => {
  const times = {
    '2026-01-02T03:04:05Z': 0,
    '2026-01-02T03:04:05.1Z': 100,
    '2026-01-02T03:04:05.123456789Z': 123,
    '2026-01-02T05:04:05.120000001+02:00': 120,
  };
  const second = Date.UTC(2026, 0, 2, 3, 4, 5);
  for (const [time, fraction] of Object.entries(times)) {
    const entry = parseEntry(Buffer.from(`${time} stderr F a  b `));
    t.is(entry?.content.toString(), 'a  b ');
    t.is(entry?.stream, 'stderr');
    t.is(entry && timeOf(entry), second + fraction, time);
  }
});

test('what is no text is told byte by byte', async (t) => {
  await using log = await aLog();
  const bytes = Buffer.of(0x1f, 0x8b, 0xff, 0xc3);
  await fs.writeFile(log.file, Buffer.concat([Buffer.from(at(1, '')), bytes, Buffer.from('\n')]));
  const told = await Array.fromAsync(logText(readLog(log.file, { signal: never })));
  t.deepEqual(Buffer.concat(told), Buffer.concat([bytes, Buffer.from('\n')]));
});

test('an empty line is a line; what is no entry is left out', async (t) => {
  await using log = await aLog(at(1, ''), 'garbage', '', '\0\0\0\0', at(2, 'two'));
  t.deepEqual(await texts(log.file), ['', 'two']);
});

test('the parts of a line are one line, separately for each stream, in whole characters', async (t) => {
  await using log = await aLog();
  const [head, tail] = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1)];
  await fs.writeFile(
    log.file,
    Buffer.concat([
      Buffer.from(at(1, 'one ', 'P')),
      head,
      Buffer.from(`\n${at(1, 'error', 'F', 'stderr')}\n${at(2, '', 'P')}`),
      tail,
      Buffer.from(`\n${at(3, ' end', 'F')}\n${at(4, 'no newline', 'P')}\n`),
    ]),
  );
  t.deepEqual(await texts(log.file), ['error', 'one ä end', 'no newline...']);
});

test('a line without end does not fill the memory', async (t) => {
  const part = 'x'.repeat(16_384);
  await using log = await aLog(...Array.from({ length: 100 }, () => at(1, part, 'P')), at(2, 'y'));
  const lines = await texts(log.file);
  t.is(lines.length, 2);
  t.true(lines[0]?.endsWith('...'));
  t.is(lines.join('').replaceAll('.', '').length, 100 * part.length + 1);
});

test('the last lines are found, whatever the sizes of lines and blocks', async (t) => {
  const lines = Array.from({ length: 5000 }, (_, index) => `${index} ${'z'.repeat(index % 97)}`);
  await using log = await aLog(...lines.map((line) => at(1, line)));
  for (const tail of [0, 1, 2, 900, 1000, 4999, 5000, 6000]) {
    t.deepEqual(await texts(log.file, { tail }), tail === 0 ? [] : lines.slice(-tail), `${tail}`);
  }
});

test('the last line in several parts counts as one', async (t) => {
  const part = 'p'.repeat(16_384);
  await using log = await aLog(
    at(1, 'first'),
    at(2, 'a', 'P'),
    at(2, 'b'),
    ...Array.from({ length: 9 }, () => at(3, part, 'P')),
    at(3, 'end'),
  );
  t.deepEqual(await texts(log.file, { tail: 1 }), [`${part.repeat(9)}end`]);
  t.deepEqual((await texts(log.file, { tail: 2 }))[0], 'ab');
  await log.write(at(4, 'open', 'P'));
  t.deepEqual(await texts(log.file, { tail: 1 }), ['open...']);
});

test('what is written while a log is read is not given, however it is read', async (t) => {
  for (const tail of [1, undefined]) {
    await using log = await aLog(at(1, 'last'));
    const lines = readLog(log.file, { signal: never, tail });
    t.is((await lines.next()).value?.content.toString(), 'last');
    await log.write(at(2, 'later'));
    t.true((await lines.next()).done, `${tail}`);
  }
});

test('any log reads back as what was written, whole or its tail', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'ß', '€', '😀', ' ', 'P'), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(text),
      fc.nat({ max: 12 }),
      fc.nat({ max: 7 }),
      async (lines, tail, cut) => {
        await using log = await aLog();
        const entries = lines.flatMap((line) => {
          const bytes = Buffer.from(line);
          const parts = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(
            (each) => each.length > 0,
          );
          const tagged = parts.length === 0 ? [Buffer.alloc(0)] : parts;
          return tagged.map((part, index) =>
            Buffer.concat([
              Buffer.from(at(1, '', index === tagged.length - 1 ? 'F' : 'P')),
              part,
              Buffer.from('\n'),
            ]),
          );
        });
        await fs.writeFile(log.file, Buffer.concat(entries));
        t.deepEqual(await texts(log.file), lines);
        t.deepEqual(await texts(log.file, { tail }), tail === 0 ? [] : lines.slice(-tail));
      },
    ),
    { numRuns: 50 },
  );
});

test('only lines since a time', async (t) => {
  await using log = await aLog(at(1, 'one'), at(2, 'two'), at(3, 'three'));
  const sinceTime = Date.UTC(2026, 0, 2, 12, 0, 2);
  t.deepEqual(await texts(log.file, { sinceTime }), ['two', 'three']);
  t.deepEqual(await texts(log.file, { sinceTime, tail: 1 }), ['three']);
});

test('a log that is not there is an error that says why', async (t) => {
  await using log = await aLog();
  await t.throwsAsync(texts(path.join(log.root, 'main/7.log')), {
    instanceOf: LogError,
    message: /has not started/,
  });
});

test('printed with times, and cut after so many bytes', async (t) => {
  await using log = await aLog(at(1, 'one'), at(2, 'two'), at(3, 'no newline', 'P'));
  const print = async (options: Parameters<typeof logText>[1]): Promise<string> =>
    Buffer.concat(
      await Array.fromAsync(logText(readLog(log.file, { signal: never }), options)),
    ).toString();
  t.is(await print({}), 'one\ntwo\nno newline');
  t.is(await print({ limitBytes: 6 }), 'one\ntw');
  t.is(await print({ limitBytes: 4 }), 'one\n');
  t.true((await print({ timestamps: true })).startsWith('2026-01-02T12:00:01.123456789Z one\n'));
});

test('logs are listed newest attempt first, rotated ones are not attempts', async (t) => {
  await using log = await aLog();
  for (const name of ['9.log', '10.log', '10.log.20260102-120000', 'x.log']) {
    await fs.writeFile(path.join(log.root, 'main', name), '');
  }
  const found = await logFiles(log.root, 'main');
  t.deepEqual(
    found.map(({ attempt }) => attempt),
    [10, 9, 0],
  );
  t.is(found[0]?.path, path.join(log.root, 'main/10.log'));
  t.deepEqual(await logFiles(log.root, 'absent'), []);
  t.deepEqual(await logFiles(log.root, '../main'), []);
});

/** Follows a log; `next` gives the next line as soon as it is there. */
function follow(log: Log, finished: Promise<unknown>, options: Partial<ReadLogOptions> = {}) {
  const lines = readLog(log.file, { signal: never, follow: { finished }, ...options });
  return {
    next: async (): Promise<string | undefined> => {
      const result: IteratorResult<LogLine, void> = await lines.next();
      return result.done ? undefined : result.value.content.toString();
    },
    stop: () => lines.return(),
  };
}

test('following gives each line as it is written, and ends when the writer has', async (t) => {
  await using log = await aLog(at(1, 'before'));
  const writer = Promise.withResolvers<undefined>();
  const lines = follow(log, writer.promise);
  t.is(await lines.next(), 'before');
  const first = lines.next();
  await log.write(at(2, 'after'));
  t.is(await first, 'after');
  await fs.appendFile(log.file, at(3, 'written in'));
  const second = lines.next();
  await fs.appendFile(log.file, ' two steps\n');
  t.is(await second, 'written in two steps');
  await log.write(at(4, 'the rest'), at(5, 'open', 'P'));
  writer.resolve(undefined);
  t.is(await lines.next(), 'the rest');
  t.is(await lines.next(), 'open');
  t.is(await lines.next(), undefined);
});

test('following goes on in the new file when the log is rotated, and loses nothing', async (t) => {
  await using log = await aLog(at(1, 'one'));
  const writer = Promise.withResolvers<undefined>();
  const lines = follow(log, writer.promise);
  t.is(await lines.next(), 'one');
  for (let round = 0; round < 5; round += 1) {
    const rotated = `${log.file}.2026010${round}`;
    const next = lines.next();
    await fs.rename(log.file, rotated);
    // The runtime writes to the renamed file until it is told to reopen.
    await fs.appendFile(rotated, `${at(2, `late ${round}`)}\n`);
    t.is(await next, `late ${round}`);
    await log.write(at(3, `new ${round}`));
    t.is(await lines.next(), `new ${round}`);
  }
  writer.resolve(undefined);
  t.is(await lines.next(), undefined);
});

test('following a log that was emptied in place begins anew', async (t) => {
  await using log = await aLog(at(1, 'a rather long first line'));
  const lines = follow(log, forever);
  await lines.next();
  const next = lines.next();
  await fs.truncate(log.file);
  await log.write(at(2, 'new'));
  t.is(await next, 'new');
  await lines.stop();
});

test('following starts with the tail', async (t) => {
  await using log = await aLog(at(1, 'one'), at(2, 'two'), at(3, 'three'));
  const lines = follow(log, Promise.resolve(), { tail: 1 });
  t.is(await lines.next(), 'three');
  t.is(await lines.next(), undefined);
});

test('following ends quietly when it is called off, and when the log folder is removed', async (t) => {
  await using log = await aLog(at(1, 'one'));
  const caller = new AbortController();
  const called = follow(log, forever, { signal: caller.signal });
  const left = follow(log, forever);
  t.is(await called.next(), 'one');
  t.is(await left.next(), 'one');
  const [afterCall, afterRemoval] = [called.next(), left.next()];
  caller.abort();
  t.is(await afterCall, undefined);
  await fs.rm(path.dirname(log.file), { recursive: true });
  t.is(await afterRemoval, undefined);
});

test('a log of many megabytes is read in little memory', async (t) => {
  await using log = await aLog();
  const chunk = Array.from({ length: 10_000 }, () => at(1, 'm'.repeat(200))).join('\n');
  for (let round = 0; round < 10; round += 1) await log.write(chunk);
  let count = 0;
  let most = 0;
  const before = process.memoryUsage().arrayBuffers;
  for await (const line of readLog(log.file, { signal: never })) {
    count += line.content.length === 200 ? 1 : 0;
    if (count % 5000 === 0) {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
  }
  t.is(count, 100_000);
  t.true(most < 20 * 2 ** 20, `${most} bytes`);
});

(canForbidWatches ? test : test.skip)('a log that cannot be watched is followed', async (t) => {
  await using log = await aLog(at(0, 'a'));
  const got = outputWithoutWatches(`
    import fs from 'node:fs';
    import { readLog } from ${JSON.stringify(new URL('logs.ts', import.meta.url).href)};
    const file = ${JSON.stringify(log.file)};
    const follow = { finished: new Promise(() => undefined) };
    for await (const { content } of readLog(file, { follow, signal: new AbortController().signal })) {
      const text = content.toString();
      console.log(text);
      if (text === 'b') break;
      setTimeout(() => fs.appendFileSync(file, ${JSON.stringify(`${at(1, 'b')}
`)}), 50);
    }`);
  t.is(got, 'a\nb\n');
});
