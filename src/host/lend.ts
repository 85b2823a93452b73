/**
 * What the node lends a pod: its folder, volumes, cgroup and log folder. Lent before the sandbox is
 * made, unchanged through every in-place restart, taken back when the pod is forgotten.
 *
 * Both ways may be gone twice: what is there already is kept, what is gone is fine.
 *
 * Read next: pod-cgroup.ts and volumes/, which do the work; hosts-file.ts, whose content has to
 * wait for the pod's address.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Loan } from '../pod/loan.ts';
import type { NodeSize } from '../pod/downward.ts';
import type { FindObject } from '../pod/objects.ts';
import { podKey } from '../pod/pod.ts';
import type { Pod, Volume } from '../pod/pod.ts';
import { hugePagesOf, podResources, qosClassOf, qosClasses } from '../pod/pod-resources.ts';
import type { PodResources } from '../pod/pod-resources.ts';
import { bytes } from '../pod/quantity.ts';
import { noteMissingParents, removeUnusedParents } from './cgroup-parents.ts';
import { findHierarchy, podCgroup } from './cgroups.ts';
import type { CgroupDriver } from './cgroups.ts';
import { sharesOf } from '../pod/cpu-shares.ts';
import { isErrno } from './errno.ts';
import { makeFolder } from './folder.ts';
import { removeFolder } from './mounts.ts';
import { assertPlainName } from './plain-name.ts';
import { createPodCgroup, removePodCgroup } from './pod-cgroup.ts';
import type { PodCgroupValues } from './pod-cgroup.ts';
import { lendUserIds, returnUserIds } from './user-ids.ts';
import { provideClaim } from './volumes/claim.ts';
import { makeEmptyDir } from './volumes/empty-dir.ts';
import { filesKindOf, provideFiles } from './volumes/files.ts';
import { pageBytesOf } from './volumes/huge-pages.ts';
import { provideHostPath } from './volumes/host-path.ts';
import { VolumeError } from './volumes/volume-error.ts';

/** Where this node keeps what it lends. */
export interface LendSettings {
  readonly dataDir: string;
  readonly podLogDir: string;
  /** Parent of all pods' cgroups. */
  readonly cgroupRoot: string;
  readonly cgroupDriver: CgroupDriver;
  /** How many processes and threads one pod may have; absent: as many as the node. */
  readonly podPidsLimit?: number;
  readonly node: NodeSize;
}

interface Lending extends LendSettings {
  readonly find: FindObject;
}

const nothingThere: FindObject = () => undefined;

/** Sets up everything the pod borrows, or what is missing of it. */
export async function lend(
  pod: Pod,
  settings: LendSettings,
  find: FindObject = nothingThere,
): Promise<Loan> {
  const places = placesOf(pod, settings);
  const resources = podResources(pod);
  await makeFolder(places.directory, 0o750);
  await lendCgroup(places.cgroup, cgroupValues(resources, hugePagesOf(pod)), settings);
  const volumes = await lendVolumes(pod, places.volumes, resources, { ...settings, find });
  await makeFolder(places.logs, 0o755);
  return {
    logDirectory: places.logs,
    messageDirectory: places.messages,
    cgroupParent: places.cgroup,
    volumes,
    hostsFile: places.hostsFile,
    subPaths: places.subPaths,
    ...(pod.spec.hostUsers === false && {
      userNamespace: lendUserIds(path.dirname(places.directory), pod.metadata.uid),
    }),
  };
}

/** Takes back all that was lent. The pod's folder stays: what is remembered of the pod is in it. */
export async function takeBack(pod: Pod, settings: LendSettings): Promise<void> {
  const { cgroup, logs, ...own } = placesOf(pod, settings);
  await takeBackFrom(own, { cgroups: [cgroup], logs: [logs] }, settings);
}

/** Takes back all that was lent to a pod of which nothing is known but its uid. */
export async function takeBackUnknown(uid: string, settings: LendSettings): Promise<void> {
  const { cgroupRoot, cgroupDriver: driver, dataDir, podLogDir } = settings;
  const cgroups = qosClasses.map((each) => podCgroup(uid, each, { cgroupRoot, driver }));
  const logs = await logFoldersOf(uid, podLogDir);
  await takeBackFrom(ownPlacesOf(dataDir, uid), { cgroups, logs }, settings);
}

async function takeBackFrom(
  own: OwnPlaces,
  { cgroups, logs }: { readonly cgroups: readonly string[]; readonly logs: readonly string[] },
  settings: LendSettings,
): Promise<void> {
  // First, because it fails while a process of the pod lives, which may still use the rest.
  for (const cgroup of cgroups) await removePodCgroup(cgroup, { driver: settings.cgroupDriver });
  // Before the volumes, which they hold.
  await removeFolder(own.subPaths);
  await removeFolder(own.volumes);
  await fs.rm(own.hostsFile, { force: true });
  await removeFolder(own.messages);
  await removeFolder(own.devices);
  returnUserIds(path.dirname(own.directory), path.basename(own.directory));
  for (const folder of logs) await removeFolder(folder);
  // Last, because it writes: what has filled the disk may have been in the pod's volumes.
  if (settings.cgroupDriver !== 'cgroupfs') return;
  for (const cgroup of cgroups) removeUnusedParents(cgroup, findHierarchy(), parentNotes(settings));
}

