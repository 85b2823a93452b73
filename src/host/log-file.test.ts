// A line as long as containerd writes it with max_container_log_line_size = -1.
import fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { EntryCutter } from './entry-cutter.ts';
import { findTail } from './log-file.ts';
import { longestLine } from './log-lines.ts';
import { readLog } from './logs.ts';

const never = new AbortController().signal;
const block = 64 * 1024;
const megabytes = 12;

function entry(content: string, tag = 'F', stream = 'stdout'): string {
  return `2026-01-02T12:00:00.000000000Z ${stream} ${tag} ${content}\n`;
}

const long = 'long'.repeat(megabytes * 2 ** 18);

async function aFile(t: ExecutionContext, name: string, content: string | Buffer): Promise<string> {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-log-'));
  t.teardown(() => fs.rm(root, { recursive: true }));
  await fs.writeFile(path.join(root, '0.log'), '');
  await fs.writeFile(path.join(root, name), content);
  return path.join(root, '0.log');
}

/** How many bytes are put together while something is done. */
async function bytesJoined(work: () => Promise<unknown>): Promise<number> {
  const concat = Buffer.concat.bind(Buffer);
  let bytes = 0;
  Buffer.concat = (...given) => {
    const joined = concat(...given);
    bytes += joined.length;
    return joined;
  };
  try {
    await work();
  } finally {
    Buffer.concat = concat;
  }
  return bytes;
}

const places: Record<string, [name: string, (text: string) => string | Buffer]> = {
  'a log': ['0.log', (text) => text],
  'what was put aside': ['0.log.20260102-030405', (text) => text],
  'what was compressed': ['0.log.20260102-030405.gz', (text) => gzipSync(text, { level: 1 })],
};
for (const [title, [name, stored]] of Object.entries(places)) {
  for (const tail of [undefined, 2]) {
    // Serial, as all that is put together is counted.
    test.serial(`a long line of ${title} is given in parts, tail ${tail}`, async (t) => {
      const text = entry('first') + entry(long) + entry('last');
      const file = await aFile(t, name, stored(text));
      let got = '';
      const joined = await bytesJoined(async () => {
        for await (const { content, partial } of readLog(file, { signal: never, tail })) {
          t.true(content.length <= longestLine + block);
          got += `${content.toString()}${partial ? '' : '\n'}`;
        }
      });
      t.true(got === `${tail === 2 ? '' : 'first\n'}${long}\nlast\n`);
      t.true(joined < 4 * text.length, `${joined} bytes for ${text.length}`);
    });
  }
}

test('parts of a long entry end as it ends, and what is no entry has none', (t) => {
  const cutter = new EntryCutter();
  const text = Buffer.from(
    `${'x'.repeat(2 * longestLine)}\n${entry('one', 'F', 'stderr')}${entry(long, 'P')}${entry('end')}`,
  );
  const entries = Array.from({ length: Math.ceil(text.length / block) }, (_, index) =>
    cutter.add(text.subarray(index * block, (index + 1) * block)),
  ).flat();
  const [one, ...parts] = entries;
  t.like(one, { stream: 'stderr', isLast: true });
  t.true(parts.length > megabytes / 2);
  t.true(parts.every(({ stream }) => stream === 'stdout'));
  t.deepEqual([...new Set(parts.slice(0, -1).map(({ isLast }) => isLast))], [false]);
  t.true(parts.at(-1)?.isLast);
  t.true(Buffer.concat(parts.map(({ content }) => content)).equals(Buffer.from(`${long}end`)));
});

const ends: Record<string, string> = {
  'of long lines': Array.from({ length: 80 }, () => entry('x'.repeat(100_000))).join(''),
  'of one line in parts': Array.from({ length: 500 }, () => entry('x'.repeat(16_384), 'P')).join(
    '',
  ),
};
for (const [title, text] of Object.entries(ends)) {
  test(`no more is looked for than so many bytes ${title}`, async (t) => {
    await using file = await fs.open(await aFile(t, '0.log', text));
    let reads = 0;
    const counted = {
      read: (...given: Parameters<FileHandle['read']>) => {
        reads += 1;
        return file.read(...given);
      },
    } as Pick<FileHandle, 'read'>;
    const start = await findTail(counted, text.length, { lines: 80, bytes: 2048 });
    t.is(start, text.lastIndexOf('2026'));
    t.true(reads <= 4, `${reads} reads`);
  });
}
