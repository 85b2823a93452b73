/**
 * Gives a folder and all that is in it to a group, as the kubelet does for fsGroup
 * (volume_linux.go): the group may read and write, and owns what is made in it later.
 *
 * Containers have written there, and others may write meanwhile: everything is opened by name in an
 * open folder without following links, and changed by its descriptor.
 */
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { O_PATH, inside, itself } from '../descriptors.ts';
import { isErrno } from '../errno.ts';

/** Each level keeps a descriptor open; no sensible tree is that deep. */
const deepest = 1000;

const { O_DIRECTORY, O_NOFOLLOW } = constants;

/** Links are given away, never followed; what is mounted below is left alone. */
export async function giveToGroup(directory: string, group: number): Promise<void> {
  await using root = await fs.open(directory, O_PATH | O_NOFOLLOW | O_DIRECTORY);
  const { dev } = await root.stat();
  await giveFolder(root, { group, dev, depth: 0 });
}

interface Gift {
  readonly group: number;
  /** The file system that is not left. */
  readonly dev: number;
  readonly depth: number;
}

async function giveFolder(folder: FileHandle, gift: Gift): Promise<void> {
  if (gift.depth > deepest) throw new Error(`there are folders more than ${deepest} levels deep`);
  // What is made from now on belongs to the group by itself.
  await give(folder, gift.group, 0o2770);
  // Names are bytes: not everybody writes them in UTF-8.
  for (const name of await fs.readdir(itself(folder), { encoding: 'buffer' })) {
    await using child = await openIn(folder, name);
    const stats = await child?.stat();
    if (child === undefined || stats === undefined || stats.dev !== gift.dev) continue;
    if (stats.isSymbolicLink()) await giveLink(folder, name, gift.group);
    else if (stats.isDirectory()) await giveFolder(child, { ...gift, depth: gift.depth + 1 });
    else await give(child, gift.group, 0o660);
  }
}

async function give(thing: FileHandle, group: number, bits: number): Promise<void> {
  const { uid, mode } = await thing.stat();
  await fs.chown(itself(thing), uid, group);
  // After chown, which takes the setuid bits away.
  await fs.chmod(itself(thing), (mode & 0o7777) | bits);
}

/** Undefined if it is gone by now. */
async function openIn(folder: FileHandle, name: Buffer): Promise<FileHandle | undefined> {
  try {
    return await fs.open(inside(folder, name), O_PATH | O_NOFOLLOW);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function giveLink(folder: FileHandle, name: Buffer, group: number): Promise<void> {
  try {
    const { uid } = await fs.lstat(inside(folder, name));
    await fs.lchown(inside(folder, name), uid, group);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
