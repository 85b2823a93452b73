/**
 * The sandbox: made once, and made again only when it is lost (a reboot, a dead pause process).
 *
 * Source: the kubelet's podSandboxChanged and computePodActions (kuberuntime_manager.go).
 */
import type { Decision, Look } from './decision.ts';
import { both, only } from './decision.ts';
import { currentSandbox, hasEnded, isAlive } from './instances.ts';
import type { Memory } from './memory.ts';
import type { Instance, ObservedSandbox } from './observed.ts';
import { proveGone } from './restart-all.ts';
import { stopInOrder, tellStops } from './stop.ts';

/** The steps to a working sandbox; absent when there is one. */
export function ensureSandbox(look: Look, memory: Memory): Decision | undefined {
  const { observed } = look;
  const sandbox = currentSandbox(observed, memory);
  if (sandbox?.ready === true) return undefined;
  if (observed.loan === undefined) return { ...only(memory), actions: [{ kind: 'lend' }] };

  // Whatever still runs in the lost sandbox has no network any more: it ends first, with its grace.
  const stranded = observed.instances.filter(isAlive);
  if (stranded.length > 0) return stopStranded(look, memory, stranded);
  const unproven = observed.instances.filter((one) => hasEnded(one) && !one.gone);
  if (unproven.length > 0) return { ...only(memory), actions: proveGone(unproven) };
  const standing = observed.sandboxes.filter(isStanding);
  if (standing.length > 0) {
    return { ...only(memory), actions: standing.map(({ id }) => ({ kind: 'stop-sandbox', id })) };
  }
  return replaceSandbox(look, memory);
}

/**
 * Whether something of a sandbox may still stand. When its process is gone its network is not: the address
 * stays taken, and a hostPort leads there, until it has been stopped. An agent that has just started does so
 * once more, which is safe.
 */
export function isStanding({ ready, isStopped }: ObservedSandbox): boolean {
  return ready || isStopped !== true;
}

/** In the order in which they would be stopped with the pod, all within one window. */
function stopStranded(look: Look, memory: Memory, stranded: readonly Instance[]): Decision {
  const { sandboxLostAt: at = look.now } = memory;
  const { terminationGracePeriodSeconds: graceSeconds } = look.pod.spec;
  const told = tellStops({ ...memory, sandboxLostAt: at }, stranded);
  return both(told, stopInOrder(look, told.memory, { at, graceSeconds }, stranded));
}

function replaceSandbox({ observed }: Look, memory: Memory): Decision {
  const newest = Math.max(-1, ...observed.sandboxes.map(({ attempt }) => attempt));
  // A sandbox that was asked for and never seen is asked for again under the same number.
  const isAskedFor = memory.sandboxAttempt > newest;
  const attempt = isAskedFor ? memory.sandboxAttempt : newest + 1;
  const changed = observed.sandboxes.length > 0 && !isAskedFor;
  return {
    memory: { ...memory, sandboxAttempt: attempt, sandboxLostAt: undefined, initialized: false },
    actions: [{ kind: 'run-sandbox', attempt }],
    events: changed
      ? [
          {
            type: 'Normal',
            reason: 'SandboxChanged',
            message: 'Pod sandbox changed, it will be killed and re-created.',
          },
        ]
      : [],
  };
}
