/**
 * The parents of pods' cgroups (`/kubepods`, `/kubepods/burstable`): made with the first pod and
 * removed with the last one, but only if reprise made them. A kubelet on the same machine has the
 * same names, and misses its own. So a parent is written down before it is made. Slices of systemd are
 * written down, too, but stay: pod-slice.ts.
 *
 * The kernel forgets all cgroups when the machine is booted, and those of the same names may then be the
 * kubelet's. So the notes begin with the boot that they are of. Those of another one count as none, and
 * so do those without, of an earlier version: a cgroup of ours that stays harms nobody, one of the
 * kubelet's that is removed does.
 */
import fs from 'node:fs';
import path from 'node:path';
import { directoriesOf } from './cgroups.ts';
import type { Hierarchy } from './cgroups.ts';
import { isErrno } from './errno.ts';
import { removeIfUnused } from './pod-cgroup.ts';

/** Writes down which parents of this cgroup do not exist yet; to be called before it is made. */
export function noteMissingParents(cgroup: string, hierarchy: Hierarchy, file: string): void {
  const noted = readNotes(file);
  const missing = parentsOf(cgroup).filter(
    (parent) =>
      !noted.includes(parent) &&
      !directoriesOf(parent, hierarchy).some((each) => fs.existsSync(each)),
  );
  if (missing.length > 0) writeNotes(file, [...noted, ...missing]);
}

/** Removes those parents of a removed cgroup that were written down and have no pod any more. */
export function removeUnusedParents(cgroup: string, hierarchy: Hierarchy, file: string): void {
  const noted = readNotes(file);
  const removed = parentsOf(cgroup)
    .toReversed()
    .filter((parent) => noted.includes(parent) && removeIfUnused(parent, hierarchy));
  if (removed.length === 0) return;
  const rest = noted.filter((parent) => !removed.includes(parent));
  writeNotes(file, rest);
}

/** Whether this parent was written down, which means that it was made here. */
export function isMadeHere(parent: string, file: string): boolean {
  return readNotes(file).includes(parent);
}

function parentsOf(cgroup: string): readonly string[] {
  const parent = path.posix.dirname(cgroup);
  return parent === '/' ? [] : [...parentsOf(parent), parent];
}

function readNotes(file: string): readonly string[] {
  try {
    const [boot, ...noted] = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return boot === currentBoot() ? noted : [];
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function writeNotes(file: string, noted: readonly string[]): void {
  fs.writeFileSync(`${file}.new`, [currentBoot(), ...noted, ''].join('\n'));
  fs.renameSync(`${file}.new`, file);
}

/** Another one after each boot of the machine. */
function currentBoot(): string {
  return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
