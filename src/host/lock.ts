/**
 * One process per data directory.
 *
 * The lock belongs to the open file, not to a pid in it: however this process ends, the kernel
 * takes the lock back, so there is no stale one to clean up. Node has no flock(2); the `flock`
 * program (util-linux, on every Linux) locks a file that it inherits open from us, and since the
 * open file is shared, the lock stays ours when that program has ended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { messageOf, RepriseError } from '../errors.ts';
import { isErrno } from './errno.ts';

/** Another process uses this data directory. */
export class DataDirBusy extends RepriseError {}

/** Locks the directory until the answer is disposed of or this process ends, however it ends. */
export async function lockFolder(directory: string): Promise<AsyncDisposable> {
  const file = path.join(directory, 'lock');
  const descriptor = openFile(file);
  try {
    await takeLock(descriptor, file);
    noteHolder(descriptor);
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
  return {
    [Symbol.asyncDispose]() {
      // The file stays: removing it would let two processes lock two files of the same name.
      fs.ftruncateSync(descriptor);
      fs.closeSync(descriptor);
      return Promise.resolve();
    },
  };
}

/** A bare descriptor, because a FileHandle is closed when nobody refers to it any more. */
function openFile(file: string): number {
  try {
    return fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  } catch (error) {
    throw new RepriseError(`the data directory cannot be written to: ${messageOf(error)}`, {
      where: file,
      next: 'make it writable for root, or choose another --data-dir',
      cause: error,
    });
  }
}

/** Only a help for whoever is refused: with a full disk nobody is told, and pods can be deleted. */
function noteHolder(descriptor: number): void {
  fs.ftruncateSync(descriptor);
  try {
    fs.writeSync(descriptor, `${process.pid}\n`, 0);
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
  }
}

async function takeLock(descriptor: number, file: string): Promise<void> {
  // Not execa: its types know no descriptors that are only known at run time.
  const flock = spawn('flock', ['--exclusive', '--nonblock', '0'], {
    stdio: [descriptor, 'ignore', 'ignore'],
  });
  const [exitCode] = (await once(flock, 'exit').catch((error: unknown) => {
    throw cannotLock(file, messageOf(error), error);
  })) as [number | null];
  if (exitCode === 0) return;
  if (exitCode !== 1) throw cannotLock(file, `flock ended with ${String(exitCode)}`);
  const holder = fs.readFileSync(file, 'utf8').trim();
  throw new DataDirBusy(
    `${holder === '' ? 'another process' : `process ${holder}`} uses this data directory`,
    {
      where: path.dirname(file),
      next: 'talk to the agent that runs there, or choose another --data-dir',
    },
  );
}

function cannotLock(file: string, reason: string, cause?: unknown): RepriseError {
  return new RepriseError(`cannot lock the data directory: ${reason}`, {
    where: file,
    next: 'install util-linux, which has flock, and use a file system that has locks',
    cause,
  });
}
