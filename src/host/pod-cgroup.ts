/**
 * Makes a pod's cgroup with the limits that hold for the pod as a whole, and removes it again.
 *
 * With the cgroupfs driver containerd expects to find the parent it is given, and never removes it,
 * so both are done here. With the systemd driver it is systemd's: see pod-slice.ts.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CgroupError, directoriesOf, findHierarchy, processesIn, subtreeOf } from './cgroups.ts';
import type { CgroupDriver, Hierarchy } from './cgroups.ts';
import { cpuWeightOf } from '../pod/cpu-shares.ts';
import { bytes } from '../pod/quantity.ts';
import { isErrno } from './errno.ts';
import { killWholePod } from './kill.ts';
import { startSlice, stopSlice } from './pod-slice.ts';

/** What holds for all containers of a pod together; absent: no limit of the pod's own. */
export interface PodCgroupValues {
  readonly cpuShares: number;
  readonly cpuQuota?: { readonly quotaUs: number; readonly periodUs: number };
  readonly memoryBytes?: number;
  readonly pids?: number;
  /** Bytes of huge pages, by the bytes of one page: none of the sizes that are not in it. */
  readonly hugePages?: ReadonlyMap<number, number>;
}

export interface PodCgroupOptions {
  readonly driver: CgroupDriver;
  readonly hierarchy?: Hierarchy;
}

/** Makes the cgroup and its parents where they are missing, and writes the pod's limits. */
export async function createPodCgroup(
  cgroup: string,
  values: PodCgroupValues,
  options: PodCgroupOptions,
): Promise<void> {
  const hierarchy = options.hierarchy ?? findHierarchy();
  if (options.driver === 'systemd') await startSlice(cgroup, values, hierarchy.version);
  try {
    if (options.driver === 'systemd') limitSlice(hierarchy, cgroup, values);
    else if (hierarchy.version === 2) createUnified(hierarchy.root, cgroup, values);
    else createPerController(hierarchy.controllers, cgroup, values);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof CgroupError) throw error;
    throw new CgroupError(`cannot set up the pod's cgroup: ${error.message}`, {
      where: cgroup,
      next: 'run as root, with the cgroup file system mounted writable',
      cause: error,
    });
  }
}

/**
 * Removes the cgroup and everything below it, with what is still in there. What was never there is
 * fine; a process that cannot be killed is an error.
 */
export async function removePodCgroup(cgroup: string, options: PodCgroupOptions): Promise<void> {
  const hierarchy = options.hierarchy ?? findHierarchy();
  await endStrays(cgroup, hierarchy);
  if (options.driver === 'systemd') {
    await stopSlice(cgroup);
    return;
  }
  const directories = directoriesOf(cgroup, hierarchy);
  // The kernel lets go of a cgroup a moment after its last process has gone.
  for (let attempt = 0; attempt < LOOKS; attempt += 1) {
    if (directories.every(removeTree)) return;
    await sleep(LOOK_AGAIN_MS);
  }
  throw new CgroupError("the pod's cgroup is still busy", {
    where: cgroup,
    next: 'nothing: it is tried again; see what is below it if it stays',
  });
}

/** As often as the kubelet does it. */
const KILLS = 5;
/** How often is looked whether what was killed has gone, and how long after each other. */
const LOOKS = 25;
const LOOK_AGAIN_MS = 20;

/**
 * The runtime has removed all that it knows of the pod. What lives has left the cgroup of its container,
 * which a privileged one may do.
 */
async function endStrays(cgroup: string, hierarchy: Hierarchy): Promise<void> {
  const left = (): readonly number[] => directoriesOf(cgroup, hierarchy).flatMap(processesIn);
  for (let kills = 0; kills < KILLS && left().length > 0; kills += 1) {
    await killWholePod(cgroup, { hierarchy });
    for (let looks = 0; looks < LOOKS && left().length > 0; looks += 1) await sleep(LOOK_AGAIN_MS);
  }
  const pids = [...new Set(left())];
  if (pids.length === 0) return;
  throw new CgroupError(`processes are left in the pod's cgroup: ${pids.join(', ')}`, {
    where: cgroup,
    next: 'see what they wait for (/proc/<pid>/stack), then delete the pod again',
  });
}

/** Removes those of these cgroups that nothing lives below; leaves the others alone. */
export function removeIfUnused(cgroup: string, hierarchy: Hierarchy = findHierarchy()): boolean {
  // rmdir refuses a cgroup that has children or processes: that is the whole check.
  return directoriesOf(cgroup, hierarchy).map(removeDirectory).every(Boolean);
}

