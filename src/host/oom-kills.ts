/** Whether the kernel has killed something in a cgroup for want of memory, as its counter says. */
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
  const count = /^oom_kill (\d+)$/m.exec(readOr('', file))?.[1];
  return count === undefined ? undefined : Number(count);
}
