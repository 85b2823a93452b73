/**
 * Stops containers: first their preStop hook, then the stop signal with what is left of the grace.
 *
 * Source: the kubelet's killContainer (kuberuntime_container.go).
 */
import type { Decision, Look } from './decision.ts';
import { both, earlier, only } from './decision.ts';
import { runHook } from './hooks.ts';
import { isCurrent } from './instances.ts';
import type { Memory } from './memory.ts';
import type { Instance } from './observed.ts';
import { own } from './own.ts';
import { containersOf } from './pod.ts';

/** A stop that should have ended this long ago is started anew. */
const OVERDUE_MS = 5_000;
/** The least that lies between stop signal and SIGKILL, as under the kubelet. */
const MINIMUM_GRACE_SECONDS = 2;

/** The longest grace there is, as in a manifest: 68 years. */
export const maxGraceSeconds = 2 ** 31 - 1;

/** How long a container has from when on. */
export interface GraceWindow {
  readonly at: number;
  readonly graceSeconds: number;
}

/**
 * Tells of each, once, that it is stopped: the kubelet does so before any hook or signal. Why one is
 * stopped that fails has been told (failing.ts).
 */
export function tellStops(memory: Memory, living: readonly Instance[]): Decision {
  return living.reduce<Decision>((sofar, { name, state }) => {
    const known = own(sofar.memory.containers, name);
    const isTold = known?.isStopTold === true || known?.stop !== undefined;
    // What is just starting is stopped when its start has answered.
    if (known === undefined || isTold || state === 'starting') return sofar;
    const containers = { ...sofar.memory.containers, [name]: { ...known, isStopTold: true } };
    const message = `Stopping container ${name}`;
    return both(sofar, {
      ...only({ ...sofar.memory, containers }),
      events: [{ type: 'Normal', reason: 'Killing', message, container: name }],
    });
  }, only(memory));
}

/** Stops them with the pod's grace, or within that window, unless that is under way. */
export function stopGracefully(
  look: Look,
  memory: Memory,
  instances: readonly Instance[],
  window?: GraceWindow,
): Decision {
  const { terminationGracePeriodSeconds: graceSeconds } = look.pod.spec;
  return instances.reduce<Decision>((sofar, one) => {
    // The hook is the beginning of it: what the grace is counted from.
    const at = one.hooks?.preStop?.begunAt ?? look.now;
    return both(sofar, stopOne(look, memory, one, window ?? { at, graceSeconds }));
  }, only(memory));
}

/** One step of the stop of one container; its signal may have to wait for the turn of others. */
export function stopOne(
  look: Look,
  memory: Memory,
  one: Instance,
  { at, graceSeconds }: GraceWindow,
  isItsTurn = true,
): Decision {
  const { now } = look;
  const { id, name, state, stopBy } = one;
  // What is just starting is stopped when its start has answered.
  if (id === undefined || state === 'starting') return only(memory);
  const end = at + graceSeconds * 1000;
  if (now < end && hasHookLeft(look, one)) {
    return { ...only(memory), actions: runHook(one, 'preStop'), lookAgainAt: end };
  }
  if (!isItsTurn && now < end) return { ...only(memory), lookAgainAt: end };

  const leftSeconds = Math.max(MINIMUM_GRACE_SECONDS, Math.ceil((end - now) / 1000));
  const isEnough =
    stopBy !== undefined && stopBy <= now + leftSeconds * 1000 + 1000 && now < stopBy + OVERDUE_MS;
  if (isEnough) {
    return {
      ...only(memory),
      lookAgainAt: earlier(stopBy + OVERDUE_MS, now < end ? end : undefined),
    };
  }
  const stop = { kind: 'stop-container' as const, id, name, graceSeconds: leftSeconds };
  const isSignalled = hadSignal(memory, one);
  return { ...only(memory), actions: [isSignalled ? { ...stop, isSignalled } : stop] };
}

/** Whether it was told to end before, by this agent or by the one before it. */
function hadSignal(memory: Memory, one: Instance): boolean {
  if (one.isSignalled === true) return true;
  return isCurrent(memory, one) && memory.containers[one.name]?.isSignalled === true;
}

/** Whether its preStop hook has still to be run, or to end; only what runs can be visited. */
function hasHookLeft({ pod }: Look, { name, state, stopBy, hooks }: Instance): boolean {
  if (state !== 'running' || stopBy !== undefined) return false;
  if (hooks?.preStop?.outcome !== undefined) return false;
  return containersOf(pod).some(
    ({ container }) => container.name === name && container.lifecycle?.preStop !== undefined,
  );
}
