/** What the kernel has killed in a cgroup for want of memory, as its counters say. */
import path from 'node:path';
import { readOr } from './cgroups.ts';
import type { Hierarchy } from './cgroups.ts';

/**
 * How many processes, with cgroup v2 in the cgroups below it, too; undefined for a cgroup that is
 * gone, and for a kernel that does not count.
 */
export function oomKillsIn(cgroup: string, hierarchy: Hierarchy): number | undefined {
  const file =
    hierarchy.version === 2
      ? path.join(hierarchy.root, cgroup, 'memory.events')
      : path.join(hierarchy.controllers['memory'] ?? '', cgroup, 'memory.oom_control');
  return counterIn(file, 'oom_kill');
}

/**
 * How many cgroups below it were killed as a whole, as those of containers are; undefined for a cgroup
 * that is gone, for cgroup v1, and for kernels before 5.17.
 */
export function oomGroupKillsIn(cgroup: string, hierarchy: Hierarchy): number | undefined {
  if (hierarchy.version === 1) return undefined;
  return counterIn(path.join(hierarchy.root, cgroup, 'memory.events'), 'oom_group_kill');
}

function counterIn(file: string, name: string): number | undefined {
  const count = new RegExp(`^${name} (\\d+)$`, 'm').exec(readOr('', file))?.[1];
  return count === undefined ? undefined : Number(count);
}
