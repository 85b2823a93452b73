/**
 * Pod + observed + memory -> the v1 PodStatus that Kubernetes users know.
 *
 * Phase and conditions are remembered (phase.ts, conditions.ts); this file tells each container's
 * part, after the kubelet's convertToAPIContainerStatuses, with the true story of every exit.
 */
import { isReady } from './conditions.ts';
import { restartVerdict } from './backoff.ts';
import { podInWords } from './bring-up.ts';
import { seconds, startFailure, terminated, waiting, waitingReason } from './container-state.ts';
import type { Scene } from './container-state.ts';
import { formatDuration } from './duration.ts';
import { ephemeralStatuses } from './ephemeral-status.ts';
import { awaitsPostStart } from './hooks.ts';
import { currentInstance, inThisRun } from './instances.ts';
import { madeWith } from './made-with.ts';
import type { ContainerMemory, Memory, Termination } from './memory.ts';
import type { NodeFacts } from './node-facts.ts';
import type { Observed } from './observed.ts';
import { own } from './own.ts';
import { isTerminal } from './phase.ts';
import type { Container, ContainerKind, Pod } from './pod.ts';
import { containersOf, specGenerationOf } from './pod.ts';
import type {
  V1ContainerState,
  V1ContainerStatus,
  V1ContainerWaiting,
  V1PodCondition,
  V1PodStatus,
  V1ResourceStatus,
} from './pod-status.ts';
import { qosClassOf } from './pod-resources.ts';
import { isStarted } from './probes.ts';
import { isClearing } from './restart-all.ts';
import { ENDED_UNSEEN, START_ERROR, afterExit, hasStartFailed } from './restart-rules.ts';
import type { Settings } from './settings.ts';

export function podStatus(
  pod: Pod,
  observed: Observed,
  memory: Memory,
  settings: Settings,
  node: Pick<NodeFacts, 'hostIPs' | 'handlers'>,
): V1PodStatus {
  const scene: Scene = { pod, observed, memory, settings };
  const [hostIP] = node.hostIPs;
  const podIPs = pod.spec.hostNetwork ? node.hostIPs : memory.podIPs;
  return {
    ...memory.phase,
    observedGeneration: specGenerationOf(pod),
    conditions: Object.entries({ ...memory.gates, ...memory.conditions }).map(
      ([type, { since, ...condition }]): V1PodCondition => ({
        type,
        ...condition,
        observedGeneration: specGenerationOf(pod),
        lastProbeTime: null,
        lastTransitionTime: seconds(since),
      }),
    ),
    hostIP,
    hostIPs: node.hostIPs.map((ip) => ({ ip })),
    podIP: podIPs[0],
    podIPs: podIPs.map((ip) => ({ ip })),
    startTime: memory.startTime === undefined ? undefined : seconds(memory.startTime),
    qosClass: qosClassOf(pod),
    // A pod that was rejected has no containers, and never had any.
    ...(memory.ending?.cause !== 'rejected' && statusesOf(scene, node)),
  };
}

function statusesOf(
  scene: Scene,
  node: Pick<NodeFacts, 'handlers'>,
): Pick<V1PodStatus, 'initContainerStatuses' | 'containerStatuses' | 'ephemeralContainerStatuses'> {
  const statuses = containersOf(scene.pod).map(({ container, kind }) => ({
    kind,
    status: {
      ...containerStatus(scene, container, kind),
      ...madeWith(scene.pod, container, own(scene.memory.containers, container.name), node),
    },
  }));
  const isInit = (kind: ContainerKind): boolean => kind !== 'app';
  return {
    initContainerStatuses:
      scene.pod.spec.initContainers.length > 0
        ? statuses.filter(({ kind }) => isInit(kind)).map(({ status }) => status)
        : undefined,
    containerStatuses: statuses
      .filter(({ kind }) => !isInit(kind))
      .map(({ status }) => status)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    ephemeralContainerStatuses: ephemeralStatuses(scene, node),
  };
}

function containerStatus(
  scene: Scene,
  container: Container,
  kind: ContainerKind,
): V1ContainerStatus {
  const { memory, observed } = scene;
  const known = own(memory.containers, container.name);
  const state = stateOf(scene, container, kind, known);
  const isRunning = state.running !== undefined;
  const showsExit = state.terminated !== undefined && known?.exit !== undefined;
  const last = showsExit ? known.lastExit : (known?.exit ?? known?.lastExit);
  return {
    name: container.name,
    image: known?.image ?? container.image,
    imageID: known?.imageRef ?? '',
    containerID: known?.containerId === undefined ? undefined : `containerd://${known.containerId}`,
    restartCount: known?.restartCount ?? 0,
    ready:
      kind === 'init'
        ? inThisRun(memory, container.name)?.exit?.exitCode === 0
        : isReady({ observed }, memory, container),
    started: isRunning && (kind === 'init' || isStarted(container, known)),
    state,
    lastState: last === undefined ? {} : { terminated: terminated(last) },
    ...devicesOf(scene, container),
  };
}

