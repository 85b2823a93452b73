/** Whether the kernel has killed something in a cgroup for want of memory, as its counter says. */
import path from 'node:path';
import { readOr } from './cgroups.ts';
import type { Hierarchy } from './cgroups.ts';

/** How many processes; 0 also for a cgroup that is gone, and for a kernel that does not count. */
export function oomKillsIn(cgroup: string, hierarchy: Hierarchy): number {
  const file =
    hierarchy.version === 2
      ? path.join(hierarchy.root, cgroup, 'memory.events')
      : path.join(hierarchy.controllers['memory'] ?? '', cgroup, 'memory.oom_control');
  return Number(/^oom_kill (\d+)$/m.exec(readOr('', file))?.[1] ?? 0);
}
