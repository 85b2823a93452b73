/**
 * Files that change all at once, in the kubelet's layout (volume/util/atomic_writer.go):
 *
 *     ..2026_01_31_23_59_59.x1y2z3/   the files
 *     ..data -> ..2026_...            replaced by a rename: a reader sees the old or the new files
 *     name -> ..data/name             one for each first part of a path
 *
 * What is the same already is not written again. What a crash has left half-done is cleared away by
 * the next write. Nobody but us writes here: containers have it read-only.
 */
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { isErrno } from '../errno.ts';

export interface FileContent {
  readonly content: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

/** Files by their path below the volume. */
export type Payload = ReadonlyMap<string, FileContent>;

/** Makes the folder hold these files and no others. */
export async function writeFiles(
  directory: string,
  payload: Payload,
  group?: number,
): Promise<void> {
  const files = new Map([...payload].map(([file, content]) => [plainPath(file), content]));
  const data = path.join(directory, '..data');
  let current = await linkAt(data);
  if (current === undefined || !(await isWritten(path.join(directory, current), files, group))) {
    current = await writeAside(directory, files, group);
    const link = path.join(directory, '..data_tmp');
    await fs.rm(link, { force: true });
    await fs.symlink(current, link);
    await fs.rename(link, data);
  }
  await linkNames(directory, new Set([...files.keys()].map(firstPart)));
  await clearAway(directory, current);
}

/** Anything else would be written outside the folder, or over what keeps it in order. */
function plainPath(file: string): string {
  const plain = path.posix.normalize(file);
  const isPlain = plain !== '.' && !plain.startsWith('/') && !plain.startsWith('..');
  if (isPlain && !plain.endsWith('/') && !plain.includes('\0')) return plain;
  throw new Error(`"${file}" cannot be the path of a file in a volume`);
}

function firstPart(file: string): string {
  return file.split('/')[0] ?? file;
}

/** Writes everything into a new folder; returns its name. */
async function writeAside(
  directory: string,
  files: Payload,
  group: number | undefined,
): Promise<string> {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:T]/g, '_');
  const aside = await fs.mkdtemp(path.join(directory, `..${time}.`));
  try {
    for (const [file, { content, mode }] of files) {
      const place = path.join(aside, file);
      await fs.mkdir(path.dirname(place), { recursive: true });
      // Readable for nobody else, not even for the moment until its mode is set.
      await fs.writeFile(place, content, { mode: 0o600, flag: 'wx' });
      if (group !== undefined) await fs.chown(place, 0, group);
      await fs.chmod(place, fileMode(mode, group));
    }
    for (const folder of [aside, ...(await foldersIn(aside))]) {
      if (group !== undefined) await fs.chown(folder, 0, group);
      await fs.chmod(folder, folderMode(group));
    }
    return path.basename(aside);
  } catch (error) {
    await fs.rm(aside, { recursive: true, force: true });
    throw error;
  }
}

// As the kubelet's SetVolumeOwnership leaves what is read-only.
function fileMode(mode: number, group: number | undefined): number {
  return group === undefined ? mode : mode | 0o440;
}

function folderMode(group: number | undefined): number {
  return group === undefined ? 0o755 : 0o2755;
}

async function foldersIn(directory: string): Promise<readonly string[]> {
  const entries = await fs.readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Whether exactly these files are there. */
async function isWritten(
  directory: string,
  files: Payload,
  group: number | undefined,
): Promise<boolean> {
  try {
    const entries = await fs.readdir(directory, { recursive: true, withFileTypes: true });
    const there = entries.filter((entry) => !entry.isDirectory());
    if (there.length !== files.size) return false;
    for (const [file, { content, mode }] of files) {
      const place = path.join(directory, file);
      const { mode: found, gid } = await fs.lstat(place);
      if ((found & 0o7777) !== fileMode(mode, group) || gid !== (group ?? 0)) return false;
      if (!(await fs.readFile(place)).equals(content)) return false;
    }
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR')) return false;
    throw error;
  }
}

async function linkNames(directory: string, names: ReadonlySet<string>): Promise<void> {
  for (const name of names) {
    const place = path.join(directory, name);
    const target = path.join('..data', name);
    if ((await linkAt(place)) === target) continue;
    // A sub-path that was asked for before there was such a file has made a folder of it.
    await fs.rmdir(place).catch((error: unknown) => {
      if (!isErrno(error, 'ENOENT')) throw error;
    });
    await fs.symlink(target, place);
  }
}

/** Removes links to files that are no more, and folders that are not current. */
async function clearAway(directory: string, current: string): Promise<void> {
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const place = path.join(directory, entry.name);
    if (entry.name === '..data' || entry.name === current) continue;
    if (entry.name.startsWith('..')) await fs.rm(place, { recursive: true, force: true });
    else if (entry.isSymbolicLink() && !(await leads(place))) await fs.unlink(place);
  }
}

async function leads(link: string): Promise<boolean> {
  try {
    await fs.access(link, constants.F_OK);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false;
    throw error;
  }
}

async function linkAt(place: string): Promise<string | undefined> {
  try {
    return await fs.readlink(place);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  }
}