function devicesOf(
  { observed }: Scene,
  { name }: Container,
): Pick<V1ContainerStatus, 'allocatedResourcesStatus'> {
  const own = (observed.devices?.given ?? []).filter(({ container }) => container === name);
  if (own.length === 0) return {};
  const statuses = [...Map.groupBy(own, ({ resource }) => resource)].map(
    ([resource, devices]): V1ResourceStatus => ({
      name: resource,
      resources: devices.map(({ id, fault }) => ({
        resourceID: id,
        health: fault === undefined ? 'Healthy' : 'Unhealthy',
        ...(fault !== undefined && { message: fault }),
      })),
    }),
  );
  return { allocatedResourcesStatus: statuses };
}

function stateOf(
  scene: Scene,
  container: Container,
  kind: ContainerKind,
  known: ContainerMemory | undefined,
): V1ContainerState {
  const { memory, observed } = scene;
  if (known?.exit !== undefined) return afterExitState(scene, container, kind, known, known.exit);
  if (known?.startedAt !== undefined) {
    const waits = waitsForPostStart(scene, container, known);
    if (waits !== undefined) return { waiting: waits };
    return { running: { startedAt: seconds(known.startedAt) } };
  }
  if (isTerminal(memory.phase.phase) && wasReached(scene, container, kind)) {
    return {
      terminated: {
        exitCode: 137,
        reason: ENDED_UNSEEN,
        message: 'The container could not be located when the pod was terminated',
      },
    };
  }
  return {
    waiting: waiting(
      scene,
      container,
      // One of an earlier run stays until the next one is there; it says nothing of that one.
      inThisRun(memory, container.name) !== undefined &&
        currentInstance(observed, memory, container.name) !== undefined,
    ),
  };
}

/** Until its postStart hook is done a container is not shown as running, as under the kubelet. */
function waitsForPostStart(
  scene: Scene,
  container: Container,
  known: ContainerMemory,
): V1ContainerWaiting | undefined {
  const { pod, memory } = scene;
  if (inThisRun(memory, container.name) === undefined || memory.ending !== undefined) {
    return undefined;
  }
  if (awaitsPostStart(container, known)) return { reason: waitingReason(pod) };
  return known.postStart === 'failed' ? postStartError(scene, container.name) : undefined;
}

function postStartError({ memory, observed }: Scene, name: string): V1ContainerWaiting {
  const { message } = currentInstance(observed, memory, name)?.hooks?.postStart ?? {};
  return { reason: 'PostStartHookError', message };
}

/** It has ended; shown as waiting if it is on its way to the next start. */
function afterExitState(
  scene: Scene,
  container: Container,
  kind: ContainerKind,
  known: ContainerMemory,
  exit: Termination,
): V1ContainerState {
  const { pod, memory, settings } = scene;
  const isOver = memory.ending !== undefined;
  if (known.generation < memory.generation) {
    const failed = isClearing(memory) || isOver ? undefined : startFailure(scene, container);
    if (failed !== undefined) return { waiting: failed };
    return exit.reason === 'RestartingAllContainers' && !isOver
      ? { waiting: { reason: exit.reason, message: exit.message } }
      : { terminated: terminated(exit) };
  }
  const follows = afterExit(pod, container, kind, exit).kind;
  // What has ended in a sandbox that was lost is not next before the new one has got that far.
  const isNext =
    inThisRun(memory, container.name) !== undefined || (kind === 'app' && memory.initialized);
  if (isOver || follows !== 'restart' || !isNext) return { terminated: terminated(exit) };
  const failed = startFailure(scene, container);
  if (failed !== undefined) return { waiting: failed };
  if (exit.reason === ENDED_UNSEEN) return { waiting: { reason: waitingReason(pod) } };
  const { finishedAt = 0 } = exit;
  const verdict = restartVerdict(known, finishedAt, settings.containerBackoffMaxMs);
  const error = hasStartFailed(known) ? startError(scene, container.name, exit) : undefined;
  if (error !== undefined && (verdict.kind === 'go' || known.backoffReported !== true)) {
    return { waiting: error };
  }
  if (verdict.kind === 'go') return { terminated: terminated(exit) };
  const message = `back-off ${formatDuration(verdict.delayMs)} restarting failed container=${container.name} pod=${podInWords(pod)}`;
  return { waiting: { reason: 'CrashLoopBackOff', message } };
}

/** The kubelet keeps what it heard of a failed start, and tells it instead of the end that this was. */
function startError(scene: Scene, name: string, exit: Termination): V1ContainerWaiting {
  return exit.reason === START_ERROR
    ? { reason: 'RunContainerError', message: exit.message }
    : postStartError(scene, name);
}

/** Whether the pod got as far as this container (the kubelet's rule for states it cannot find). */
function wasReached({ pod, memory }: Scene, { name }: Container, kind: ContainerKind): boolean {
  if (memory.conditions.Initialized?.status === 'True') return true;
  if (kind === 'app') return false;
  const inits = pod.spec.initContainers;
  const last = inits.findLastIndex((one) => {
    const known = own(memory.containers, one.name);
    return (known?.startedAt ?? known?.exit ?? known?.lastExit) !== undefined;
  });
  return inits.findIndex((one) => one.name === name) <= last;
}
