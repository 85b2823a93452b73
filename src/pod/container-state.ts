/**
 * What the states of containers have in common: why one waits, how one has ended, and since when.
 *
 * Read next: status.ts and ephemeral-status.ts, which choose among them.
 */
import { subjectOf } from './action.ts';
import { instancesOf, isEphemeral } from './instances.ts';
import { isPullBackoff } from './pull-backoff.ts';
import type { Memory, Termination } from './memory.ts';
import type { Observed } from './observed.ts';
import { own } from './own.ts';
import type { Container, Pod } from './pod.ts';
import type { V1ContainerTerminated, V1ContainerWaiting } from './pod-status.ts';
import { isClearing } from './restart-all.ts';
import type { Settings } from './settings.ts';

/** Everything that a state is read from. */
export interface Scene {
  readonly pod: Pod;
  readonly observed: Observed;
  readonly memory: Memory;
  readonly settings: Settings;
}

/** Why a container waits that has not started yet; `isCreated`: it waits for its start alone. */
export function waiting(
  scene: Scene,
  container: Container,
  isCreated: boolean,
): V1ContainerWaiting {
  const { pod, memory, observed } = scene;
  const progress = instancesOf(observed, container.name).find(
    (one) => (one.generation === memory.generation || isEphemeral(one)) && one.progress,
  )?.progress;
  // A pull that goes on is news, even if the one before it failed.
  if (progress !== undefined) return { reason: waitingReason(pod), message: progress };
  const failed = isCreated ? startRefusal(scene, container.name) : startFailure(scene, container);
  if (failed !== undefined) return failed;
  const hasRun = own(memory.containers, container.name)?.lastExit !== undefined;
  const isHeldBack = isClearing(memory) && memory.restart?.startNotBefore !== undefined;
  return hasRun && isHeldBack
    ? { reason: 'CrashLoopBackOff', message: memory.conditions.AllContainersRestarting?.message }
    : { reason: waitingReason(pod) };
}

/** Why a container waits of which nothing else is known. */
export function waitingReason({ spec }: Pod): string {
  return spec.initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating';
}

/** Why a container could not be created, as long as that is the last that is known of it. */
export function startFailure(scene: Scene, container: Container): V1ContainerWaiting | undefined {
  const failure = scene.observed.failures[`create ${container.name}`];
  if (failure === undefined) return undefined;
  const { reason, message, image = container.image } = failure;
  return isPullBackoff(scene.memory, container.name, failure)
    ? {
        reason: 'ImagePullBackOff',
        message: `Back-off pulling image "${image}": ${reason}: ${message}`,
      }
    : { reason, message };
}

/** Why a container that is there has not been started: the runtime was not even asked, or is away. */
function startRefusal({ observed, memory }: Scene, name: string): V1ContainerWaiting | undefined {
  const id = own(memory.containers, name)?.containerId;
  if (id === undefined) return undefined;
  const failure = observed.failures[subjectOf({ kind: 'start-container', id, name })];
  return failure && { reason: failure.reason, message: failure.message };
}

/** How a container has ended. */
export function terminated(exit: Termination): V1ContainerTerminated {
  return {
    exitCode: exit.exitCode,
    reason: exit.reason,
    message: exit.message,
    startedAt: exit.startedAt === undefined ? undefined : seconds(exit.startedAt),
    finishedAt: exit.finishedAt === undefined ? undefined : seconds(exit.finishedAt),
    containerID: exit.containerId === undefined ? undefined : `containerd://${exit.containerId}`,
  };
}

/**
 * RFC 3339 in whole seconds, as Kubernetes writes its times. It has four digits for the year: what is
 * beyond is shown as the end of that, and what is no time at all as the beginning, which is Go's zero time.
 */
export function seconds(ms: number): string {
  const time = Number.isNaN(ms) ? firstMs : Math.min(Math.max(ms, firstMs), lastMs);
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

const firstMs = Date.parse('0001-01-01T00:00:00Z');
const lastMs = Date.parse('9999-12-31T23:59:59Z');
