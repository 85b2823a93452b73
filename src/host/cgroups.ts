/**
 * The machine's cgroups: which version, where, what a pod's and a container's are called, and which
 * processes are in one.
 *
 * A cgroup is named as containerd names it, by its path below the mount (`/kubepods/pod<uid>`);
 * that name is the same on cgroup v1, where it exists once per controller, and on v2.
 *
 * Read next: pod-cgroup.ts, which makes and removes them; kill.ts, which ends what runs in them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { RepriseError } from '../errors.ts';
import type { QosClass } from '../pod/pod-resources.ts';
import { isErrno } from './errno.ts';

/** The machine's cgroups cannot be used as asked. */
export class CgroupError extends RepriseError {}

/** Who makes cgroups: containerd by itself, or systemd on its behalf. */
export type CgroupDriver = 'cgroupfs' | 'systemd';

/** Where cgroups are mounted. */
export type Hierarchy =
  | { readonly version: 2; readonly root: string }
  | {
      readonly version: 1;
      readonly root: string;
      /** Controller or hierarchy name (`freezer`, `systemd`) -> directory; some may share one. */
      readonly controllers: Readonly<Record<string, string>>;
    };

/** Where pods' cgroups go when nobody says otherwise: where the kubelet puts them. */
export const defaultCgroupRoot = '/kubepods';

/** Looks at how cgroups are mounted below `root`. */
export function findHierarchy(root = '/sys/fs/cgroup'): Hierarchy {
  // A hybrid set-up has a v2 tree too, at `unified`, but no controller is in it.
  if (fs.existsSync(path.join(root, 'cgroup.controllers'))) return { version: 2, root };
  const controllers: Record<string, string> = {};
  for (const name of fs.existsSync(root) ? fs.readdirSync(root) : []) {
    const directory = path.join(root, name);
    // `cpu` is often a symlink to `cpu,cpuacct`: they are one hierarchy.
    if (fs.existsSync(path.join(directory, 'cgroup.procs'))) {
      controllers[name] = fs.realpathSync(directory);
    }
  }
  if (Object.keys(controllers).length === 0) {
    throw new CgroupError('no cgroups are mounted', {
      where: root,
      next: 'mount cgroups there, as systemd and most container images do',
    });
  }
  return { version: 1, root, controllers };
}

/** The name of the cgroup that those of all pods are below. */
export function cgroupOfPods(cgroupRoot: string, driver: CgroupDriver): string {
  return driver === 'cgroupfs'
    ? path.posix.resolve('/', cgroupRoot)
    : slicePath(sliceParts(cgroupRoot));
}

/** The name of a pod's cgroup: `<cgroupRoot>/burstable/pod<uid>`, or the path of its systemd slice. */
export function podCgroup(
  uid: string,
  qosClass: QosClass,
  options: { readonly cgroupRoot?: string; readonly driver: CgroupDriver },
): string {
  const { cgroupRoot = defaultCgroupRoot, driver } = options;
  if (!/^[A-Za-z0-9][\w.-]*$/.test(uid)) {
    throw new CgroupError(`the pod's uid "${uid}" cannot name a cgroup`, {
      where: 'metadata.uid',
      next: 'use letters, digits, ".", "_" and "-" only, or leave it out',
    });
  }
  const parts = qosClass === 'Guaranteed' ? [`pod${uid}`] : [qosClass.toLowerCase(), `pod${uid}`];
  return driver === 'cgroupfs'
    ? path.posix.join('/', cgroupRoot, ...parts)
    : slicePath([...sliceParts(cgroupRoot), ...parts.map(escapeForSystemd)]);
}

/** The name of the cgroup that pods of a QoS class are in; of no class in particular: that of all pods. */
export function qosCgroup(
  qosClass: 'burstable' | 'besteffort' | undefined,
  { cgroupRoot, driver }: { readonly cgroupRoot: string; readonly driver: CgroupDriver },
): string {
  const parts = qosClass === undefined ? [] : [qosClass];
  return driver === 'cgroupfs'
    ? path.posix.join('/', cgroupRoot, ...parts)
    : slicePath([...sliceParts(cgroupRoot), ...parts]);
}

