/**
 * New lines of the kernel log. /dev/kmsg gives one record per read, oldest first; what was logged before
 * we came is read and passed over. Its times tell nothing: the clock they are of stands still while the
 * machine sleeps. Where the log is restricted, reading it needs CAP_SYSLOG.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '../errno.ts';

/** More than the longest record. */
const READ_BYTES = 16_384;
/** There is no event for new records that Node.js could wait for without giving up a thread. */
const LOOK_AGAIN_MS = 1_000;

/** Follows the log from now on until the signal; throws when it cannot be read. */
export async function* followKernelLog(file: string, signal: AbortSignal): AsyncGenerator<string> {
  await using log = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await log.stat();
  const buffer = Buffer.alloc(READ_BYTES);
  // A plain file can stand in for the device; it is read from its end on.
  let position = stats.isFile() ? stats.size : null;
  let isPast = position === null;
  while (!signal.aborted) {
    const bytes = await readSome(log, buffer, position);
    if (bytes === 0) {
      isPast = false;
      await delay(LOOK_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
      continue;
    }
    if (position !== null) position += bytes;
    if (isPast) continue;
    yield* buffer.toString('utf8', 0, bytes).split('\n').filter(Boolean);
  }
}

async function readSome(log: FileHandle, buffer: Buffer, position: number | null): Promise<number> {
  try {
    return (await log.read(buffer, 0, buffer.length, position)).bytesRead;
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return 0;
    // Records were overwritten before they were read: the next one is the oldest that is left.
    if (isErrno(error, 'EPIPE')) return await readSome(log, buffer, position);
    throw error;
  }
}
