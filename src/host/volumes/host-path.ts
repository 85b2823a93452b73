/**
 * hostPath: a path of the machine itself, checked for what the manifest says it is, and made where
 * it says so. It belongs to the machine: nothing of it is ever removed.
 */
import fs, { constants } from 'node:fs/promises';
import path from 'node:path';
import type { Stats } from 'node:fs';
import type { HostPathType, Volume } from '../../pod/pod.ts';
import { isErrno } from '../errno.ts';
import { VolumeError } from './volume-error.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

type HostPath = NonNullable<Volume['hostPath']>;

/** Checks the path, or makes it if its type says so, and says where it is. */
export async function provideHostPath(name: string, hostPath: HostPath): Promise<string> {
  const { path: place, type } = hostPath;
  if (!path.isAbsolute(place) || place.split('/').includes('..')) {
    throw new VolumeError(`volume "${name}" has no plain absolute path`, {
      where: place,
      next: 'write hostPath.path from the root on, without ".."',
    });
  }
  if (type === '') return place; // Unchecked on purpose, as in Kubernetes.
  const found = (await statOf(name, place)) ?? (await make(name, place, type));
  if (!found || !checks[type].is(found)) {
    throw new VolumeError(
      `volume "${name}" needs ${checks[type].what}, but there is ${found ? whatIs(found) : 'nothing'}`,
      { where: place, next: `make it, or change the volume's path or its type "${type}"` },
    );
  }
  return place;
}

const directory = { what: 'a directory', is: (stats: Stats) => stats.isDirectory() };
const file = { what: 'a file', is: (stats: Stats) => stats.isFile() };

const checks: Readonly<
  Record<
    Exclude<HostPathType, ''>,
    { readonly what: string; readonly is: (stats: Stats) => boolean }
  >
> = {
  DirectoryOrCreate: directory,
  Directory: directory,
  FileOrCreate: file,
  File: file,
  Socket: { what: 'a socket', is: (stats) => stats.isSocket() },
  CharDevice: { what: 'a character device', is: (stats) => stats.isCharacterDevice() },
  BlockDevice: { what: 'a block device', is: (stats) => stats.isBlockDevice() },
};

function whatIs(stats: Stats): string {
  const found = Object.values(checks).find(({ is }) => is(stats));
  return found?.what ?? 'something else';
}

async function make(name: string, place: string, type: HostPathType): Promise<Stats | undefined> {
  try {
    if (type === 'DirectoryOrCreate') await makeDirectories(place);
    else if (type === 'FileOrCreate') await makeFile(place);
    else return undefined;
  } catch (error) {
    throw unusable(name, place, error, 'make sure that its parent is there and can be written to');
  }
  return await statOf(name, place);
}

/** One by one: where nothing can be made, as in /proc, Node's own recursion never ends. */
async function makeDirectories(place: string): Promise<void> {
  try {
    await makeDirectory(place);
  } catch (error) {
    const parent = path.dirname(place);
    if (!isErrno(error, 'ENOENT') || (await isThere(parent))) throw error;
    await makeDirectories(parent);
    await makeDirectory(place);
  }
}

async function makeDirectory(place: string): Promise<void> {
  try {
    await fs.mkdir(place);
  } catch (error) {
    // Another pod was quicker.
    if (isErrno(error, 'EEXIST') && (await isThere(place))) return;
    throw error;
  }
  // Another pod that has the parent may have put a link there meanwhile, to what is none of our business.
  await using made = await fs.open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  // The umask must not decide what other users may read.
  await made.chmod(0o755);
}

async function isThere(place: string): Promise<boolean> {
  try {
    await fs.stat(place);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

async function makeFile(place: string): Promise<void> {
  // O_EXCL, in the x, follows no link either.
  await using made = await fs.open(place, 'ax', 0o644);
  await made.chmod(0o644);
}

// Symbolic links are followed: they are the machine's own.
async function statOf(name: string, place: string): Promise<Stats | undefined> {
  try {
    return await fs.stat(place);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw unusable(name, place, error, 'check each part of the path');
  }
}

function unusable(name: string, where: string, cause: unknown, next: string): VolumeError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new VolumeError(`volume "${name}" cannot be used: ${message}`, { where, next, cause });
}
