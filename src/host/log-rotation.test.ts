import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { removeOldLogs, rotateLog } from './log-rotation.ts';
import type { Rotation } from './log-rotation.ts';
import { readLog } from './logs.ts';
import type { ReadLogOptions } from './logs.ts';
import { rotatedEntries, rotatedLogs } from './rotated-logs.ts';

const never = new AbortController().signal;
const noon = Date.UTC(2026, 0, 2, 12);

interface Log extends AsyncDisposable {
  readonly root: string;
  readonly file: string;
  /** Writes a line with each of these texts. */
  write(...lines: string[]): Promise<void>;
  /** Rotates it, so many seconds past noon. */
  rotate(second: number, more?: Partial<Rotation>): Promise<void>;
  files(): Promise<string[]>;
}

async function aLog(): Promise<Log> {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-rotation-'));
  const file = path.join(root, 'main', '3.log');
  await fs.mkdir(path.dirname(file));
  return {
    root,
    file,
    write: async (...lines) => {
      for (const line of lines) {
        await fs.appendFile(file, `2026-01-02T12:00:00.000000000Z stdout F ${line}\n`);
      }
    },
    rotate: (second, more) =>
      rotateLog(file, {
        reopen: () => fs.writeFile(file, '', { flag: 'wx' }),
        limits: { maxBytes: 1, maxFiles: 5 },
        now: noon + second * 1000,
        signal: never,
        ...more,
      }),
    files: async () => (await fs.readdir(path.dirname(file))).toSorted(),
    [Symbol.asyncDispose]: () => fs.rm(root, { recursive: true, force: true }),
  };
}

async function texts(file: string, options: Partial<ReadLogOptions> = {}): Promise<string[]> {
  const lines = await Array.fromAsync(readLog(file, { signal: never, ...options }));
  return lines.map(({ content }) => content.toString());
}

test('a log that is short enough stays as it is', async (t) => {
  await using log = await aLog();
  await log.write('a');
  await log.rotate(0, { limits: { maxBytes: 1000, maxFiles: 5 } });
  t.deepEqual(await log.files(), ['3.log']);
  t.deepEqual(await texts(log.file), ['a']);
});

test('a log that is not there is none to rotate', async (t) => {
  await using log = await aLog();
  await log.rotate(0);
  t.deepEqual(await log.files(), []);
});

test('five files are kept: the log, the newest as it was, and three compressed', async (t) => {
  await using log = await aLog();
  for (const second of [0, 1, 2, 3, 4, 5, 6]) {
    await log.write(`line ${second}`);
    await log.rotate(second);
  }
  await log.write('last');
  t.deepEqual(await log.files(), [
    '3.log',
    '3.log.20260102-120003.gz',
    '3.log.20260102-120004.gz',
    '3.log.20260102-120005.gz',
    '3.log.20260102-120006',
  ]);
  t.deepEqual(await texts(log.file), ['line 3', 'line 4', 'line 5', 'line 6', 'last']);
});

test('the last lines are found across files', async (t) => {
  await using log = await aLog();
  for (const second of [0, 1, 2]) {
    await log.write(`${second}a`, `${second}b`, `${second}c`);
    await log.rotate(second);
  }
  await log.write('3a', '3b');
  const all = ['0a', '0b', '0c', '1a', '1b', '1c', '2a', '2b', '2c', '3a', '3b'];
  for (let tail = 0; tail <= all.length + 1; tail++) {
    t.deepEqual(await texts(log.file, { tail }), tail === 0 ? [] : all.slice(-tail), `${tail}`);
  }
});

test('a line that is not ended yet is one of the last lines across files', async (t) => {
  await using log = await aLog();
  await log.write('one');
  await log.rotate(0);
  await fs.appendFile(log.file, '2026-01-02T12:00:00.000000000Z stdout P open\n');
  t.deepEqual(await texts(log.file, { tail: 1 }), ['open']);
  t.deepEqual(await texts(log.file, { tail: 2 }), ['one', 'open']);
});

test('nothing is put aside over what was put aside before', async (t) => {
  await using log = await aLog();
  await log.write('a');
  await log.rotate(0);
  await log.write('b');
  await log.rotate(0);
  t.deepEqual(await texts(log.file), ['a', 'b']);
  await log.rotate(1);
  await log.write('c');
  t.deepEqual(await texts(log.file), ['a', 'b', 'c']);
});

test('a line whose parts are in two files is one line', async (t) => {
  await using log = await aLog();
  await fs.writeFile(log.file, '2026-01-02T12:00:00.0Z stdout P first half, \n');
  await log.rotate(0);
  await log.write('second half');
  t.deepEqual(await texts(log.file), ['first half, second half']);
});

