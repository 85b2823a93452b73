/**
 * subPath: one file or folder inside a volume, given to a container as if it were the volume.
 *
 * What is found at it, without leaving the volume (beneath.ts), is bound by its descriptor to a place
 * that no container can reach. That place is what the runtime mounts.
 */
import fs from 'node:fs/promises';
import type { Stats } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { messageOf } from '../../errors.ts';
import type { SubPath } from '../../pod/loan.ts';
import { isErrno } from '../errno.ts';
import { unmountBelow } from '../mounts.ts';
import { openBeneath } from './beneath.ts';
import { VolumeError } from './volume-error.ts';

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
  await using found = await openBeneath(root, subPath, { makesFolders: true });
  const wanted = await found.stat();
  if (isSame(await statOf(place), wanted)) return;

  await unmountBelow(await resolved(place));
  await makePlace(place, wanted);
  // By descriptor, and not resolved to a path again by mount itself.
  const source = `/proc/${process.pid}/fd/${found.fd}`;
  await execa('mount', ['--no-canonicalize', '--bind', '--', source, place]);
  if (!isSame(await statOf(place), wanted)) throw new Error('something else was mounted');
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
