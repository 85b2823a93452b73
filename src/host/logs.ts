/**
 * Reads the logs that containerd writes for a container, and follows them while they are written.
 *
 * Following waits for the kernel's word that something changed in the folder, so it also sees a log
 * being rotated: the file is renamed, and a new one of the old name appears.
 *
 * Read next: log-lines.ts, what is in such a file; log-file.ts, how a large one is read;
 * log-rotation.ts, how it is kept from growing.
 */
import { watch } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { RepriseError } from '../errors.ts';
import { isErrno } from './errno.ts';
import { countLines, EntryReader, findTail } from './log-file.ts';
import type { Tail } from './log-file.ts';
import { LineJoiner, timeOf } from './log-lines.ts';
import type { LogEntry, LogLine } from './log-lines.ts';
import { entriesAfter, lastOfRotated, rotatedLogs } from './rotated-logs.ts';

/** How often is looked for news of a log that cannot be watched. */
const LOOK_AGAIN_MS = 500;

export type { LogLine } from './log-lines.ts';

/** A container's log cannot be read. */
export class LogError extends RepriseError {}

export interface ReadLogOptions {
  /** Only the last so many lines of what is there at the start. */
  readonly tail?: number;
  /** Together with `tail`: nothing before the entry with which there are so many bytes. */
  readonly tailBytes?: number;
  /** Only lines written at this time or later; milliseconds since 1970. */
  readonly sinceTime?: number;
  /** Go on with what is written from now on. */
  readonly follow?: {
    /** Settles when nobody will write any more: the rest is read, then reading ends. */
    readonly finished: Promise<unknown>;
  };
  /** Ends the reading at once, without an error. */
  readonly signal: AbortSignal;
}

/** The log of one attempt of a container. */
export interface LogFile {
  readonly attempt: number;
  readonly path: string;
}

/** The log of one attempt of a container, whether it exists or not. */
export function logFile(logDirectory: string, container: string, attempt: number): string {
  return path.join(logDirectory, container, `${attempt}.log`);
}

/** Logs of a container that exist, newest attempt first. */
export async function logFiles(logDirectory: string, container: string): Promise<LogFile[]> {
  if (path.basename(container) !== container || container.startsWith('.')) return [];
  const directory = path.join(logDirectory, container);
  const names = await fs.readdir(directory).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  });
  return names
    .flatMap((name) => {
      const attempt = /^(\d+)\.log$/.exec(name)?.[1];
      return attempt === undefined
        ? []
        : [{ attempt: Number(attempt), path: path.join(directory, name) }];
    })
    .toSorted((a, b) => b.attempt - a.attempt);
}

/** The lines of a log, oldest first. */
export async function* readLog(
  file: string,
  options: ReadLogOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const { sinceTime = -Infinity, follow, signal } = options;
  const tail =
    options.tail === undefined ? undefined : { lines: options.tail, bytes: options.tailBytes };
  const joiner = new LineJoiner();
  const entries = follow ? followed(file, tail, follow.finished, signal) : present(file, tail);
  for await (const entry of entries) {
    if (signal.aborted) return;
    const line = joiner.add(entry);
    if (line && timeOf(line) >= sinceTime) yield line;
  }
  if (signal.aborted) return;
  yield* joiner.rest().filter((line) => timeOf(line) >= sinceTime);
}

/** Lines as they are printed: with times if asked for, and not more than so many bytes in all. */
export async function* logText(
  lines: AsyncIterable<LogLine>,
  options: { readonly timestamps?: boolean; readonly limitBytes?: number } = {},
): AsyncGenerator<Buffer, void, undefined> {
  let left = options.limitBytes ?? Infinity;
  for await (const { time, content, partial } of lines) {
    const head = options.timestamps === true ? `${time} ` : '';
    const bytes = Buffer.concat([Buffer.from(head), content, Buffer.from(partial ? '' : '\n')]);
    yield bytes.length > left ? bytes.subarray(0, left) : bytes;
    left -= bytes.length;
    if (left <= 0) return;
  }
}

type Entries = AsyncGenerator<LogEntry, void, undefined>;

async function* present(file: string, tail: Tail | undefined): Entries {
  await using handle = await open(file);
  const { start, end } = await tailOf(handle, tail);
  yield* putAside(file, handle, { start, end }, tail);
  // Not what was written meanwhile: it could be more than was asked for, and go on for ever.
  yield* new EntryReader(handle, start).read(end);
}

