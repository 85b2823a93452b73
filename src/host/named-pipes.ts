/**
 * Named pipes, by which containerd connects a process to us.
 *
 * A reader of a pipe that nobody writes to yet is told at once that there is no more. So each pipe is held
 * open until the other side has it, and ends with the other side from then on.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;

/** Pipes in a folder of their own; disposing closes and removes them. */
export interface NamedPipes extends AsyncDisposable {
  readonly paths: Readonly<Record<PipeName, string>>;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The other side has them: what it closes is at its end. */
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
  await execa('mkfifo', ['--mode=600', ...names.map(inFolder)]);
  const held = names.map((name) => fs.openSync(inFolder(name), O_RDWR | O_NONBLOCK));
  const release = () => {
    for (const descriptor of held.splice(0)) fs.closeSync(descriptor);
  };
  stack.defer(release);
  const open = (name: PipeName, isOurs: 'to read' | 'to write'): net.Socket => {
    const readable = isOurs === 'to read';
    const flags = (readable ? O_RDONLY : O_WRONLY) | O_NONBLOCK;
    const fd = fs.openSync(inFolder(name), flags);
    const stream = new net.Socket({ fd, readable, writable: !readable });
    stack.defer(() => void stream.destroy());
    return stream;
  };
  const [stdin, stdout, stderr] = [
    open('stdin', 'to write'),
    open('stdout', 'to read'),
    open('stderr', 'to read'),
  ];
  const life = stack.move();
  return {
    paths: { stdin: inFolder('stdin'), stdout: inFolder('stdout'), stderr: inFolder('stderr') },
    stdin,
    stdout,
    stderr,
    release,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}
