/**
 * Stops containers: first their preStop hook, then the stop signal with what is left of the grace.
 *
 * Source: the kubelet's killContainer (kuberuntime_container.go) and kuberuntime_termination_order.go: app
 * containers at once, each sidecar when the app containers and all later sidecars are dead or the time is
 * up, and never less than 2 s between stop signal and SIGKILL.
 */
import type { Decision, Look } from './decision.ts';
import { both, earlier, only } from './decision.ts';
import { runHook } from './hooks.ts';
import { isCurrent, isEphemeral } from './instances.ts';
import type { Memory } from './memory.ts';
import type { Instance } from './observed.ts';
import { own } from './own.ts';
import { containersOf, isSidecar } from './pod.ts';

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

/** Stops all that live, within that window; each in its turn, or when the time is up. */
export function stopInOrder(
  look: Look,
  memory: Memory,
  window: GraceWindow,
  living: readonly Instance[],
): Decision {
  const sidecars = look.pod.spec.initContainers.filter(isSidecar).map(({ name }) => name);
  const livingNames = new Set(living.map(({ name }) => name));
  // Sidecars wait for those that they serve; an ephemeral container is none of them.
  const othersLive = living.some((one) => !sidecars.includes(one.name) && !isEphemeral(one));

  return living.reduce<Decision>((sofar, one) => {
    // All hooks begin at once, those of sidecars included; only the signals have an order.
    return both(sofar, stopOne(look, memory, one, window, isItsTurn(one)));
  }, only(memory));

  function isItsTurn({ name }: Instance): boolean {
    const position = sidecars.indexOf(name);
    if (position === -1) return true;
    return !othersLive && !sidecars.slice(position + 1).some((later) => livingNames.has(later));
  }
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
