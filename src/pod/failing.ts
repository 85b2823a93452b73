/**
 * Containers that run and should not: those whose postStart hook, startup or liveness probe has failed.
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
import { stopGracefully } from './stop.ts';

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
  const { name } = container;
  const { terminationGracePeriodSeconds } = look.pod.spec;
  const probe = cause === 'postStart' ? undefined : probeOf(container, cause);
  const stop: ContainerStop = {
    cause,
    at: look.now,
    graceSeconds: probe?.terminationGracePeriodSeconds ?? terminationGracePeriodSeconds,
    // An exit after a failed hook counts as any other.
    isReplaced: probe !== undefined && isReplaced(look.pod, container),
  };
  const next = { ...memory, containers: { ...memory.containers, [name]: { ...known, stop } } };
  const events = eventsOf(stop, kind, instance);
  return both({ ...only(next), events }, stopGracefully(look, next, [instance], stop));
}

/** Why a container is stopped, in the kubelet's words. */
function eventsOf(
  { cause, isReplaced }: ContainerStop,
  kind: ContainerKind,
  { name, hooks }: Instance,
): readonly PodEvent[] {
  const killing = (message: string): PodEvent => {
    return { type: 'Normal', reason: 'Killing', message, container: name };
  };
  if (cause === 'postStart') {
    const reason = 'FailedPostStartHook';
    const message = `PostStartHook failed: ${hooks?.postStart?.message ?? 'for no known reason'}`;
    return [{ type: 'Warning', reason, message, container: name }, killing(reason)];
  }
  const what = `${kind === 'sidecar' ? 'Init container' : 'Container'} ${name} failed ${cause} probe`;
  // The kubelet tells what becomes of app containers only.
  return [killing(kind === 'app' && isReplaced ? `${what}, will be restarted` : what)];
}
