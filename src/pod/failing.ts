/**
 * Containers that run and should not: those whose postStart hook, startup or liveness probe has failed,
 * and those that nobody knows to run or not.
 *
 * Source: the kubelet's computePodActions and startContainer. What follows the end of such a container
 * is said in restart-rules.ts.
 */
import type { Decision, Look, PodEvent } from './decision.ts';
import { both, only } from './decision.ts';
import { probeOf } from './handler.ts';
import type { ContainerMemory, ContainerStop, Memory } from './memory.ts';
import type { Instance } from './observed.ts';
import type { Container, ContainerKind } from './pod.ts';
import { failedProbe } from './probes.ts';
import { isReplaced } from './restart-rules.ts';
import { stopOne } from './stop.ts';

/** Stops a container whose postStart hook, startup or liveness probe has failed. */
export function stopIfItFails(
  look: Look,
  memory: Memory,
  container: Container,
  kind: ContainerKind,
  known: ContainerMemory,
  instance: Instance,
): Decision {
  const cause = known.postStart === 'failed' ? 'postStart' : failedProbe(known);
  if (cause === undefined) return only(memory);
  const { terminationGracePeriodSeconds } = look.pod.spec;
  const probe = cause === 'postStart' ? undefined : probeOf(container, cause);
  const stop: ContainerStop = {
    cause,
    at: look.now,
    graceSeconds: probe?.terminationGracePeriodSeconds ?? terminationGracePeriodSeconds,
    // An exit after a failed hook counts as any other.
    isReplaced: probe !== undefined && isReplaced(look.pod, container),
  };
  return begin(look, memory, stop, kind, known, instance);
}

/**
 * Stops a container that the runtime has lost track of: it may run and it may not. Its end tells nothing
 * about it, so it is started again whatever its rules and policies say of that; only an init container
 * that is not restarted when it fails has failed.
 */
export function stopUnknown(
  look: Look,
  memory: Memory,
  container: Container,
  kind: ContainerKind,
  known: ContainerMemory,
  instance: Instance,
): Decision {
  const stop: ContainerStop = {
    cause: 'unknown',
    at: look.now,
    graceSeconds: look.pod.spec.terminationGracePeriodSeconds,
    isReplaced: kind !== 'init' || isReplaced(look.pod, container),
  };
  return begin(look, memory, stop, kind, known, instance);
}

function begin(
  look: Look,
  memory: Memory,
  stop: ContainerStop,
  kind: ContainerKind,
  known: ContainerMemory,
  instance: Instance,
): Decision {
  const { name } = instance;
  const next = { ...memory, containers: { ...memory.containers, [name]: { ...known, stop } } };
  const events = eventsOf(stop, kind, instance);
  return both({ ...only(next), events }, stopOne(look, next, instance, stop));
}

/** Why a container is stopped, in the kubelet's words. */
function eventsOf(
  { cause, isReplaced }: ContainerStop,
  kind: ContainerKind,
  { name }: Instance,
): readonly PodEvent[] {
  const killing = (message: string): PodEvent => {
    return { type: 'Normal', reason: 'Killing', message, container: name };
  };
  if (cause === 'postStart') {
    const reason = 'FailedPostStartHook';
    const message = 'PostStartHook failed';
    return [{ type: 'Warning', reason, message, container: name }, killing(reason)];
  }
  if (cause === 'unknown') {
    const what = kind === 'app' ? 'Container' : 'Init container';
    return [killing(`${what} is in "unknown" state, try killing it before restart`)];
  }
  const what = `${kind === 'sidecar' ? 'Init container' : 'Container'} ${name} failed ${cause} probe`;
  // The kubelet tells what becomes of app containers only.
  return [killing(kind === 'app' && isReplaced ? `${what}, will be restarted` : what)];
}
