/** Stops single containers of a pod that goes on without them. */
import type { Decision, Look } from './decision.ts';
import { earlier, only } from './decision.ts';
import type { Memory } from './memory.ts';
import type { Instance } from './observed.ts';

/** A stop that should have ended this long ago is started anew. */
export const OVERDUE_MS = 5_000;
/** The least that lies between stop signal and SIGKILL, as under the kubelet. */
export const MINIMUM_GRACE_SECONDS = 2;

/** How long a container has from when on. */
export interface GraceWindow {
  readonly at: number;
  readonly graceSeconds: number;
}

/** Stops them with the pod's grace, or within that window, unless that is under way. */
export function stopGracefully(
  { pod, now }: Look,
  memory: Memory,
  instances: readonly Instance[],
  window: GraceWindow = { at: now, graceSeconds: pod.spec.terminationGracePeriodSeconds },
): Decision {
  const left = Math.ceil(window.graceSeconds - (now - window.at) / 1000);
  const graceSeconds = Math.max(MINIMUM_GRACE_SECONDS, left);
  return instances.reduce<Decision>((sofar, { id, name, state, stopBy }) => {
    // What is just starting is stopped when its start has answered.
    if (id === undefined || state === 'starting') return sofar;
    if (stopBy !== undefined && now < stopBy + OVERDUE_MS) {
      return { ...sofar, lookAgainAt: earlier(sofar.lookAgainAt, stopBy + OVERDUE_MS) };
    }
    const stop = { kind: 'stop-container' as const, id, name, graceSeconds };
    return { ...sofar, actions: [...sofar.actions, stop] };
  }, only(memory));
}
