/**
 * The part of a log that was put aside by rotation: which files it is in, and its entries.
 *
 * Read next: logs.ts, which puts them before those of the log itself.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import type { Gunzip } from 'node:zlib';
import { isErrno } from './errno.ts';
import { EntryCutter } from './entry-cutter.ts';
import type { LogEntry } from './log-lines.ts';

/** What was put aside of a log, oldest first; of a file and its compressed twin only the latter. */
export async function rotatedLogs(file: string): Promise<string[]> {
  const directory = path.dirname(file);
  const prefix = `${path.basename(file)}.`;
  const names = new Set(await fs.readdir(directory).catch(whenMissing));
  return [...names]
    .filter((name) => name.startsWith(prefix))
    .filter((name) => /^\d{8}-\d{6}(?:\.gz)?$/.test(name.slice(prefix.length)))
    .filter((name) => !names.has(`${name}.gz`))
    .toSorted()
    .map((name) => path.join(directory, name));
}

/** The entries of a file that was put aside; none if it is removed meanwhile. */
export async function* rotatedEntries(file: string): AsyncGenerator<LogEntry, void, undefined> {
  try {
    const cutter = new EntryCutter();
    for await (const block of blocksOf(file)) yield* cutter.add(block);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** What has to be read of files put aside, oldest first, to have so many lines before the log itself. */
export async function lastOfRotated(
  files: readonly string[],
  lines: number,
): Promise<readonly { readonly file: string; readonly skip: number }[]> {
  if (lines === Infinity) return files.map((file) => ({ file, skip: 0 }));
  const parts: { file: string; skip: number }[] = [];
  let left = lines;
  for (const file of files.toReversed()) {
    if (left <= 0) break;
    let count = 0;
    for await (const { isLast } of rotatedEntries(file)) if (isLast) count += 1;
    parts.unshift({ file, skip: Math.max(0, count - left) });
    left -= count;
  }
  return parts;
}

/** The entries of a file after so many lines. */
export async function* entriesAfter(
  file: string,
  skip: number,
): AsyncGenerator<LogEntry, void, undefined> {
  let left = skip;
  for await (const entry of rotatedEntries(file)) {
    if (left === 0) yield entry;
    else if (entry.isLast) left -= 1;
  }
}

async function* blocksOf(file: string): AsyncGenerator<Buffer, void, undefined> {
  const { handle, isCompressed } = await openEither(file);
  await using open = handle;
  const raw = open.createReadStream({ autoClose: false });
  yield* (isCompressed ? raw.compose<Gunzip>(createGunzip()) : raw) as AsyncIterable<Buffer>;
}

/** Opens the file or, if it was compressed since it was listed, what it has become. */
async function openEither(
  file: string,
): Promise<{ readonly handle: fs.FileHandle; readonly isCompressed: boolean }> {
  const isCompressed = file.endsWith('.gz');
  try {
    return { handle: await fs.open(file), isCompressed };
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || isCompressed) throw error;
    return { handle: await fs.open(`${file}.gz`), isCompressed: true };
  }
}

function whenMissing(error: unknown): string[] {
  if (isErrno(error, 'ENOENT')) return [];
  throw error;
}
