/**
 * A pod's memory on disk: `status.json`, written on the path of every restart.
 *
 * The new text is complete beside the old one before the old one goes, so a crash of the agent at any
 * moment leaves one of them whole. Then the two files change names, and the old one is written over the
 * next time. So no file is made, removed or renamed over another one, which file systems are slow at:
 * ext4 flushes the new blocks of a file that replaces another one while we wait (its auto_da_alloc, 2 ms
 * on a busy disk), and where it has no journal it looks for an inode that was not removed just now. The
 * disk gets it a little later, off that path (LateFlush). After a power cut no container runs any more,
 * and pod/adopt.ts makes up for what is missing.
 */
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { isErrno } from '../host/errno.ts';
import type { Memory } from '../pod/memory.ts';
import { blankMemory } from '../pod/memory.ts';

/** It may hold what was secret in a manifest. */
const PRIVATE = 0o600;
const FLUSH_AFTER_MS = 5_000;

export const memoryFile = 'status.json';
/** Complete whenever the other one is not there; else whatever was there before. */
const nextMemoryFile = 'status.json.new';
/** The old one, while the two change names. */
const lastMemoryFile = 'status.json.old';
/** All that there can be in a pod's folder. */
export const memoryFiles: readonly string[] = [memoryFile, nextMemoryFile, lastMemoryFile];

/** Replaces the memory in a pod's folder, given as JSON. There is one writer. */
export function writeMemory(folder: string, memory: string): void {
  const [file = '', next = '', last = ''] = memoryFiles.map((name) => path.join(folder, name));
  // A crash between two names: the only whole one must not be written over.
  if (!fs.existsSync(file)) renameIfThere(next, file);
  writeOver(next, `{"memory":${memory}}`);
  renameIfThere(file, last);
  fs.renameSync(next, file);
  renameIfThere(last, next);
}

/** Not cut to nothing first: ext4 would flush the file when it is closed. */
function writeOver(file: string, text: string): void {
  const handle = fs.openSync(file, fs.constants.O_WRONLY | fs.constants.O_CREAT, PRIVATE);
  try {
    fs.writeFileSync(handle, text);
    fs.ftruncateSync(handle, Buffer.byteLength(text));
  } finally {
    fs.closeSync(handle);
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** The memory in a pod's folder; undefined if there is none. Throws when it cannot be understood. */
export function readMemory(folder: string): Memory | undefined {
  const [file = '', next = ''] = memoryFiles.map((name) => path.join(folder, name));
  const text = readIfThere(file) ?? readWhileChanging(file, next);
  if (text === undefined) return undefined;
  return { ...blankMemory, ...(JSON.parse(text) as { memory: Memory }).memory };
}

/** The writer may be between two names, or through with them when the other one has been read. */
function readWhileChanging(file: string, next: string): string | undefined {
  const complete = readIfThere(next);
  return readIfThere(file) ?? complete;
}

/** The text of a file; undefined if there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Brings what was written to the disk some seconds later, once for all that was written meanwhile. */
export class LateFlush {
  readonly #due = new Set<string>();
  readonly #report: (error: unknown) => void;
  readonly #afterMs: number;

  /** `report` is told when the disk does not take it. */
  constructor(report: (error: unknown) => void, afterMs = FLUSH_AFTER_MS) {
    this.#report = report;
    this.#afterMs = afterMs;
  }

  soon(folder: string): void {
    if (this.#due.has(folder)) return;
    this.#due.add(folder);
    const flush = (): void => {
      this.#due.delete(folder);
      flushNow(path.join(folder, memoryFile)).catch(this.#report);
    };
    // An agent that stops does not wait for it: what is written outlives the process.
    setTimeout(flush, this.#afterMs).unref();
  }
}

async function flushNow(file: string): Promise<void> {
  try {
    await using handle = await open(file, 'r');
    await handle.datasync();
  } catch (error) {
    // Forgotten, or just being replaced: the next one is flushed in its turn.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