/** What comes before the log itself: all of it, or what is missing of so many last lines. */
async function* putAside(
  file: string,
  handle: fs.FileHandle,
  { start, end }: Part,
  tail: Tail | undefined,
): Entries {
  // There is more than enough in the log itself.
  if (start > 0 || tail?.lines === 0) return;
  const { ino } = await handle.stat();
  const files: string[] = [];
  for (const each of await rotatedLogs(file)) {
    // Rotated since it was opened, it is read already.
    if ((await fs.stat(each).catch(() => undefined))?.ino !== ino) files.push(each);
  }
  if (files.length === 0) return;
  const left = tail === undefined ? Infinity : tail.lines - (await countLines(handle, end));
  for (const part of await lastOfRotated(files, left)) yield* entriesAfter(part.file, part.skip);
}

async function* followed(
  file: string,
  tail: Tail | undefined,
  finished: Promise<unknown>,
  signal: AbortSignal,
): Entries {
  let handle = await open(file);
  try {
    using changes = watchFolder(path.dirname(file), signal, finished);
    const part = await tailOf(handle, tail);
    yield* putAside(file, handle, part, tail);
    let reader = new EntryReader(handle, part.start);
    while (!signal.aborted) {
      // Asked before reading: what was written before the end is then read for sure.
      const isEnd = changes.isOver();
      yield* reader.read();
      const next = await openIfReplaced(file, handle);
      if (next) {
        // The new file exists because the writer has changed over: this is the old one's very rest.
        yield* reader.read();
        await handle.close();
        handle = next;
        reader = new EntryReader(handle, 0);
      } else if (isEnd || (await isRemoved(handle))) {
        return;
      } else {
        await changes.next();
      }
    }
  } finally {
    await handle.close();
  }
}

interface Part {
  readonly start: number;
  readonly end: number;
}

/** What is there now: all of it, or so many last lines. */
async function tailOf(handle: fs.FileHandle, tail: Tail | undefined): Promise<Part> {
  const { size: end } = await handle.stat();
  return { start: tail === undefined ? 0 : await findTail(handle, end, tail), end };
}

async function open(file: string): Promise<fs.FileHandle> {
  try {
    return await fs.open(file, 'r');
  } catch (error) {
    // Just put aside, and the new one not begun yet.
    const aside = isErrno(error, 'ENOENT') ? (await rotatedLogs(file)).at(-1) : undefined;
    if (aside !== undefined && !aside.endsWith('.gz')) return await open(aside);
    throw new LogError(
      isErrno(error, 'ENOENT')
        ? 'there is no log: the container has not started, or its log was removed'
        : `cannot read the log: ${error instanceof Error ? error.message : String(error)}`,
      {
        where: file,
        next: 'see "reprise describe pod" for what the container waits for',
        cause: error,
      },
    );
  }
}

async function openIfReplaced(
  file: string,
  current: fs.FileHandle,
): Promise<fs.FileHandle | undefined> {
  try {
    const [there, ours] = await Promise.all([fs.stat(file), current.stat()]);
    return there.ino === ours.ino ? undefined : await fs.open(file, 'r');
  } catch (error) {
    // Renamed, and no new one yet.
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

// Rotation only renames. Removed is a log with its pod: nobody will tell us when the folder goes.
async function isRemoved(handle: fs.FileHandle): Promise<boolean> {
  return (await handle.stat()).nlink === 0;
}

interface Changes extends Disposable {
  /** Whether the writer has finished. */
  isOver(): boolean;
  /** Settles at the next change, or at once if there was one since it settled last. */
  next(): Promise<void>;
}

function watchFolder(folder: string, signal: AbortSignal, finished: Promise<unknown>): Changes {
  let isOver = false;
  let changed = Promise.withResolvers<undefined>();
  const wake = (): void => changed.resolve(undefined);
  const end = (): void => {
    isOver = true;
    wake();
  };
  const watcher = watchOrLook(folder, wake, end);
  signal.addEventListener('abort', wake, { once: true });
  finished.then(end, end);
  return {
    isOver: () => isOver,
    async next() {
      await changed.promise;
      changed = Promise.withResolvers();
    },
    [Symbol.dispose]() {
      watcher[Symbol.dispose]();
      signal.removeEventListener('abort', wake);
    },
  };
}

/** Any process of root, in a container as well, can use up all watches: then it is looked now and then. */
function watchOrLook(folder: string, wake: () => void, end: () => void): Disposable {
  try {
    const watcher = watch(folder, wake);
    watcher.on('error', end);
    return { [Symbol.dispose]: () => watcher.close() };
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EMFILE')) throw error;
    const timer = setInterval(wake, LOOK_AGAIN_MS);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }
}