test('a writer that does not change over keeps its file under its name', async (t) => {
  await using log = await aLog();
  await log.write('a');
  const reopen = (): Promise<void> => Promise.reject(new Error('it has exited'));
  await t.throwsAsync(log.rotate(0, { reopen }), { message: 'it has exited' });
  t.deepEqual(await log.files(), ['3.log']);
  t.deepEqual(await texts(log.file), ['a']);
});

test('a writer that has changed over keeps its new file, although nobody heard its answer', async (t) => {
  await using log = await aLog();
  await log.write('a');
  const reopen = async (): Promise<void> => {
    await log.write('b');
    throw new Error('no answer in time');
  };
  await t.throwsAsync(log.rotate(0, { reopen }), { message: 'no answer in time' });
  t.deepEqual(await texts(log.file), ['a', 'b']);
});

test('a writer that was never told to change over is told the next time', async (t) => {
  await using log = await aLog();
  await log.write('a');
  // As far as an agent comes that is killed.
  await fs.rename(log.file, `${log.file}.20260102-115900`);
  await log.rotate(0);
  t.deepEqual(await log.files(), ['3.log', '3.log.20260102-115900']);
  await log.write('b');
  t.deepEqual(await texts(log.file), ['a', 'b']);
});

test('what a compression that was cut short left is cleared away and made again', async (t) => {
  await using log = await aLog();
  await log.write('a');
  await log.rotate(0);
  await log.write('b');
  await fs.writeFile(`${log.file}.20260102-120000.tmp`, 'half');
  await log.rotate(1);
  t.deepEqual(await log.files(), ['3.log', '3.log.20260102-120000.gz', '3.log.20260102-120001']);
  // Compressed, and not removed yet.
  await fs.writeFile(`${log.file}.20260102-120000`, 'twin');
  t.deepEqual(await texts(log.file), ['a', 'b']);
});

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

testAsRoot('a compression for which there is no room gives its own back', async (t) => {
  await using log = await aLog();
  const directory = path.dirname(log.file);
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', directory]);
  try {
    await log.write('a');
    await log.rotate(0);
    // More than there is room for a second time, as it cannot be made shorter.
    await fs.writeFile(`${log.file}.20260102-120000`, randomBytes(80 * 1024));
    await log.write('b');
    await t.throwsAsync(log.rotate(1), { code: 'ENOSPC' });
    t.deepEqual(await log.files(), ['3.log', '3.log.20260102-120000']);
  } finally {
    await execa('umount', [directory]);
  }
});

test('who asks between two files of a rotation gets what was put aside', async (t) => {
  await using log = await aLog();
  await log.write('a');
  let seen: string[] = [];
  const reopen = async (): Promise<void> => {
    seen = await texts(log.file);
    await fs.writeFile(log.file, '');
  };
  await log.rotate(0, { reopen });
  t.deepEqual(seen, ['a']);
});

test('who follows a log gets what was put aside before, and nothing twice', async (t) => {
  await using log = await aLog();
  await log.write('a');
  await log.rotate(0);
  await log.write('b');
  const end = Promise.withResolvers<undefined>();
  const got: string[] = [];
  for await (const { content } of readLog(log.file, {
    signal: never,
    follow: { finished: end.promise },
  })) {
    const text = content.toString();
    got.push(text);
    if (text === 'b') {
      await log.rotate(1);
      await log.write('c');
      end.resolve(undefined);
    }
  }
  t.deepEqual(got, ['a', 'b', 'c']);
});

test('what is compressed while it is its turn to be read is read all the same', async (t) => {
  await using log = await aLog();
  await log.write('a');
  await log.rotate(0);
  const listed = await rotatedLogs(log.file);
  await log.write('b');
  await log.rotate(1);
  const [first = ''] = listed;
  const entries = await Array.fromAsync(rotatedEntries(first));
  t.deepEqual(
    entries.map(({ content }) => content.toString()),
    ['a'],
  );
});

test('the newest five runs keep their logs, and all that was put aside of them', async (t) => {
  await using log = await aLog();
  const directory = path.dirname(log.file);
  for (let attempt = 0; attempt < 12; attempt++) {
    await fs.writeFile(path.join(directory, `${attempt}.log`), '');
    await fs.writeFile(path.join(directory, `${attempt}.log.20260102-120000.gz`), '');
  }
  await fs.writeFile(path.join(directory, 'notes'), 'of somebody else');
  await removeOldLogs(log.root, 'main');
  const attempts = (await log.files()).map((name) => name.split('.')[0]);
  t.deepEqual([...new Set(attempts)].toSorted(), ['10', '11', '7', '8', '9', 'notes']);
  t.is(attempts.length, 11);
  await t.notThrowsAsync(removeOldLogs(log.root, 'absent'));
});