function createPerController(
  controllers: Readonly<Record<string, string>>,
  cgroup: string,
  values: PodCgroupValues,
): void {
  for (const mount of new Set(Object.values(controllers))) {
    fs.mkdirSync(path.join(mount, cgroup), { recursive: true });
  }
  const write = (controller: string, file: string, value: number): void => {
    const mount = controllers[controller];
    if (mount !== undefined) fs.writeFileSync(path.join(mount, cgroup, file), String(value));
  };
  if (controllers['cpuset'] !== undefined) inheritCpuset(controllers['cpuset'], cgroup);
  write('cpu', 'cpu.shares', values.cpuShares);
  if (values.cpuQuota) {
    write('cpu', 'cpu.cfs_period_us', values.cpuQuota.periodUs);
    write('cpu', 'cpu.cfs_quota_us', values.cpuQuota.quotaUs);
  }
  if (values.memoryBytes !== undefined) {
    write('memory', 'memory.limit_in_bytes', values.memoryBytes);
  }
  if (values.pids !== undefined) write('pids', 'pids.max', values.pids);
  const { hugetlb } = controllers;
  if (hugetlb !== undefined) limitHugePages(path.join(hugetlb, cgroup), 'limit_in_bytes', values);
}

// A new v1 cpuset has no CPUs and no memory nodes, and takes in no process until it has some.
function inheritCpuset(mount: string, cgroup: string): void {
  let parent = mount;
  for (const part of cgroup.split('/').filter(Boolean)) {
    const directory = path.join(parent, part);
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (fs.readFileSync(path.join(directory, file), 'utf8').trim() !== '') continue;
      fs.writeFileSync(path.join(directory, file), fs.readFileSync(path.join(parent, file)));
    }
    parent = directory;
  }
}

function createUnified(root: string, cgroup: string, values: PodCgroupValues): void {
  const directory = path.join(root, cgroup);
  fs.mkdirSync(directory, { recursive: true });
  // A controller's files appear in a cgroup once its parent passes the controller on. Not every kernel
  // has the one of huge pages.
  const wanted = ['cpu', 'memory', 'pids', ...(offers(root, 'hugetlb') ? ['hugetlb'] : [])];
  passOnDownTo(root, cgroup, wanted);
  const write = (file: string, value: string | number): void =>
    fs.writeFileSync(path.join(directory, file), String(value));
  write('cpu.weight', cpuWeightOf(values.cpuShares));
  if (values.cpuQuota) write('cpu.max', `${values.cpuQuota.quotaUs} ${values.cpuQuota.periodUs}`);
  if (values.memoryBytes !== undefined) write('memory.max', values.memoryBytes);
  if (values.pids !== undefined) write('pids.max', values.pids);
  limitHugePages(directory, 'max', values);
}

/**
 * What systemd has no words for: huge pages. Their controller is nobody's there, and runc and crun pass
 * it on to their scopes like this.
 */
export function limitSlice(
  hierarchy: Hierarchy,
  cgroup: string,
  values: Pick<PodCgroupValues, 'hugePages'>,
): void {
  const { version, root } = hierarchy;
  if (version === 1 || !offers(root, 'hugetlb')) return;
  passOnDownTo(root, cgroup, ['hugetlb']);
  limitHugePages(path.join(root, cgroup), 'max', values);
}

function offers(root: string, controller: string): boolean {
  return wordsIn(path.join(root, 'cgroup.controllers')).includes(controller);
}

/** Pages in use and, where the kernel knows of them, pages that are reserved. */
function limitHugePages(
  directory: string,
  suffix: string,
  { hugePages }: Pick<PodCgroupValues, 'hugePages'>,
): void {
  if (hugePages === undefined) return;
  for (const file of fs.readdirSync(directory)) {
    const [, size, rest] = /^hugetlb\.(\d+[KMG])B(?:\.rsvd)?\.(\w+)$/.exec(file) ?? [];
    if (size === undefined || rest !== suffix) continue;
    const limit = hugePages.get(bytes(`${size}i`)) ?? 0;
    fs.writeFileSync(path.join(directory, file), String(limit));
  }
}

function passOnDownTo(root: string, cgroup: string, controllers: readonly string[]): void {
  let parent = root;
  for (const part of cgroup.split('/').filter(Boolean)) {
    passOn(parent, controllers);
    parent = path.join(parent, part);
  }
}

function passOn(directory: string, controllers: readonly string[]): void {
  const passed = wordsIn(path.join(directory, 'cgroup.subtree_control'));
  const wanted = controllers.filter((controller) => !passed.includes(controller));
  if (wanted.length === 0) return;
  fs.writeFileSync(
    path.join(directory, 'cgroup.subtree_control'),
    wanted.map((controller) => `+${controller}`).join(' '),
  );
}

function wordsIn(file: string): readonly string[] {
  return fs.readFileSync(file, 'utf8').trim().split(/\s+/);
}

function removeTree(directory: string): boolean {
  return subtreeOf(directory).toReversed().map(removeDirectory).every(Boolean);
}

/** Whether the cgroup is gone. */
function removeDirectory(directory: string): boolean {
  try {
    fs.rmdirSync(directory);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw error;
  }
}
