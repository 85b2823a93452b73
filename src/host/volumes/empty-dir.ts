/**
 * emptyDir: a folder, or a tmpfs with `medium: Memory`, that lives as long as its pod.
 *
 * Making it again changes nothing: neither content nor what a container did to its mode. A folder
 * is made under another name and renamed when it is complete, so the name itself says "ready".
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Volume } from '../../pod/pod.ts';
import { bytes } from '../../pod/quantity.ts';
import { isErrno } from '../errno.ts';
import { mountHugePages } from './huge-pages.ts';
import { mountTmpfs } from './tmpfs.ts';
import { VolumeError } from './volume-error.ts';

/** The folder among a pod's volumes that emptyDirs are in, as the kubelet calls it. */
export const emptyDirFolder = 'kubernetes.io~empty-dir';

export interface EmptyDirOptions {
  /** Owns the volume, if given, and everything that is made in it. */
  readonly fsGroup?: number;
  /** A tmpfs never gets more than the least of these: the node's memory, the pod's limit. */
  readonly memoryBounds: readonly number[];
  /** Bytes of a page, for a volume of huge pages. */
  readonly pageBytes?: number;
}

/** Makes the volume below `volumesDirectory` if it is not there, and says where it is. */
export async function makeEmptyDir(
  volumesDirectory: string,
  volume: Volume,
  options: EmptyDirOptions,
): Promise<string> {
  const directory = path.join(volumesDirectory, emptyDirFolder, volume.name);
  try {
    await fs.mkdir(path.dirname(directory), { recursive: true, mode: 0o750 });
    if (volume.emptyDir?.medium === 'Memory') await mountMemory(directory, volume, options);
    else if (options.pageBytes !== undefined) {
      await mountHugePages(directory, options.pageBytes, {
        mode: modeFor(options.fsGroup),
        gid: options.fsGroup,
        sizeBytes: bytes(volume.emptyDir?.sizeLimit ?? '0'),
      });
    } else await makeFolder(directory, options.fsGroup);
    return directory;
  } catch (error) {
    throw new VolumeError(
      `volume "${volume.name}" cannot be made: ${error instanceof Error ? error.message : String(error)}`,
      { where: directory, next: 'run as root, with room in the data directory', cause: error },
    );
  }
}

async function makeFolder(directory: string, fsGroup: number | undefined): Promise<void> {
  const making = `${directory}.making`; // No volume is called that: a name has no dot.
  try {
    // lstat: the parent is ours alone, but what is there must be the folder itself.
    if ((await fs.lstat(directory)).isDirectory()) return;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  await fs.mkdir(making, { recursive: true });
  if (fsGroup !== undefined) await fs.chown(making, 0, fsGroup);
  await fs.chmod(making, modeFor(fsGroup)); // After chown, which takes setgid away.
  await fs.rename(making, directory);
}

async function mountMemory(
  directory: string,
  volume: Volume,
  { fsGroup, memoryBounds }: EmptyDirOptions,
): Promise<void> {
  const limit = bytes(volume.emptyDir?.sizeLimit ?? '0');
  const size = Math.min(...memoryBounds, limit > 0 ? limit : Infinity);
  await mountTmpfs(directory, {
    mode: modeFor(fsGroup),
    group: fsGroup,
    sizeBytes: Number.isFinite(size) ? size : undefined,
  });
}

// 0777 as on every node; with a group, what is made inside belongs to the group as well.
function modeFor(fsGroup: number | undefined): number {
  return fsGroup === undefined ? 0o777 : 0o2777;
}
