/**
 * The way up: init containers one by one to completion, sidecars as they come in the list, then the
 * app containers side by side; and what is kept running afterwards.
 *
 * Source: the kubelet's computeInitContainerActions (kuberuntime_container.go) and KEP-753. Progress
 * is read from the memory, so a container that was removed from the runtime does not run again.
 */
import { replaceAt } from './aborted.ts';
import { bringUp, bringUpAgain } from './bring-up.ts';
import type { Decision, Look } from './decision.ts';
import { both, only } from './decision.ts';
import { holdBackRetries } from './hold-back.ts';
import { awaitsPostStart, runHook } from './hooks.ts';
import { currentInstance, inThisRun, preparedInstance } from './instances.ts';
import type { ContainerMemory, Memory } from './memory.ts';
import type { Instance } from './observed.ts';
import type { Container, ContainerKind } from './pod.ts';
import { isSidecar } from './pod.ts';
import { isStarted } from './probes.ts';
import { proveGone } from './restart-all.ts';
import { afterExit, hasInitFailed } from './restart-rules.ts';
import { stopIfItFails, stopUnknown } from './failing.ts';
import { own } from './own.ts';
import { stopOne } from './stop.ts';

/** Starts whatever is due now. */
export function startWhatIsDue(look: Look, memory: Memory): Decision {
  const initialized = memory.initialized ? only(memory) : initialize(look, memory);
  if (!initialized.memory.initialized) return initialized;
  return keepAppsUp(look, keepSidecarsUp(look, initialized, look.pod.spec.initContainers));
}

/** Keeps those of the list up that are sidecars. */
function keepSidecarsUp(look: Look, before: Decision, inits: readonly Container[]): Decision {
  return inits
    .filter(isSidecar)
    .reduce<Decision>(
      (sofar, container) => both(sofar, keepUp(look, sofar.memory, container, 'sidecar')),
      before,
    );
}

/** Side by side; but what follows one with a postStart hook comes when that is done. */
function keepAppsUp(look: Look, before: Decision): Decision {
  let isHeld = false;
  return look.pod.spec.containers.reduce<Decision>((sofar, container) => {
    const isUp = currentInstance(look.observed, sofar.memory, container.name)?.state === 'running';
    if (isHeld && !isUp) return sofar;
    const step = keepUp(look, sofar.memory, container, 'app');
    isHeld ||= isBusyStarting(look, step, container);
    return both(sofar, step);
  }, before);
}

/** Whether a container with a postStart hook is on its way to the end of it. */
function isBusyStarting(look: Look, step: Decision, container: Container): boolean {
  if (container.lifecycle?.postStart === undefined) return false;
  const known = inThisRun(step.memory, container.name);
  const { state } = currentInstance(look.observed, step.memory, container.name) ?? {};
  if (known !== undefined && (state === 'starting' || state === 'running')) {
    return awaitsPostStart(container, known);
  }
  const { generation } = step.memory;
  const next = preparedInstance(look.observed, step.memory, container.name, generation);
  // What has failed and waits for its next try holds nobody up.
  return next?.state === 'creating' || holdBackRetries(look, step).actions.length > 0;
}

/** The init container that has failed for good, if one has: the pod fails with it. */
export function findFailedInit({ pod }: Look, memory: Memory): ContainerMemory | undefined {
  if (memory.initialized) return undefined;
  return pod.spec.initContainers
    .filter((container) => !isSidecar(container))
    .map((container) => ({ container, known: inThisRun(memory, container.name) }))
    .find(
      ({ container, known }) =>
        known?.exit !== undefined &&
        hasInitFailed(known) &&
        afterExit(pod, container, 'init', known.exit).kind === 'leave',
    )?.known;
}

/** Whether every app container has ended and none will be started again. */
export function isFinished({ pod }: Look, memory: Memory): boolean {
  if (!memory.initialized) return false;
  return pod.spec.containers.every((container) => {
    const known = own(memory.containers, container.name);
    if (known?.generation !== memory.generation || known.exit === undefined) return false;
    return afterExit(pod, container, 'app', known.exit).kind === 'leave';
  });
}

