/**
 * What a container's exit leads to: its restart rules first, then its own policy, then the pod's.
 *
 * Source: KEP-5307, KEP-5532 and the kubelet's container/helpers.go (ContainerShouldRestart,
 * FindMatchingContainerRestartRule). The rules see every code, 0, 128 and 137 included.
 */
import type { ContainerMemory, Termination } from './memory.ts';
import type { Container, ContainerKind, Pod, RestartPolicy, RestartRule } from './pod.ts';
import { containersOf } from './pod.ts';

export type AfterExit =
  | { readonly kind: 'restart' }
  | { readonly kind: 'restart-all'; readonly ruleIndex: number }
  | { readonly kind: 'leave' };

/** The reason of an exit that nobody saw: the container has vanished from the runtime. */
export const ENDED_UNSEEN = 'ContainerStatusUnknown';

/** containerd's reason of a container that has never run, as its start has failed. */
export const START_ERROR = 'StartError';

/** The reason of a container in which the kernel has killed something for want of memory. */
export const OOM_KILLED = 'OOMKilled';

/** Whether a container has ended because its start, or the hook that belongs to it, has failed. */
export function hasStartFailed({
  exit,
  postStart,
}: Pick<ContainerMemory, 'exit' | 'postStart'>): boolean {
  return exit !== undefined && (exit.reason === START_ERROR || postStart === 'failed');
}

/** What follows the exit of `container`, an entry of `pod`, with this code and reason. */
export function afterExit(
  pod: Pod,
  container: Container,
  kind: ContainerKind,
  exit: Pick<Termination, 'exitCode' | 'reason' | 'isReplaced' | 'isStranded'>,
): AfterExit {
  // Stopped by us to be started again, after a failed probe: nothing has ended by itself.
  if (exit.isReplaced === true) return { kind: 'restart' };
  // Nobody saw it end, so there is no code to judge: it is started as if it had never been there.
  if (exit.reason === ENDED_UNSEEN) return { kind: 'restart' };
  // Nor has what we stopped with its sandbox; but a pod that never restarts ends with that. The kubelet
  // has no record of init containers and sidecars any more when it looks at rules (purgeInitContainers).
  const isStranded = exit.isStranded === true && pod.spec.restartPolicy !== 'Never';
  if (isStranded && kind !== 'app') return { kind: 'restart' };
  const ruleIndex = container.restartPolicyRules.findIndex((rule) => matches(rule, exit.exitCode));
  const action = container.restartPolicyRules[ruleIndex]?.action;
  if (action === 'RestartAllContainers') return { kind: 'restart-all', ruleIndex };
  if (kind === 'sidecar' || isStranded) return { kind: 'restart' };

  const failed = hasFailed(kind, exit);
  // A finished init container is finished: a Restart rule on 0 would keep the pod from ever starting.
  if (kind === 'init' && !failed) return { kind: 'leave' };
  if (action === 'Restart') return { kind: 'restart' };
  const policy = container.restartPolicy ?? pod.spec.restartPolicy;
  return { kind: isRestartedBy(policy, failed) ? 'restart' : 'leave' };
}

/** Whether a container that fails its startup or liveness probe is started again. */
export function isReplaced(pod: Pod, container: Container): boolean {
  return (container.restartPolicy ?? pod.spec.restartPolicy) !== 'Never';
}

/** An init container that was OOM-killed has failed even if its own process ended with 0. */
export function hasFailed(
  kind: ContainerKind,
  exit: { readonly exitCode: number; readonly reason: string },
): boolean {
  return exit.exitCode !== 0 || (kind === 'init' && exit.reason === OOM_KILLED);
}

/** Whether an init container has not done its work: one that we have ended was cut off, whatever its code. */
export function hasInitFailed({ exit, stop }: Pick<ContainerMemory, 'exit' | 'stop'>): boolean {
  if (exit === undefined) return false;
  const wasCutOff =
    exit.isReplaced === true || exit.isStranded === true || stop?.cause === 'unknown';
  return wasCutOff || hasFailed('init', exit);
}

/** Whether any container can ask for an in-place restart: such a pod carries the condition. */
export function hasRestartAllRule(pod: Pod): boolean {
  return containersOf(pod).some(({ container }) =>
    container.restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  );
}

function matches({ exitCodes }: RestartRule, code: number): boolean {
  switch (exitCodes.operator) {
    case 'In':
      return exitCodes.values.includes(code);
    case 'NotIn':
      return !exitCodes.values.includes(code);
    default:
      return exitCodes.operator satisfies never;
  }
}

function isRestartedBy(policy: RestartPolicy, failed: boolean): boolean {
  switch (policy) {
    case 'Always':
      return true;
    case 'OnFailure':
      return failed;
    case 'Never':
      return false;
    default:
      return policy satisfies never;
  }
}
