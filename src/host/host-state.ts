/**
 * What the runtime finds on the machine when it creates a container, and does not look at again when it
 * starts it: where paths lead, which devices there are, what a seccomp profile says.
 *
 * Source: containerd's CRI plugin, container_create_linux.go and spec_opts.go (WithMounts resolves the
 * links of sources and makes those that are missing; privileged containers get every device node).
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { isErrno } from './errno.ts';

/** What a container takes from the machine. */
export interface HostParts {
  /** Files and folders of the machine that it mounts. */
  readonly paths: readonly string[];
  /** Its seccomp profile; absent: none that is a file. */
  readonly profile?: string;
  /** Whether it gets all devices. */
  readonly hasAllDevices: boolean;
}

export interface HostState {
  /** The same for as long as a container would be made the same. */
  readonly state: string;
  /** Paths that are not there: the runtime makes them when it creates the container, and only then. */
  readonly missing: readonly string[];
}

/** Folders of /dev of which no node is given: those that every container has of its own. */
const ownFolders = new Set(['pts', 'shm', 'fd', 'mqueue']);

export async function hostStateOf(
  { paths, profile, hasAllDevices }: HostParts,
  devDirectory = '/dev',
): Promise<HostState> {
  const [places, stamp, devices] = await Promise.all([
    Promise.all(paths.map(placeOf)),
    profile === undefined ? undefined : stampOf(profile),
    hasAllDevices ? devicesIn(devDirectory) : undefined,
  ]);
  return {
    state: JSON.stringify([places.map(({ place }) => place), stamp, devices]),
    missing: paths.filter((_, index) => places[index]?.isThere === false),
  };
}

/** Where a path leads, or would lead if it was made. */
async function placeOf(file: string): Promise<{ place: string; isThere: boolean }> {
  try {
    return { place: await fs.realpath(file), isThere: true };
  } catch (error) {
    // What is no folder, no right to look: the runtime will say it better.
    const parent = path.dirname(file);
    if (!isErrno(error, 'ENOENT') || parent === file) return { place: file, isThere: true };
    const { place } = await placeOf(parent);
    return { place: path.join(place, path.basename(file)), isThere: false };
  }
}

async function stampOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await fs.stat(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

async function devicesIn(folder: string): Promise<readonly string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true });
  const nodes = await Promise.all(
    entries.map(async (entry) => {
      const place = path.join(folder, entry.name);
      if (entry.isDirectory()) return ownFolders.has(entry.name) ? [] : await devicesIn(place);
      return entry.isCharacterDevice() || entry.isBlockDevice() ? [place] : [];
    }),
  );
  return nodes.flat().toSorted();
}
