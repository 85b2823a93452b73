/**
 * One open log file: read forwards in blocks from any place, or searched backwards for its last
 * lines. Little more than a block is in memory, or than the longest line that is given as a whole.
 */
import type { FileHandle } from 'node:fs/promises';
import { EntryCutter } from './entry-cutter.ts';
import { longestHead, parseHead } from './log-lines.ts';
import type { LogEntry } from './log-lines.ts';

const blockSize = 64 * 1024;
const newline = 0x0a;

/** Reads entries from a position on; a line that is still being written waits for the next read. */
export class EntryReader {
  readonly #file: FileHandle;
  #position: number;
  #cutter = new EntryCutter();

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
      this.#cutter = new EntryCutter();
    }
    for (;;) {
      const length = Math.max(0, Math.min(blockSize, end - this.#position));
      const { bytesRead } = await this.#file.read(block, 0, length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      // A copy, as the block is read into again, and what is held of it may be a few bytes.
      yield* this.#cutter.add(Buffer.from(block.subarray(0, bytesRead)));
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

/** How much is wanted of the end of a log. */
export interface Tail {
  readonly lines: number;
  /** Nothing before the entry with which there are so many bytes. Absent: whatever the lines have. */
  readonly bytes?: number;
}

/** Where the last lines before `end` begin. A line in several parts counts once. */
export async function findTail(
  file: Pick<FileHandle, 'read'>,
  end: number,
  { lines, bytes: mostBytes = Infinity }: Tail,
): Promise<number> {
  if (lines <= 0) return end;
  let found = 0;
  let bytes = 0;
  // Streams whose line, looking backwards, we are inside of.
  const inside = new Set<LogEntry['stream']>();
  let start = end;
  for await (const { isLast, stream, position, contentBytes } of headsBackwards(file, end)) {
    if (bytes >= mostBytes) break;
    if (isLast || !inside.has(stream)) {
      if (found === lines) break;
      found += 1;
      inside.add(stream);
    }
    start = position;
    bytes += contentBytes;
  }
  return start;
}

interface PlacedHead extends Pick<LogEntry, 'stream' | 'isLast'> {
  readonly position: number;
  /** With the newline. */
  readonly contentBytes: number;
}

/** What the entries begin with, the last one first; of what they hold nothing is kept. */
async function* headsBackwards(
  file: Pick<FileHandle, 'read'>,
  size: number,
): AsyncGenerator<PlacedHead, void, undefined> {
  let lineEnd = size;
  const headAt = (position: number, bytes: Buffer): PlacedHead[] => {
    const lineBytes = lineEnd - position;
    lineEnd = position;
    const found = parseHead(bytes);
    return found ? [{ ...found.head, position, contentBytes: lineBytes - found.length }] : [];
  };
  // What comes behind the block, as far as the head of an entry may reach that begins in it.
  let behind = Buffer.alloc(0);
  for (let to = size; to > 0;) {
    const from = Math.max(0, to - blockSize);
    const block = Buffer.alloc(to - from);
    await file.read(block, 0, block.length, from);
    const text = Buffer.concat([block, behind]);
    for (let last = block.lastIndexOf(newline); last !== -1; last = newlineBefore(block, last)) {
      yield* headAt(from + last + 1, text.subarray(last + 1));
    }
    behind = text.subarray(0, longestHead);
    to = from;
  }
  yield* headAt(0, behind);
}

function newlineBefore(block: Buffer, position: number): number {
  return position === 0 ? -1 : block.lastIndexOf(newline, position - 1);
}
