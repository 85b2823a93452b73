/**
 * subPath: one file or folder inside a volume, given to a container as if it were the volume.
 *
 * Containers write into volumes, so nothing in one is to be trusted: a folder may become a symbolic
 * link between two looks at it. The way down is therefore walked by file descriptors, one name at a
 * time, following links by hand and never out of the volume; what is found at its end is bound by
 * its descriptor to a place that no container can reach. That place is what the runtime mounts.
 */
import fs from 'node:fs/promises';
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { messageOf } from '../../errors.ts';
import type { SubPath } from '../../pod/loan.ts';
import { O_PATH, inside, itself } from '../descriptors.ts';
import { isErrno } from '../errno.ts';
import { mountPoints } from '../mounts.ts';
import { VolumeError } from './volume-error.ts';

/** As many as the kernel follows. */
const MOST_LINKS = 40;

/**
 * Binds each of the sub-paths to its place; folders that are missing are made. What is bound there
 * already stays as it is, unless something else is at the sub-path by now.
 */
export async function provideSubPaths(subPaths: readonly SubPath[]): Promise<void> {
  for (const subPath of subPaths) {
    try {
      await provide(subPath);
    } catch (error) {
      const { volume, subPath: within } = subPath;
      throw new VolumeError(
        `failed to prepare subPath "${within}" of volume "${volume}": ${messageOf(error)}`,
        { where: subPath.place, next: 'look at what is at this path of the volume', cause: error },
      );
    }
  }
}

async function provide({ root, subPath, place }: SubPath): Promise<void> {
  await using found = await openBeneath(root, subPath);
  const wanted = await found.stat();
  if (isSame(await statOf(place), wanted)) return;

  if ((await mountPoints()).includes(await resolved(place))) await execa('umount', ['--', place]);
  await makePlace(place, wanted);
  // By descriptor, and not resolved to a path again by mount itself.
  const source = `/proc/${process.pid}/fd/${found.fd}`;
  await execa('mount', ['--no-canonicalize', '--bind', '--', source, place]);
  if (!isSame(await statOf(place), wanted)) throw new Error('something else was mounted');
}

/** Opens what is at a path of a folder, like openat2 with RESOLVE_BENEATH; makes missing folders. */
async function openBeneath(root: string, subPath: string): Promise<FileHandle> {
  await using open = new AsyncDisposableStack();
  const way = [open.use(await fs.open(root, O_PATH))];
  const names = partsOf(subPath);
  for (let links = 0, name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') {
      if (way.length === 1) throw new Error('a symbolic link leads out of the volume');
      way.pop();
      continue;
    }
    const parent = way.at(-1);
    if (parent === undefined) throw new Error('the way down has lost its beginning');
    const next = open.use(await openIn(parent, name, way[0] ?? parent));
    const stats = await next.stat();
    if (stats.isSymbolicLink()) {
      const target = await fs.readlink(inside(parent, name));
      if (target.startsWith('/')) throw new Error('a symbolic link leads out of the volume');
      if (++links > MOST_LINKS) throw new Error('too many symbolic links');
      names.unshift(...partsOf(target));
    } else {
      if (names.length > 0 && !stats.isDirectory()) throw new Error(`"${name}" is no directory`);
      way.push(next);
    }
  }
  const end = way.at(-1);
  if (end === undefined) throw new Error('the way down has lost its beginning');
  // The rest is closed on the way out; this one stays open, under a number of its own.
  return await fs.open(itself(end), O_PATH);
}

/** Opens a name in an open folder without following it; makes a folder if there is nothing. */
async function openIn(parent: FileHandle, name: string, root: FileHandle): Promise<FileHandle> {
  const flags = O_PATH | constants.O_NOFOLLOW;
  try {
    return await fs.open(inside(parent, name), flags);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  const mode = (await root.stat()).mode & 0o7777;
  try {
    await fs.mkdir(inside(parent, name), { mode });
  } catch (error) {
    // Somebody else was faster; what it is will be seen.
    if (!isErrno(error, 'EEXIST')) throw error;
    return await fs.open(inside(parent, name), flags);
  }
  const made = await fs.open(inside(parent, name), flags);
  // The umask has cut the mode. Only if it is still ours: chmod follows links.
  if ((await made.stat()).isDirectory()) await fs.chmod(itself(made), mode);
  return made;
}

function partsOf(subPath: string): string[] {
  return subPath.split('/').filter((name) => name !== '' && name !== '.');
}

/** Something to mount over, of the same kind as what is to be mounted. */
async function makePlace(place: string, wanted: Stats): Promise<void> {
  await fs.mkdir(path.dirname(place), { recursive: true, mode: 0o750 });
  const there = await statOf(place);
  if (there !== undefined && there.isDirectory() !== wanted.isDirectory()) {
    await (there.isDirectory() ? fs.rmdir(place) : fs.unlink(place));
  }
  if (wanted.isDirectory()) await fs.mkdir(place, { recursive: true });
  else await (await fs.open(place, 'a', 0o640)).close();
}

async function statOf(place: string): Promise<Stats | undefined> {
  try {
    return await fs.lstat(place);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The mount table has real paths; the place itself is no link. */
async function resolved(place: string): Promise<string> {
  try {
    return path.join(await fs.realpath(path.dirname(place)), path.basename(place));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return place;
    throw error;
  }
}

function isSame(a: Stats | undefined, b: Stats): boolean {
  return a !== undefined && a.dev === b.dev && a.ino === b.ino;
}