/** The folders of logs that have this uid in their name; the names before it have no underscore. */
async function logFoldersOf(uid: string, podLogDir: string): Promise<readonly string[]> {
  try {
    return (await fs.readdir(podLogDir))
      .filter((name) => name.split('_').slice(2).join('_') === uid)
      .map((name) => path.join(podLogDir, name));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Where a pod's folders are, whether it was lent them or not. */
export interface Places extends OwnPlaces {
  readonly logs: string;
  readonly cgroup: string;
}

/** Those that are named after its uid alone. */
interface OwnPlaces {
  readonly directory: string;
  readonly volumes: string;
  readonly subPaths: string;
  readonly hostsFile: string;
  readonly messages: string;
  /** Nodes that are made for it, by container. */
  readonly devices: string;
}

/** The places of a pod; throws when a name in it is not fit to be one in a path. */
export function placesOf(pod: Pod, settings: LendSettings): Places {
  const { uid, namespace, name } = pod.metadata;
  assertPlainName(uid, `${podKey(pod)}, metadata.uid`);
  assertPlainName(namespace, `${podKey(pod)}, metadata.namespace`);
  assertPlainName(name, `${podKey(pod)}, metadata.name`);
  return {
    ...ownPlacesOf(settings.dataDir, uid),
    logs: path.join(settings.podLogDir, `${namespace}_${name}_${uid}`),
    cgroup: podCgroup(uid, qosClassOf(pod), {
      cgroupRoot: settings.cgroupRoot,
      driver: settings.cgroupDriver,
    }),
  };
}

function ownPlacesOf(dataDir: string, uid: string): OwnPlaces {
  const directory = path.join(dataDir, 'pods', uid);
  return {
    directory,
    volumes: path.join(directory, 'volumes'),
    subPaths: path.join(directory, 'volume-subpaths'),
    hostsFile: path.join(directory, 'etc-hosts'),
    messages: path.join(directory, 'containers'),
    devices: path.join(directory, 'devices'),
  };
}

async function lendCgroup(
  cgroup: string,
  values: PodCgroupValues,
  settings: LendSettings,
): Promise<void> {
  noteMissingParents(cgroup, findHierarchy(), parentNotes(settings));
  const all = { ...values, pids: settings.podPidsLimit };
  await createPodCgroup(cgroup, all, { driver: settings.cgroupDriver });
}

/** What the pod's cgroup is set to, by Kubernetes' formulas. */
export function cgroupValues(
  resources: PodResources,
  hugePages: ReadonlyMap<string, number>,
): PodCgroupValues {
  const { cpuRequestMilli, cpuLimitMilli, memoryLimitBytes } = resources;
  const periodUs = 100_000;
  return {
    cpuShares: sharesOf(cpuRequestMilli),
    ...(cpuLimitMilli !== undefined && {
      cpuQuota: { quotaUs: Math.max((cpuLimitMilli * periodUs) / 1000, 1000), periodUs },
    }),
    ...(memoryLimitBytes !== undefined && { memoryBytes: memoryLimitBytes }),
    hugePages: new Map(
      [...hugePages].map(([name, limit]) => [bytes(name.slice('hugepages-'.length)), limit]),
    ),
  };
}

/** All that can be had, so that what is missing is told at once, and keeps no other from its update. */
async function lendVolumes(
  pod: Pod,
  directory: string,
  resources: PodResources,
  settings: Lending,
): Promise<Record<string, string>> {
  const volumes: Record<string, string> = {};
  const faults: VolumeError[] = [];
  // Images are the runtime's to mount, when a container is created that wants them.
  for (const volume of pod.spec.volumes.filter(({ image }) => image === undefined)) {
    try {
      volumes[volume.name] = await lendVolume(pod, volume, directory, resources, settings);
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      faults.push(error);
    }
  }
  const [first, ...more] = faults;
  if (first === undefined) return volumes;
  if (more.length === 0) throw first;
  throw new VolumeError(faults.map(({ message }) => message).join('; '), {
    where: `pod ${podKey(pod)}`,
    next: first.next,
    cause: first,
  });
}

async function lendVolume(
  pod: Pod,
  volume: Volume,
  directory: string,
  resources: PodResources,
  { dataDir, node, find }: Lending,
): Promise<string> {
  assertPlainName(volume.name, `${podKey(pod)}, spec.volumes[].name`);
  if (volume.hostPath) return await provideHostPath(volume.name, volume.hostPath);
  if (volume.persistentVolumeClaim) {
    const { claimName } = volume.persistentVolumeClaim;
    assertPlainName(claimName, `${podKey(pod)}, spec.volumes[].persistentVolumeClaim.claimName`);
    const places = { dataDir, markers: path.join(directory, 'fs-groups') };
    return await provideClaim(places, pod, volume, volume.persistentVolumeClaim, find);
  }
  const memoryBounds = [node.memoryBytes, resources.memoryLimitBytes ?? Infinity];
  const kind = filesKindOf(volume);
  if (kind !== undefined) {
    const options = { kind, find, size: node, memoryBounds };
    return await provideFiles(directory, pod, volume, options);
  }
  const { fsGroup } = pod.spec.securityContext;
  const pageBytes = pageBytesOf(pod, volume);
  return await makeEmptyDir(directory, volume, { fsGroup, pageBytes, memoryBounds });
}

/** The file with the names of the cgroups that were made for pods to be in. */
export function parentNotes({ dataDir }: LendSettings): string {
  return path.join(dataDir, 'made-cgroups');
}
