/**
 * Opens what is at a path of a volume, like openat2 with RESOLVE_BENEATH.
 *
 * Containers write into volumes, so nothing in one is to be trusted: a folder may become a symbolic
 * link between two looks at it. The way down is therefore walked by file descriptors, one name at a
 * time, following links by hand and never out of the volume.
 */
import fs from 'node:fs/promises';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { O_PATH, inside, itself } from '../descriptors.ts';
import { isErrno } from '../errno.ts';

/** As many as the kernel follows. */
const MOST_LINKS = 40;

/** Opened as a thing, not for reading; what is missing is made as folders, or is an ENOENT. */
export async function openBeneath(
  root: string,
  subPath: string,
  { makesFolders }: { readonly makesFolders: boolean },
): Promise<FileHandle> {
  await using open = new AsyncDisposableStack();
  const way = [open.use(await fs.open(root, O_PATH))];
  // A link may be made for the machine (/data/current -> /data/42), by either name of the volume.
  const roots = [root, await fs.realpath(root)];
  const names = partsOf(subPath);
  for (let links = 0, name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') {
      if (way.length === 1) throw new Error('a symbolic link leads out of the volume');
      way.pop();
      continue;
    }
    const parent = way.at(-1);
    if (parent === undefined) throw new Error('the way down has lost its beginning');
    const opened = makesFolders
      ? await openOrMake(parent, name, way[0] ?? parent)
      : await openIn(parent, name);
    const next = open.use(opened);
    const stats = await next.stat();
    if (stats.isSymbolicLink()) {
      const target = await fs.readlink(inside(parent, name));
      if (++links > MOST_LINKS) throw new Error('too many symbolic links');
      if (target.startsWith('/')) way.length = 1;
      names.unshift(...(target.startsWith('/') ? withinRoot(target, roots) : partsOf(target)));
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

/** Opens a name in an open folder without following it. */
async function openIn(parent: FileHandle, name: string): Promise<FileHandle> {
  return await fs.open(inside(parent, name), O_PATH | constants.O_NOFOLLOW);
}

/** The same; makes a folder if there is nothing. */
async function openOrMake(parent: FileHandle, name: string, root: FileHandle): Promise<FileHandle> {
  try {
    return await openIn(parent, name);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  const mode = (await root.stat()).mode & 0o7777;
  try {
    await fs.mkdir(inside(parent, name), { mode });
  } catch (error) {
    // Somebody else was faster; what it is will be seen.
    if (!isErrno(error, 'EEXIST')) throw error;
    return await openIn(parent, name);
  }
  const made = await openIn(parent, name);
  // The umask has cut the mode. Only if it is still ours: chmod follows links.
  if ((await made.stat()).isDirectory()) await fs.chmod(itself(made), mode);
  return made;
}

/** What is left of an absolute path from the volume on, as the kubelet allows it (subpath_linux.go). */
function withinRoot(target: string, roots: readonly string[]): string[] {
  const names = partsOf(target);
  const root = roots.map(partsOf).find((all) => all.every((name, index) => names[index] === name));
  if (root === undefined) throw new Error('a symbolic link leads out of the volume');
  return names.slice(root.length);
}

function partsOf(subPath: string): string[] {
  return subPath.split('/').filter((name) => name !== '' && name !== '.');
}
