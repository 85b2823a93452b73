/**
 * Holds the output of a container open, so that whoever reads it does not come to its end before we let go.
 *
 * Best asked for before the container's program runs. If it does, what it has for its output may be anything: that
 * is looked at before it is opened, by a descriptor that does nothing to it.
 */
import fs from 'node:fs';
import { O_PATH } from './descriptors.ts';
import { isErrno } from './errno.ts';

const { O_DIRECTORY, O_NOCTTY, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/** The first process of a container. */
export interface FirstProcess {
  readonly pid: number;
  readonly containerId: string;
}

/** An output; disposing of it lets it go. */
export interface HeldOutput extends Disposable {
  /** Whether the process has ended, or writes to something else now. */
  readonly isOver: () => boolean;
}

/**
 * Holds what the process has for its standard error: of the two outputs the one that seldom ends in the
 * middle of a line, which is written to the log when the output ends.
 *
 * Undefined if there is nothing to hold, or it may not be held: the process is over, its output is not a pipe to
 * its parent (the shim), the pid is one of another pid namespace, a security module is against it. Throws
 * what else the kernel says.
 */
export function holdOutput({ pid, containerId }: FirstProcess): HeldOutput | undefined {
  try {
    // What is beneath it is of this process or nobody's, never of a later one with the same pid.
    using folder = open(`/proc/${pid}`, O_RDONLY | O_DIRECTORY);
    const cgroups = fs.readFileSync(`${folder.path}/cgroup`, 'utf8');
    if (!cgroups.includes(containerId)) return undefined;
    const errors = `${folder.path}/fd/2`;
    if (!isPipe(fs.readlinkSync(errors))) return undefined;
    using output = open(errors, O_PATH);
    const pipe = fs.readlinkSync(output.path);
    if (!isPipe(pipe) || !hasOpen(parentOf(folder.path), pipe)) return undefined;
    const held = open(output.path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    const isOver = (): boolean => linkOf(`/proc/${pid}/fd/2`) !== pipe;
    return { isOver, [Symbol.dispose]: () => held[Symbol.dispose]() };
  } catch (error) {
    if (isNobodys(error)) return undefined;
    throw error;
  }
}

function open(path: string, flags: number): Disposable & { readonly path: string } {
  const descriptor = fs.openSync(path, flags);
  const close = () => fs.closeSync(descriptor);
  return { path: `/proc/self/fd/${descriptor}`, [Symbol.dispose]: close };
}

function isPipe(link: string): boolean {
  return link.startsWith('pipe:');
}

/** From /proc/PID/stat: the name before it may contain anything but ends with the last parenthesis. */
function parentOf(folder: string): string {
  const stat = fs.readFileSync(`${folder}/stat`, 'utf8');
  const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return `/proc/${parent}`;
}

/** Whether a process has that open. */
function hasOpen(folder: string, link: string): boolean {
  return fs.readdirSync(`${folder}/fd`).some((name) => linkOf(`${folder}/fd/${name}`) === link);
}

/** Where a link leads; undefined if it is gone. */
function linkOf(path: string): string | undefined {
  try {
    return fs.readlinkSync(path);
  } catch (error) {
    if (isNobodys(error)) return undefined;
    throw error;
  }
}

/** What the kernel says of a process or a reader that is over, and of what we may not look at. */
function isNobodys(error: unknown): boolean {
  return isErrno(error, 'ENOENT', 'ESRCH', 'ENXIO', 'EACCES', 'EPERM');
}
