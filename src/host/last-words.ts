/**
 * What a container says at its end: its termination message, or else the last lines of its log.
 *
 * Every instance has a message file of its own, mounted into it. Whatever the container puts there
 * is data: never more than the last bytes of a regular file are read, and no link is followed.
 */
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../errors.ts';
import { isErrno } from './errno.ts';
import { logText, readLog } from './logs.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/** The kubelet's limits (kubelet's container/runtime.go). */
const MAX_MESSAGE_BYTES = 4096;
const MAX_LOG_LINES = 80;
const MAX_LOG_BYTES = 2048;

/** Anybody in the container may write to it, whoever it runs as. */
const FOR_ALL = 0o666;

/** The message file of one instance, below the pod's folder for such files. */
export function messageFile(directory: string, container: string, attempt: number): string {
  return path.join(directory, container, String(attempt));
}

/** Makes an empty message file for an instance that is about to be created. */
export async function makeMessageFile(file: string): Promise<void> {
  await fsp.mkdir(path.dirname(file), { recursive: true, mode: 0o750 });
  // What an earlier try to create the same instance left has never been used.
  await fsp.rm(file, { force: true });
  await fsp.writeFile(file, '', { flag: 'wx' });
  await fsp.chmod(file, FOR_ALL);
}

/** Removes the message file of an instance that is gone. */
export async function removeMessageFile(file: string): Promise<void> {
  await fsp.rm(file, { force: true });
}

/**
 * The last bytes of a message file; empty if there is nothing to read. Synchronous, as it takes
 * microseconds and belongs to the exit: a status never shows the one without the other.
 */
export function readMessage(file: string): string {
  try {
    return lastBytesOf(file);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    // The message is for somebody to read, and so is this: the kubelet does the same.
    return `Error on reading termination log ${file}: ${messageOf(error)}`;
  }
}

function lastBytesOf(file: string): string {
  // A pipe in its place must not make us wait for a writer.
  const handle = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = fs.fstatSync(handle);
    const { size } = stat;
    if (!stat.isFile() || size === 0) return '';
    const bytes = Buffer.alloc(Math.min(size, MAX_MESSAGE_BYTES));
    const count = fs.readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    return asText(bytes.subarray(0, count));
  } finally {
    fs.closeSync(handle);
  }
}

/** The end of a log, for a container that has left no message. */
export async function endOfLog(file: string, signal: AbortSignal): Promise<string> {
  let end = Buffer.alloc(0);
  // Lines may be long: only what is kept is looked for, and held.
  const options = { tail: MAX_LOG_LINES, tailBytes: MAX_LOG_BYTES, signal };
  for await (const piece of logText(readLog(file, options))) {
    end = Buffer.concat([end, piece]).subarray(-MAX_LOG_BYTES);
  }
  return asText(end);
}

/** As much of a message as there is room for. */
export function shortened(message: string, maxBytes: number): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= maxBytes) return message;
  // Without what is left of a character that was cut in two.
  return new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: true });
}

/** Bytes whose first character may have been cut in two. */
function asText(bytes: Buffer): string {
  const isInside = (byte: number | undefined): boolean => ((byte ?? 0) & 0xc0) === 0x80;
  let start = 0;
  while (start < 3 && isInside(bytes[start])) start += 1;
  return bytes.subarray(start).toString();
}
