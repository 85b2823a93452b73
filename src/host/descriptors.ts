/**
 * Files by descriptor: the kernel opens what these name whatever has become of the path meanwhile, so
 * that a container cannot swap a folder for a symbolic link between two looks at it.
 */
import type { FileHandle } from 'node:fs/promises';

/** Opens a thing without reading it; with O_NOFOLLOW a link itself. Not among Node's constants. */
export const O_PATH = 0o10000000;

/** What is open, as a path. */
export function itself({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}

/** A name in an open folder, as a path; the name may be a link. */
export function inside(folder: FileHandle, name: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${itself(folder)}/`), Buffer.from(name)]);
}
