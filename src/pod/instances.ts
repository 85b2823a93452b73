/**
 * Which instance of a container is which: the current one, one from before, one made ahead.
 *
 * The memory names the current instance of each container by its attempt number. An instance of the
 * current generation with a higher attempt that has not started is the one to start next; one of the
 * next generation is a standby. Everything else is left over. Ephemeral containers are outside of all
 * generations.
 */
import { hasCurrentInputs } from './inputs.ts';
import type { ContainerMemory, Memory } from './memory.ts';
import type { Instance, Observed, ObservedSandbox } from './observed.ts';
import { own } from './own.ts';

/** What ephemeral containers have in the place of a generation: no in-place restart makes it an old one. */
export const EPHEMERAL_GENERATION = 999_999_999;

/** Whether it belongs to no run of the pod. */
export function isEphemeral({ generation }: Pick<Instance, 'generation'>): boolean {
  return generation === EPHEMERAL_GENERATION;
}

/** The sandbox that the pod uses, whether it still works or not. */
export function currentSandbox(observed: Observed, memory: Memory): ObservedSandbox | undefined {
  return observed.sandboxes.find(({ attempt }) => attempt === memory.sandboxAttempt);
}

/** What is remembered of a container, if that belongs to this generation and this sandbox. */
export function inThisRun(memory: Memory, name: string): ContainerMemory | undefined {
  const known = own(memory.containers, name);
  return known?.generation === memory.generation && known.sandboxAttempt === memory.sandboxAttempt
    ? known
    : undefined;
}

export function currentInstance(
  observed: Observed,
  memory: Memory,
  name: string,
): Instance | undefined {
  const attempt = own(memory.containers, name)?.attempt;
  return instancesOf(observed, name).find((one) => one.attempt === attempt);
}

/** What was sorted once; what is observed never changes, but is replaced. */
const sorted = new WeakMap<readonly Instance[], Map<string, Instance[]>>();

/** All instances of a container; asked many times in a turn, for each container of the pod. */
export function instancesOf({ instances }: Observed, name: string): readonly Instance[] {
  let byName = sorted.get(instances);
  if (byName === undefined) {
    byName = Map.groupBy(instances, (one) => one.name);
    sorted.set(instances, byName);
  }
  return byName.get(name) ?? [];
}

export function isCurrent(memory: Memory, instance: Instance): boolean {
  return own(memory.containers, instance.name)?.attempt === instance.attempt;
}

/** Whether a process of it may exist. */
export function isAlive({ state }: Instance): boolean {
  return state === 'starting' || state === 'running' || state === 'unknown';
}

/** Whether it cannot run (again), so that nothing but its processes' end is left to be proven. */
export function hasEnded({ state }: Instance): boolean {
  return state === 'exited' || state === 'aborted';
}

/**
 * Whether a process of it has run. A daemon that dies while it creates a container has a container of
 * unknown state when it is back, which ends with 255 when it is stopped, and never ran.
 */
export function hasRun({ state, startedAt }: Instance): boolean {
  return state === 'starting' || state === 'running' || startedAt !== undefined;
}

/** Whether it has never been started. */
export function isUnused({ state }: Instance): boolean {
  return state === 'creating' || state === 'created';
}

/** The instance made for a container's next start in `generation`, if there is one that still fits. */
export function preparedInstance(
  observed: Observed,
  memory: Memory,
  name: string,
  generation: number,
): Instance | undefined {
  const attempt = own(memory.containers, name)?.attempt ?? -1;
  return instancesOf(observed, name).find(
    (one) =>
      one.generation === generation &&
      one.sandboxAttempt === memory.sandboxAttempt &&
      one.attempt > attempt &&
      isUnused(one) &&
      one.hasOldImage !== true &&
      hasCurrentInputs(observed, one),
  );
}

/** The attempt number for a new instance: above all that exist or existed, as log files are named by it. */
export function nextAttempt(observed: Observed, memory: Memory, name: string): number {
  const attempts = instancesOf(observed, name).map((one) => one.attempt);
  return Math.max(-1, own(memory.containers, name)?.attempt ?? -1, ...attempts) + 1;
}
