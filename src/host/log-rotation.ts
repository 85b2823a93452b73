/**
 * Keeps logs from filling the disk: a log that has grown too long is put aside and a new one is
 * begun, what was put aside earlier is compressed, and the oldest is removed.
 *
 * Names are the kubelet's (logs/container_log_manager.go): `3.log`, then `3.log.20260102-030405`,
 * compressed with `.gz` at the end. Everything may be done twice, and cut short anywhere.
 *
 * Read next: rotated-logs.ts, how all these files are read as one log.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { isErrno } from './errno.ts';
import { rotatedLogs } from './rotated-logs.ts';

/** When a log is put aside, and how many files of one run are kept, the one written to included. */
export interface RotationLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** The kubelet's defaults. */
export const defaultRotation: RotationLimits = { maxBytes: 10 * 2 ** 20, maxFiles: 5 };

/** How many runs of a container keep their logs; the kubelet keeps all of an in-place restart. */
const KEPT_ATTEMPTS = 5;

/** How one log is rotated. */
export interface Rotation {
  /** Makes the writer begin the new file. */
  readonly reopen: () => Promise<void>;
  readonly limits: RotationLimits;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Puts a log aside if it is too long, and tidies what was put aside before. */
export async function rotateLog(file: string, rotation: Rotation): Promise<void> {
  const size = await sizeOf(file);
  if (size === undefined) {
    // Whoever put it aside was killed before the writer heard of it, which goes on with that file,
    // however long it gets, until it is told (rotateLogs in container_log_manager.go does so, too).
    if ((await rotatedLogs(file)).length > 0) await rotation.reopen();
    return;
  }
  if (size < rotation.limits.maxBytes) return;
  await tidyRotated(file, rotation);
  const aside = `${file}.${timestamp(rotation.now)}`;
  // The clock was set back, to the very second of an earlier rotation.
  if ((await rotatedLogs(file)).some((other) => other.startsWith(aside))) return;
  await fs.rename(file, aside);
  try {
    await rotation.reopen();
  } catch (error) {
    // The writer goes on with the file that it has open, which gets its name back; unless it has begun
    // a new one, and only its answer was lost.
    if ((await sizeOf(file)) === undefined) await fs.rename(aside, file);
    throw error;
  }
}

/** Removes the logs of all but the newest runs of a container. */
export async function removeOldLogs(logDirectory: string, container: string): Promise<void> {
  const directory = path.join(logDirectory, container);
  const files = (await namesIn(directory)).flatMap((name) => {
    const attempt = /^(\d+)\.log(?:\..*)?$/.exec(name)?.[1];
    return attempt === undefined ? [] : [{ name, attempt: Number(attempt) }];
  });
  const attempts = [...new Set(files.map(({ attempt }) => attempt))].toSorted((a, b) => b - a);
  const old = new Set(attempts.slice(KEPT_ATTEMPTS));
  for (const { name } of files.filter(({ attempt }) => old.has(attempt))) {
    await fs.rm(path.join(directory, name), { force: true });
  }
}

/** Compresses what was put aside, and removes what is too much when one more is put aside. */
async function tidyRotated(file: string, { limits, signal }: Rotation): Promise<void> {
  const directory = path.dirname(file);
  const unfinished = (await namesIn(directory)).filter(
    (name) => name.startsWith(`${path.basename(file)}.`) && name.endsWith('.tmp'),
  );
  for (const name of unfinished) await fs.rm(path.join(directory, name), { force: true });
  const newestFirst = (await rotatedLogs(file)).toReversed();
  // Beside the log itself and the one that is about to be put aside.
  const kept = Math.max(0, limits.maxFiles - 2);
  for (const old of newestFirst.slice(kept)) await fs.rm(old, { force: true });
  for (const plain of newestFirst.slice(0, kept)) {
    if (!plain.endsWith('.gz')) await compress(plain, signal);
  }
}

async function compress(file: string, signal: AbortSignal): Promise<void> {
  const unfinished = `${file}.tmp`;
  const target = createWriteStream(unfinished, { flags: 'wx', mode: 0o640 });
  try {
    await pipeline(createReadStream(file), createGzip(), target, { signal });
  } catch (error) {
    // What does not fit on the disk must not fill it until it is tried again.
    await fs.rm(unfinished, { force: true });
    throw error;
  }
  await fs.rename(unfinished, `${file}.gz`);
  await fs.rm(file, { force: true });
}

/** Undefined if there is none. */
async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await fs.stat(file)).size;
  } catch (error) {
    // Nothing was written yet, it was just put aside, or the pod is being removed.
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await fs.readdir(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** 20260102-030405, UTC: no hour comes twice. */
function timestamp(now: number): string {
  const [date = '', time = ''] = new Date(now).toISOString().slice(0, 19).split('T');
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}`;
}
