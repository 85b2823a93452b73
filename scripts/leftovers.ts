/**
 * Looks for anything that a private containerd and the pods in it left on this machine.
 *
 * For the end of the demonstration and of the tests. Alone: `node scripts/leftovers.ts DIR` prints
 * one line each and exits with 1 if there is any.
 */
import { findCgroups, knownIds } from './private-containerd/cgroups.ts';
import { instanceAt } from './private-containerd/instance.ts';
import { findMounts } from './private-containerd/mounts.ts';
import { findLinks, findRecords, findRules } from './private-containerd/network.ts';
import { findProcesses } from './private-containerd/processes.ts';

/** Something that should not be there any more. */
export interface Leftover {
  readonly kind: 'process' | 'mount' | 'link' | 'iptables rule' | 'file' | 'cgroup';
  /** Its path or name, or for a process pid and command. */
  readonly what: string;
}

/** Everything of the instance of this folder that is still there; the folder itself is not asked for. */
export async function findLeftovers({
  dir,
  ids = [],
}: {
  readonly dir: string;
  /** Ids of sandboxes and containers that ran, for their cgroups; else only what the folder knows. */
  readonly ids?: readonly string[];
}): Promise<Leftover[]> {
  const instance = instanceAt(dir);
  const known = new Set([...ids, ...(await knownIds(instance))]);
  const found: Record<Leftover['kind'], readonly string[]> = {
    process: (await findProcesses(instance)).map(({ pid, command }) => `${pid} ${command}`),
    mount: await findMounts(instance.dir),
    link: await findLinks(instance),
    'iptables rule': await findRules(instance),
    file: await findRecords(instance, known),
    cgroup: await findCgroups(instance, known),
  };
  return Object.entries(found).flatMap(([kind, names]) =>
    names.map((what) => ({ kind: kind as Leftover['kind'], what })),
  );
}

if (import.meta.main) {
  const [dir] = process.argv.slice(2);
  if (dir === undefined) {
    console.error('Usage: node scripts/leftovers.ts DIR');
    process.exitCode = 2;
  } else {
    const leftovers = await findLeftovers({ dir });
    for (const { kind, what } of leftovers) console.log(`${kind}: ${what}`);
    process.exitCode = leftovers.length === 0 ? 0 : 1;
  }
}
