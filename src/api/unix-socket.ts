/**
 * A unix socket that only its owner may use.
 *
 * The file is never there with wider permissions, not even for a moment; one that a dead agent has
 * left behind is replaced, one that somebody listens on is not.
 */
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { once } from 'node:events';
import { messageOf, RepriseError } from '../errors.ts';

/** The kernel's limit for the path of a unix socket, without the closing zero. */
const maxPathBytes = 107;

/** Listens on a path, with mode 0600. */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  requireShort(path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (exists(path)) await removeStale(path);
  try {
    // The file is made in the call itself, so the mask covers exactly this one. Threads share the
    // mask and may not set it; there the permissions are narrowed right after.
    const mask = isMainThread ? process.umask(0o177) : undefined;
    try {
      server.listen(path);
    } finally {
      if (mask !== undefined) process.umask(mask);
    }
    await once(server, 'listening');
    chmodSync(path, 0o600);
  } catch (error) {
    throw new RepriseError(`cannot listen: ${messageOf(error)}`, {
      where: path,
      next: 'run as root, or choose another --socket',
      cause: error,
    });
  }
}

/** Whether somebody accepts connections there. */
export async function isListening(path: string): Promise<boolean> {
  requireShort(path);
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false;
    const next = code === 'EACCES' ? 'use sudo' : 'choose another --socket';
    throw new RepriseError(`cannot connect: ${messageOf(error)}`, {
      where: path,
      next,
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

function requireShort(path: string): void {
  if (Buffer.byteLength(path) <= maxPathBytes) return;
  throw new RepriseError(`the path of the socket has more than ${maxPathBytes} bytes`, {
    where: path,
    next: 'choose a shorter --socket',
  });
}

async function removeStale(path: string): Promise<void> {
  if (!lstatSync(path).isSocket()) {
    throw new RepriseError('there is something that is not a socket', {
      where: path,
      next: 'move it away, or choose another --socket',
    });
  }
  if (await isListening(path)) {
    throw new RepriseError('another agent is listening', {
      where: path,
      next: 'stop it, or give this one its own --socket and --data-dir',
    });
  }
  unlinkSync(path);
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
