/**
 * Holds the output of a container open, so that whoever reads it does not come to its end before we let go.
 */
import fs from 'node:fs';
import { isErrno } from './errno.ts';

const { O_DIRECTORY, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/** The first process of a container. */
export interface FirstProcess {
  readonly pid: number;
  readonly containerId: string;
}

/**
 * Holds what the process has for its standard error: of the two outputs the one that seldom ends in the
 * middle of a line, which is written to the log when the output ends. To be asked before the program of
 * the container runs, as then it is the pipe that the runtime has made.
 *
 * Undefined if there is nothing to hold, or it may not be held: the process is over, its output is a terminal,
 * the pid is one of another pid namespace, a security module is against it. Throws what else the kernel says.
 */
export function holdOutput({ pid, containerId }: FirstProcess): Disposable | undefined {
  try {
    // What is beneath it is of this process or nobody's, never of a later one with the same pid.
    using folder = open(`/proc/${pid}`, O_RDONLY | O_DIRECTORY);
    const process = `/proc/self/fd/${folder.descriptor}`;
    if (!fs.readFileSync(`${process}/cgroup`, 'utf8').includes(containerId)) return undefined;
    const pipe = fs.readlinkSync(`${process}/fd/2`);
    if (!pipe.startsWith('pipe:')) return undefined;
    const output = open(`${process}/fd/2`, O_WRONLY | O_NONBLOCK);
    if (fs.readlinkSync(`/proc/self/fd/${output.descriptor}`) === pipe) return output;
    // It has become another file meanwhile.
    output[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'ENXIO', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

function open(path: string, flags: number): Disposable & { readonly descriptor: number } {
  const descriptor = fs.openSync(path, flags);
  return { descriptor, [Symbol.dispose]: () => fs.closeSync(descriptor) };
}
