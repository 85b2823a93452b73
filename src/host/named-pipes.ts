/**
 * Named pipes, by which containerd connects a process to us.
 *
 * A reader of a pipe that nobody writes to yet is told at once that there is no more, and a writer to one that
 * nobody reads yet is refused. So the outputs are held open for writing until the other side has them, and the
 * input is held open for reading until the end.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { RepriseError, messageOf } from '../errors.ts';

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;

/** Pipes in a folder of their own; disposing closes and removes them. */
export interface NamedPipes extends AsyncDisposable {
  readonly paths: Readonly<Record<PipeName, string>>;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The other side has them: the outputs end with it. */
  release(): void;
}

export type PipeName = 'stdin' | 'stdout' | 'stderr';

const names = ['stdin', 'stdout', 'stderr'] as const;

/** Makes the folder, which must not be there yet, for root alone. */
export async function makeNamedPipes(folder: string): Promise<NamedPipes> {
  await using stack = new AsyncDisposableStack();
  await fs.promises.mkdir(path.dirname(folder), { recursive: true, mode: 0o700 });
  await fs.promises.mkdir(folder, { mode: 0o700 });
  stack.defer(() => fs.promises.rm(folder, { recursive: true, force: true }));
  const inFolder = (name: PipeName) => path.join(folder, name);
  await makeFifos(names.map(inFolder));
  const toClose = new Set<number>();
  const open = (name: PipeName, flags: number): number => {
    const descriptor = fs.openSync(inFolder(name), flags | O_NONBLOCK);
    toClose.add(descriptor);
    return descriptor;
  };
  const close = (descriptor: number): void => {
    if (toClose.delete(descriptor)) fs.closeSync(descriptor);
  };
  stack.defer(() => [...toClose].forEach(close));
  const streamOf = (descriptor: number, readable: boolean): net.Socket => {
    const stream = new net.Socket({ fd: descriptor, readable, writable: !readable });
    toClose.delete(descriptor);
    stack.defer(() => void stream.destroy());
    return stream;
  };
  open('stdin', O_RDONLY);
  const held = [open('stdout', O_RDWR), open('stderr', O_RDWR)];
  const stdin = streamOf(open('stdin', O_WRONLY), false);
  const stdout = streamOf(open('stdout', O_RDONLY), true);
  const stderr = streamOf(open('stderr', O_RDONLY), true);
  const life = stack.move();
  return {
    paths: { stdin: inFolder('stdin'), stdout: inFolder('stdout'), stderr: inFolder('stderr') },
    stdin,
    stdout,
    stderr,
    release: () => held.forEach(close),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

async function makeFifos(paths: readonly string[]): Promise<void> {
  try {
    await execa('mkfifo', ['--mode=600', ...paths]);
  } catch (error) {
    throw new RepriseError(`named pipes cannot be made: ${messageOf(error)}`, {
      where: path.dirname(paths[0] ?? ''),
      next: 'look at the space on the disk, and whether coreutils are installed, which have mkfifo',
      cause: error,
    });
  }
}
