/**
 * Who has a device open. The kernel closes what a process has open before it can be reaped, so only
 * processes that are left have to be looked at.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Hierarchy } from '../cgroups.ts';
import {
  directProcessesIn,
  processDirectoryOf,
  processesIn,
  readOr,
  subtreeOf,
} from '../cgroups.ts';
import { isErrno } from '../errno.ts';
import { deviceOf } from './numbers.ts';

/** A process with the device that it has open. */
export interface Holder {
  readonly pid: number;
  /** Its short name. */
  readonly command: string;
  /** Path under which it opened the device. */
  readonly path: string;
  /** The cgroup it is in, below the pod's or the pod's own. */
  readonly cgroup: string;
}

/**
 * Processes anywhere in a pod's cgroup, but for those in the spared ones below it, that have one of
 * these devices (`c 195:0`) open or mapped.
 */
export function holdersIn(
  podCgroup: string,
  spared: readonly string[],
  devices: ReadonlySet<string>,
  hierarchy: Hierarchy,
): readonly Holder[] {
  const root = processDirectoryOf(podCgroup, hierarchy);
  const sparedDirectories = spared.map((cgroup) => processDirectoryOf(cgroup, hierarchy));
  return subtreeOf(root)
    .filter(
      (directory) =>
        !sparedDirectories.some((one) => directory === one || directory.startsWith(`${one}/`)),
    )
    .flatMap((directory) => {
      const cgroup = `${podCgroup}${directory.slice(root.length)}`;
      return directProcessesIn(directory).flatMap((pid) => {
        const open = openDevice(pid, devices);
        return open === undefined ? [] : [{ pid, command: commandOf(pid), path: open, cgroup }];
      });
    });
}

/** Where a process has one of these devices open, if it does. */
export function openDevice(pid: number, devices: ReadonlySet<string>): string | undefined {
  for (const folder of ['fd', 'map_files']) {
    const directory = `/proc/${pid}/${folder}`;
    for (const name of namesIn(directory)) {
      const file = path.join(directory, name);
      const device = deviceAt(file);
      if (device !== undefined && devices.has(device)) return linkOf(file);
    }
  }
  return undefined;
}

/**
 * Whether a process is one of a pod's, by the namespaces it shares with the pause process: whoever
 * leaves the pod's cgroup is still in them.
 */
export function sharesNamespace(
  pid: number,
  pausePid: number,
  namespaces: readonly ('ipc' | 'net')[],
): boolean {
  return namespaces.some((name) => {
    const [own, paused] = [pid, pausePid].map((one) => linkOf(`/proc/${one}/ns/${name}`));
    return own !== undefined && own === paused;
  });
}

/** The short name of a process; empty if there is none with that id. */
export function commandOf(pid: number): string {
  return readOr('', `/proc/${pid}/comm`).trim();
}

/** The pause process of a sandbox, by its cgroup. */
export function pausePidIn(sandboxCgroup: string, hierarchy: Hierarchy): number | undefined {
  return processesIn(processDirectoryOf(sandboxCgroup, hierarchy))[0];
}

function namesIn(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    // It ended while we looked; EINVAL and EPERM: what is mapped can only be read with all rights.
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EINVAL', 'EPERM', 'EACCES')) return [];
    throw error;
  }
}

function deviceAt(file: string): string | undefined {
  try {
    return deviceOf(fs.statSync(file));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EPERM', 'EACCES')) return undefined;
    throw error;
  }
}

function linkOf(file: string): string | undefined {
  try {
    return fs.readlinkSync(file);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EPERM', 'EACCES')) return undefined;
    throw error;
  }
}