/** The name of a container's cgroup, as containerd gives it. */
export function containerCgroup(
  cgroupParent: string,
  containerId: string,
  driver: CgroupDriver,
): string {
  return driver === 'cgroupfs'
    ? path.posix.join(cgroupParent, containerId)
    : path.posix.join(cgroupParent, `cri-containerd-${containerId}.scope`);
}

/** Every directory that a cgroup has: one on v2, one per mounted hierarchy on v1. */
export function directoriesOf(cgroup: string, hierarchy: Hierarchy): readonly string[] {
  assertName(cgroup, /^(\/[^/]+)+$/);
  const mounts =
    hierarchy.version === 2 ? [hierarchy.root] : new Set(Object.values(hierarchy.controllers));
  return [...mounts].map((mount) => path.join(mount, cgroup));
}

/** The one directory that tells which processes are in a cgroup, and (v1) can freeze them. */
export function processDirectoryOf(cgroup: string, hierarchy: Hierarchy): string {
  assertName(cgroup, /^(\/[^/]+){2,}$/);
  if (hierarchy.version === 2) return path.join(hierarchy.root, cgroup);
  // Every v1 hierarchy has the same answer; runc always joins the freezer's when there is one.
  const { freezer, pids, memory, cpu } = hierarchy.controllers;
  const mount = freezer ?? pids ?? memory ?? cpu;
  if (mount === undefined) {
    throw new CgroupError('none of the cgroup controllers freezer, pids, memory, cpu is mounted', {
      where: hierarchy.root,
      next: 'mount them, or boot with cgroup v2',
    });
  }
  return path.join(mount, cgroup);
}

/** Ids of all processes in a cgroup and below it; none when there is no such cgroup. */
export function processesIn(directory: string): readonly number[] {
  return subtreeOf(directory).flatMap(directProcessesIn);
}

/** Ids of the processes in a cgroup itself. */
export function directProcessesIn(directory: string): readonly number[] {
  return (
    readOr('', path.join(directory, 'cgroup.procs'))
      .split('\n')
      .map(Number)
      // A process outside our own pid namespace reads as 0, which kill(2) takes for "my group".
      .filter((pid) => pid > 0)
  );
}

/** Whether no process is left in a cgroup or below it. A cgroup that does not exist is empty. */
export function isEmpty(cgroup: string, hierarchy: Hierarchy = findHierarchy()): boolean {
  const directory = processDirectoryOf(cgroup, hierarchy);
  if (hierarchy.version === 1) return processesIn(directory).length === 0;
  return !readOr('', path.join(directory, 'cgroup.events')).includes('populated 1');
}

/** A cgroup's directory and all below it, parents first; nothing when it does not exist. */
export function subtreeOf(directory: string): readonly string[] {
  let entries;
  try {
    entries = fs.readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return [];
    throw error;
  }
  const children = entries.filter((entry) => entry.isDirectory());
  return [directory, ...children.flatMap(({ name }) => subtreeOf(path.join(directory, name)))];
}

/** The text of a file in /sys/fs/cgroup or /proc, or `otherwise` when what it tells about is gone. */
export function readOr<T>(otherwise: T, file: string): string | T {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    // ENODEV, ESRCH: removed while open. EOPNOTSUPP: a threaded cgroup, listed by its domain.
    if (isErrno(error, 'ENOENT', 'ENODEV', 'ESRCH', 'EOPNOTSUPP')) return otherwise;
    throw error;
  }
}

// A name that climbs, or means too little, would hand us the whole machine's processes.
function assertName(cgroup: string, shape: RegExp): void {
  if (path.posix.normalize(cgroup) === cgroup && shape.test(cgroup)) return;
  throw new CgroupError(`"${cgroup}" is no name of a pod's or container's cgroup`, {
    next: 'name it by its full path below the mount, such as /kubepods/pod<uid>',
  });
}

// "a-b.slice" lives below "a.slice": systemd reads the tree from the dashes.
function slicePath(parts: readonly string[]): string {
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('');
}

function sliceParts(cgroupRoot: string): readonly string[] {
  const last = path.posix.basename(cgroupRoot);
  if (last.endsWith('.slice')) return last.slice(0, -'.slice'.length).split('-');
  return cgroupRoot.split('/').filter(Boolean).map(escapeForSystemd);
}

// As the kubelet does it; a dash would add a level.
function escapeForSystemd(part: string): string {
  return part.replaceAll('-', '_');
}
