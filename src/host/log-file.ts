/**
 * One open log file: read forwards in blocks from any place, or searched backwards for its last
 * lines. Never more than a block, and the line that crosses its edge, is in memory.
 */
import type { FileHandle } from 'node:fs/promises';
import { parseEntry } from './log-lines.ts';
import type { LogEntry } from './log-lines.ts';

const blockSize = 64 * 1024;
const newline = 0x0a;

/** Reads entries from a position on; a line that is still being written waits for the next read. */
export class EntryReader {
  readonly #file: FileHandle;
  #position: number;
  #unfinished = Buffer.alloc(0);

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /** All entries that are in the file now, up to `end`, and were not read before. */
  async *read(end = Infinity): AsyncGenerator<LogEntry, void, undefined> {
    const block = Buffer.alloc(blockSize);
    // Somebody emptied the file in place: it begins anew.
    if ((await this.#file.stat()).size < this.#position) {
      this.#position = 0;
      this.#unfinished = Buffer.alloc(0);
    }
    for (;;) {
      const length = Math.max(0, Math.min(blockSize, end - this.#position));
      const { bytesRead } = await this.#file.read(block, 0, length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const text = Buffer.concat([this.#unfinished, block.subarray(0, bytesRead)]);
      let start = 0;
      for (let end = text.indexOf(newline); end !== -1; end = text.indexOf(newline, start)) {
        const entry = parseEntry(text.subarray(start, end));
        start = end + 1;
        if (entry) yield entry;
      }
      this.#unfinished = text.subarray(start);
    }
  }
}

/** How many lines there are before `end`; one that goes on behind it counts, too. */
export async function countLines(file: FileHandle, end: number): Promise<number> {
  let ended = 0;
  const open = new Set<LogEntry['stream']>();
  for await (const { stream, isLast } of new EntryReader(file, 0).read(end)) {
    if (isLast) ended += 1;
    if (isLast) open.delete(stream);
    else open.add(stream);
  }
  return ended + open.size;
}

/** Where the last `count` lines before `end` begin. A line in several parts counts once. */
export async function findTail(file: FileHandle, end: number, count: number): Promise<number> {
  if (count <= 0) return end;
  let found = 0;
  // Streams whose line, looking backwards, we are inside of.
  const inside = new Set<LogEntry['stream']>();
  let start = end;
  for await (const { entry, position } of entriesBackwards(file, end)) {
    if (entry.isLast || !inside.has(entry.stream)) {
      if (found === count) break;
      found += 1;
      inside.add(entry.stream);
    }
    start = position;
  }
  return start;
}

async function* entriesBackwards(
  file: FileHandle,
  size: number,
): AsyncGenerator<{ entry: LogEntry; position: number }, void, undefined> {
  let tail = Buffer.alloc(0);
  for (let position = size; position > 0;) {
    const from = Math.max(0, position - blockSize);
    const block = Buffer.alloc(position - from);
    await file.read(block, 0, block.length, from);
    position = from;
    const text = Buffer.concat([block, tail]);
    let end = text.length;
    // The first line of the block may begin in the block before: it is left for the next round.
    for (
      let last = lastNewlineBefore(text, end);
      last !== -1;
      last = lastNewlineBefore(text, end)
    ) {
      const entry = parseEntry(withoutNewline(text.subarray(last + 1, end)));
      if (entry) yield { entry, position: from + last + 1 };
      end = last + 1;
    }
    tail = text.subarray(0, end);
  }
  const entry = parseEntry(withoutNewline(tail));
  if (entry) yield { entry, position: 0 };
}

// The newline that ends the line before the one that ends at `end`.
function lastNewlineBefore(text: Buffer, end: number): number {
  return end < 2 ? -1 : text.lastIndexOf(newline, end - 2);
}

function withoutNewline(line: Buffer): Buffer {
  return line.at(-1) === newline ? line.subarray(0, -1) : line;
}
