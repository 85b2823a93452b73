/** Reads what containers are made from that belongs to this machine. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { NodeFacts, RuntimeFeatures } from '../pod/node-facts.ts';
import { findHierarchy, readOr } from './cgroups.ts';
import type { Hierarchy } from './cgroups.ts';

const HUGE_PAGES = '/sys/kernel/mm/hugepages';

/** The machine as it is now; a name other than its hostname can be given. */
export function readNodeFacts(options: {
  readonly agentId: string;
  readonly dataDir: string;
  /** Absent: `cluster.local`, as in most clusters. */
  readonly clusterDomain?: string;
  readonly name?: string;
  readonly features: RuntimeFeatures;
  readonly hierarchy?: Hierarchy;
}): NodeFacts {
  const hierarchy = options.hierarchy ?? findHierarchy();
  const hostIPs = findHostIPs();
  return {
    name: options.name ?? os.hostname().toLowerCase(),
    agentId: options.agentId,
    memoryBytes: os.totalmem(),
    cpus: os.cpus().length,
    storageBytes: sizeOfFileSystem(options.dataDir),
    hostIPs: hostIPs.length > 0 ? hostIPs : ['127.0.0.1'],
    clusterDomain: options.clusterDomain ?? 'cluster.local',
    cgroupVersion: hierarchy.version,
    swapLimits: hasSwapLimits(hierarchy),
    hugePageSizes: namesIn(HUGE_PAGES).flatMap(hugePageSize),
    thermalThrottlePaths: namesIn('/sys/devices/system/cpu')
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => `/sys/devices/system/cpu/${name}/thermal_throttle`)
      .filter((place) => fs.existsSync(place)),
    appArmor: readOr('', '/sys/module/apparmor/parameters/enabled').startsWith('Y'),
    seccompDirectory: path.resolve(options.dataDir, 'seccomp'),
    ...options.features,
  };
}

function sizeOfFileSystem(place: string): number {
  const { blocks, bsize } = fs.statfsSync(place);
  return blocks * bsize;
}

/** The node's addresses as they are now, given those that it had before; none if nothing leads out. */
export function findHostIPs(known: readonly string[] = []): readonly string[] {
  return chooseHostIPs(os.networkInterfaces(), readOr('', '/proc/net/route'), known);
}

/** How many huge pages of each size there are now: an administrator may set aside more at any time. */
export function countHugePages(root = HUGE_PAGES): Readonly<Record<string, number>> {
  return Object.fromEntries(
    namesIn(root).flatMap((folder) => {
      const count = Number(readOr('0', path.join(root, folder, 'nr_hugepages')));
      return hugePageSize(folder).map((size) => [size, count] as const);
    }),
  );
}

/**
 * The node's addresses, at most one per family, IPv4 first: those of the interface that the default
 * route goes through; without one, of the first interface that leads out. Of several that would do,
 * the one that was chosen before stays: bridges of pods and temporary addresses come and go.
 */
export function chooseHostIPs(
  interfaces: NodeJS.Dict<os.NetworkInterfaceInfo[]>,
  routes: string,
  known: readonly string[] = [],
): readonly string[] {
  const outwardOf = (name: string) =>
    (interfaces[name] ?? []).filter(
      // A link-local address means something only together with an interface.
      ({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address),
    );
  const preferred = outwardOf(defaultInterface(routes) ?? '');
  const candidates = preferred.length > 0 ? preferred : Object.keys(interfaces).flatMap(outwardOf);
  const chooseFrom = (family: string): string | undefined => {
    const found = candidates.filter((each) => each.family === family);
    return (found.find(({ address }) => known.includes(address)) ?? found[0])?.address;
  };
  return [chooseFrom('IPv4'), chooseFrom('IPv6')].filter((address) => address !== undefined);
}

// /proc/net/route: interface, destination, gateway, flags, references, uses, metric, mask, ...
function defaultInterface(routes: string): string | undefined {
  return routes
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1] === '00000000' && fields[7] === '00000000')
    .toSorted((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}

// v2 has no limits in the root cgroup, so any cgroup below it has to answer for all.
function hasSwapLimits(hierarchy: Hierarchy): boolean {
  if (hierarchy.version === 1) {
    const { memory } = hierarchy.controllers;
    return memory !== undefined && fs.existsSync(path.join(memory, 'memory.memsw.limit_in_bytes'));
  }
  return namesIn(hierarchy.root).some((name) =>
    fs.existsSync(path.join(hierarchy.root, name, 'memory.swap.max')),
  );
}

// "hugepages-2048kB" is "2MB" in CRI's words.
function hugePageSize(folder: string): readonly string[] {
  const kib = Number(/^hugepages-(\d+)kB$/.exec(folder)?.[1] ?? 0);
  if (kib === 0) return [];
  if (kib % 1024 ** 2 === 0) return [`${kib / 1024 ** 2}GB`];
  if (kib % 1024 === 0) return [`${kib / 1024}MB`];
  return [`${kib}KB`];
}

function namesIn(directory: string): readonly string[] {
  return fs.existsSync(directory) ? fs.readdirSync(directory) : [];
}
