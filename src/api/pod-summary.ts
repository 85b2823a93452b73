/**
 * A pod in one line, judged exactly as kubectl does it: the READY, STATUS and RESTARTS columns.
 *
 * The rules are those of the pod printer of Kubernetes, in its order; somebody who knows kubectl
 * must be able to trust his eyes.
 */
import type { V1ContainerState, V1ContainerStatus, V1Pod } from '../pod/pod-status.ts';

export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  /** The STATUS column: a phase, or the reason that says more. */
  readonly status: string;
  readonly restarts: number;
  /** When a container that counts was last seen to end before its restart. */
  readonly lastRestartAt?: string;
}

/** The columns of a pod. */
export function summarize(pod: V1Pod): PodSummary {
  const sidecars = new Set(
    (pod.spec.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === 'Always')
      .map(({ name }) => name),
  );
  const init = pod.status.initContainerStatuses ?? [];
  const main = pod.status.containerStatuses ?? [];
  const sidecarStatuses = init.filter(({ name }) => sidecars.has(name));
  const initializing = initReason(pod, init, sidecars);
  const initialized = hasTrueCondition(pod, 'Initialized');
  const showsMain = initializing === undefined || initialized;
  const phaseReason = pod.status.reason ?? pod.status.phase;

  const counted = showsMain ? [...sidecarStatuses, ...main] : init;
  const lastRestartAt = lastOf(counted.map(({ lastState }) => lastState.terminated?.finishedAt));
  return {
    ready:
      startedBeforeFailure(init, sidecars) +
      (showsMain ? main.filter(({ ready, state }) => ready && state.running).length : 0),
    total: pod.spec.containers.length + sidecars.size,
    status: isTerminating(pod)
      ? 'Terminating'
      : showsMain
        ? mainReason(pod, main, initializing ?? phaseReason)
        : initializing,
    restarts: counted.reduce((sum, { restartCount }) => sum + restartCount, 0),
    ...(lastRestartAt !== undefined && { lastRestartAt }),
  };
}

/** `Init:...` for the first init container that is not done yet; undefined if all are. */
function initReason(
  pod: V1Pod,
  statuses: readonly V1ContainerStatus[],
  sidecars: ReadonlySet<string>,
): string | undefined {
  const index = statuses.findIndex((status) => !isInitDone(status, sidecars));
  const state = statuses[index]?.state;
  if (state === undefined) return undefined;
  if (state.terminated) return `Init:${terminatedReason(state)}`;
  const waiting = state.waiting?.reason ?? '';
  if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
  return `Init:${index}/${pod.spec.initContainers?.length ?? 0}`;
}

function isInitDone(status: V1ContainerStatus, sidecars: ReadonlySet<string>): boolean {
  return (
    status.state.terminated?.exitCode === 0 ||
    (sidecars.has(status.name) && status.started === true)
  );
}

/** Ready sidecars, up to the first init container that is not done yet. */
function startedBeforeFailure(
  statuses: readonly V1ContainerStatus[],
  sidecars: ReadonlySet<string>,
): number {
  const undone = statuses.findIndex((status) => !isInitDone(status, sidecars));
  const done = undone < 0 ? statuses : statuses.slice(0, undone);
  return done.filter(
    ({ name, ready, state }) => sidecars.has(name) && ready && state.terminated?.exitCode !== 0,
  ).length;
}

/** The reason of the first app container that has one; a phase otherwise. */
function mainReason(pod: V1Pod, statuses: readonly V1ContainerStatus[], otherwise: string): string {
  const reason = statuses.map(stateReason).find((reason) => reason !== undefined) ?? otherwise;
  const isRunning = statuses.some(({ ready, state }) => ready && state.running !== undefined);
  if (reason !== 'Completed' || !isRunning) return reason;
  return hasTrueCondition(pod, 'Ready') ? 'Running' : 'NotReady';
}

function stateReason({ state }: V1ContainerStatus): string | undefined {
  if (state.waiting?.reason) return state.waiting.reason;
  return state.terminated ? terminatedReason(state) : undefined;
}

function terminatedReason({ terminated }: V1ContainerState): string {
  if (terminated?.reason) return terminated.reason;
  if (terminated?.signal) return `Signal:${terminated.signal}`;
  return `ExitCode:${terminated?.exitCode ?? 0}`;
}

function isTerminating(pod: V1Pod): boolean {
  const isOver = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
  return pod.metadata.deletionTimestamp !== undefined && !isOver;
}

function hasTrueCondition(pod: V1Pod, type: string): boolean {
  return pod.status.conditions.some((one) => one.type === type && one.status === 'True');
}

function lastOf(times: readonly (string | null | undefined)[]): string | undefined {
  return times
    .filter((time) => typeof time === 'string')
    .toSorted()
    .at(-1);
}
