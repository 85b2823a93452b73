/** Kills instances by their cgroups, and proves that nothing of them is left. */
import { RepriseError } from '../errors.ts';
import { containerCgroup, isEmpty, podCgroup } from '../host/cgroups.ts';
import { killContainers, whenEmpty } from '../host/kill.ts';
import type { Action } from '../pod/action.ts';
import type { Pod } from '../pod/pod.ts';
import { qosClassOf } from '../pod/pod-resources.ts';
import type { Means, Occasion } from './means.ts';
import type { Outcome } from './view.ts';

/** How long a process usually takes to die of SIGKILL, with some to spare. */
const DEAD_WITHIN_MS = 50;
/** How long exited processes may take to leave their cgroup before somebody has to be told. */
const GONE_WITHIN_MS = 2_000;

const done: Outcome = { kind: 'done' };

/**
 * SIGKILL for all of them at once; tells whose first process it has caught. What was killed before and is not
 * over is the runtime's, too: it alone ends what it has lost sight of, and says so if it cannot.
 */
export async function kill(
  means: Means,
  { ids, again = [] }: Action & { kind: 'kill-containers' },
  { pod, picture, signal }: Occasion,
): Promise<Outcome> {
  const { hierarchy, cri, cleanup } = means;
  const pidsById = new Map(picture.observed.instances.map(({ id, pid }) => [id, pid]));
  const idsByCgroup = new Map(ids.map((id) => [cgroupOf(means, pod, id), id]));
  const { caught, missing, leftovers } = await killContainers([...idsByCgroup.keys()], {
    hierarchy,
  });
  // A cgroup that is not where it should be, or that cannot be killed as a whole, is the runtime's.
  const rest = [...missing, ...leftovers.map(({ cgroup }) => cgroup)];
  const asked = new Set([...rest.map((cgroup) => idsByCgroup.get(cgroup) ?? ''), ...again]);
  for (const id of asked) cleanup.letGo(id);
  await Promise.all([...asked].map((id) => cri.stopContainer(id, 0, signal)));
  const withFirst = ids.filter((id) => {
    const pid = pidsById.get(id);
    return pid !== undefined && caught.get(cgroupOf(means, pod, id))?.includes(pid) === true;
  });
  return { kind: 'killed', caught: withFirst };
}

/** Waits until no process of them is left, and rejects with those that do not die. */
export async function proveGone(
  means: Means,
  ids: readonly string[],
  { pod, signal }: Occasion,
): Promise<Outcome> {
  const { hierarchy } = means;
  const cgroups = ids.map((id) => cgroupOf(means, pod, id));
  const occupied = cgroups.filter((cgroup) => !isEmpty(cgroup, hierarchy));
  if (occupied.length === 0) return done;
  // They are dying, most likely.
  const left = await whenEmpty(occupied, signal, DEAD_WITHIN_MS, hierarchy);
  if (left.length === 0) return done;
  // The first process has ended, others have not: children that moved to a pid namespace of their
  // own, or a shim that died before them.
  await killContainers(occupied, { hierarchy });
  const survivors = await whenEmpty(occupied, signal, GONE_WITHIN_MS, hierarchy);
  if (survivors.length === 0) return done;
  const names = survivors.map(({ pid, command }) => `${pid} (${command})`).join(', ');
  throw new RepriseError(`processes of an ended container do not die: ${names}`, {
    where: survivors[0]?.cgroup,
    next: 'they may hang in the kernel, in a driver or a network file system: see /proc/PID/stack',
  });
}

/** The name of a container's cgroup. */
export function cgroupOf(means: Pick<Means, 'lending'>, pod: Pod, id: string): string {
  return containerCgroup(podCgroupOf(means, pod), id, means.lending.cgroupDriver);
}

export function podCgroupOf({ lending }: Pick<Means, 'lending'>, pod: Pod): string {
  const { cgroupRoot, cgroupDriver: driver } = lending;
  return podCgroup(pod.metadata.uid, qosClassOf(pod), { cgroupRoot, driver });
}