/** Whether a sidecar counts as up. */
export function isSidecarUp(look: Look, memory: Memory, name: string): boolean {
  return currentInstance(look.observed, memory, name)?.state === 'running';
}

/** One step of the initialization: at the last container that has a record in this run, or the one after it. */
function initialize(look: Look, memory: Memory): Decision {
  const inits = look.pod.spec.initContainers;
  const latest = inits.findLastIndex(({ name }) => inThisRun(memory, name) !== undefined);
  const reached = inits[latest];
  const isNextDue = reached === undefined || isThrough(look, memory, reached);
  const due = isNextDue ? latest + 1 : latest;
  const container = inits[due];
  if (container === undefined) return only({ ...memory, initialized: true });
  // All before it, the one right before it included: what is due may have to wait for long.
  const kept = keepSidecarsUp(look, only(memory), inits.slice(0, due));
  const kind = isSidecar(container) ? 'sidecar' : 'init';
  return both(kept, keepUp(look, kept.memory, container, kind));
}

/** Whether the one after this init container or sidecar may start. */
export function isThrough(look: Look, memory: Memory, container: Container): boolean {
  if (isSidecar(container)) {
    const hasStarted = isStarted(container, inThisRun(memory, container.name));
    return hasStarted && isSidecarUp(look, memory, container.name);
  }
  const known = inThisRun(memory, container.name);
  return known?.exit !== undefined && !hasInitFailed(known);
}

/** Starts a container that is not up, unless it has ended and is left alone. */
function keepUp(look: Look, memory: Memory, container: Container, kind: ContainerKind): Decision {
  const { name } = container;
  const known = inThisRun(memory, name) ?? endInEarlierSandbox(memory, name, kind);
  if (known === undefined) return bringUp(look, memory, name);
  if (known.exit !== undefined) {
    const { kind: after } = afterExit(look.pod, container, kind, known.exit);
    return after === 'restart' ? bringUpAgain(look, memory, name) : only(memory);
  }
  const instance = currentInstance(look.observed, memory, name);
  if (instance === undefined || instance.state === 'aborted') {
    return startLost(look, memory, known, instance, name);
  }
  if (instance.state === 'created' && instance.id !== undefined) {
    return { ...only(memory), actions: [{ kind: 'start-container', id: instance.id, name }] };
  }
  const isUnknown = instance.state === 'unknown';
  if (!isUnknown && instance.state !== 'running') return only(memory);
  if (known.stop !== undefined) return stopOne(look, memory, instance, known.stop);
  if (isUnknown) return stopUnknown(look, memory, container, kind, known, instance);
  return awaitsPostStart(container, known)
    ? { ...only(memory), actions: runHook(instance, 'postStart') }
    : stopIfItFails(look, memory, container, kind, known, instance);
}

/** The instance was remembered but never ran, and never will: a new one takes its place. */
function startLost(
  look: Look,
  memory: Memory,
  known: ContainerMemory,
  instance: Instance | undefined,
  name: string,
): Decision {
  const { observed, now } = look;
  const lookAgainAt = replaceAt(observed, known, instance) ?? now;
  if (lookAgainAt > now) return { ...only(memory), lookAgainAt };
  // The runtime has tried to end what it had begun.
  if (instance?.gone === false) return { ...only(memory), actions: proveGone([instance]) };
  const vacant = { ...known, sandboxAttempt: -1 };
  return bringUp(look, { ...memory, containers: { ...memory.containers, [name]: vacant } }, name);
}

/**
 * How an app container has ended in a sandbox that was lost since: it counts as any other end. The kubelet
 * removes the records of init containers and sidecars with their sandbox, and those of app containers not.
 */
function endInEarlierSandbox(
  memory: Memory,
  name: string,
  kind: ContainerKind,
): ContainerMemory | undefined {
  const known = own(memory.containers, name);
  const hasEnded = known?.exit !== undefined && known.generation === memory.generation;
  return kind === 'app' && hasEnded ? known : undefined;
}
