/**
 * What was seen of a pod, state by state: every run of every container and how it ended. Pure.
 *
 * A run is one container of the runtime, known by its id. Times are those of our clock when the
 * state arrived: the pod's own are in whole seconds.
 *
 * Read next: step.ts, what to make of it; reentrancy.ts, what it says of init containers.
 */
import type { ContainerKind, Pod } from '../pod/pod.ts';
import { containersOf } from '../pod/pod.ts';
import { generationAnnotation } from '../pod/pod-status.ts';
import type { V1ContainerStatus, V1ContainerTerminated, V1Pod } from '../pod/pod-status.ts';
import { afterExit, hasFailed } from '../pod/restart-rules.ts';

export interface Life {
  readonly pod: V1Pod;
  readonly generation: number;
  /** In the order in which they were first seen. */
  readonly runs: readonly Run[];
  /** Since when everything is up, without a break; absent: it is not. */
  readonly upSince?: number;
  /** Somebody has removed the pod. */
  readonly isGone: boolean;
}

export interface Run {
  /** Of the container in the runtime. */
  readonly id: string;
  readonly container: string;
  readonly kind: ContainerKind;
  readonly generation: number;
  /** When it was first seen to run; absent: it was over by then. */
  readonly startedAt?: number;
  readonly end?: RunEnd;
}

export interface RunEnd {
  /**
   * By itself with success; by an in-place restart; by itself with an error; by asking for an
   * in-place restart; or not at all, and was given up.
   */
  readonly how: 'completed' | 'killed' | 'failed' | 'asked' | 'hung';
  readonly at: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
}

/** What is known after one more state of the pod; `pod` is what its manifest says. */
export function witness(before: Life | undefined, pod: Pod, shown: V1Pod, at: number): Life {
  const generation = Number(shown.metadata.annotations?.[generationAnnotation] ?? '0');
  const statuses = statusesOf(shown);
  const runs = containersOf(pod).reduce<readonly Run[]>((sofar, { container, kind }) => {
    const status = statuses.get(container.name);
    if (status === undefined) return sofar;
    const sight = { container: container.name, kind, generation };
    return sightsIn(status).reduce((known, { id, exit }) => {
      const run = known.find((one) => one.id === id) ?? { id, ...sight };
      const started = exit === undefined ? { startedAt: run.startedAt ?? at } : {};
      const how = (): RunEnd['how'] =>
        howItEnded({ pod, container, kind, exit, isOvertaken: run.generation < generation });
      const end = exit === undefined ? {} : { end: endOf(run, exit, how, at) };
      const now = { ...run, ...started, ...end };
      return known.includes(run) ? known.map((one) => (one === run ? now : one)) : [...known, now];
    }, sofar);
  }, before?.runs ?? []);
  const isUnbroken =
    before?.upSince !== undefined &&
    before.generation === generation &&
    before.runs.length === runs.length;
  const isUp = isAllUp(pod, statuses, runs, generation);
  return {
    pod: shown,
    generation,
    runs,
    isGone: before?.isGone ?? false,
    ...(isUp && { upSince: isUnbroken ? before.upSince : at }),
  };
}

/** The latest run of a container in the generation of now. */
export function currentRun({ runs, generation }: Life, container: string): Run | undefined {
  return runs.findLast((one) => one.container === container && one.generation === generation);
}

/** The life of a pod in which one run was waited for in vain. */
export function givenUp(life: Life, runId: string, at: number): Life {
  const end: RunEnd = { how: 'hung', at, exitCode: 0, reason: 'Hung' };
  const runs = life.runs.map((run) => (run.id === runId ? { ...run, end } : run));
  return { ...life, runs };
}

/** By container name. */
export function statusesOf({ status }: V1Pod): ReadonlyMap<string, V1ContainerStatus> {
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return new Map(all.map((one) => [one.name, one]));
}

interface Sight {
  readonly id: string;
  readonly exit?: V1ContainerTerminated;
}

/** The runs that a status tells of, older ones first. */
function sightsIn({ containerID, state, lastState }: V1ContainerStatus): readonly Sight[] {
  const exits = [lastState.terminated, state.terminated].flatMap((exit) =>
    exit?.containerID === undefined ? [] : [{ id: exit.containerID, exit }],
  );
  const runs = state.running !== undefined && containerID !== undefined;
  return runs ? [...exits, { id: containerID }] : exits;
}

function endOf(
  { end }: Run,
  { exitCode, reason = 'Error', message }: V1ContainerTerminated,
  how: () => RunEnd['how'],
  at: number,
): RunEnd {
  // Its last words come later than its end.
  if (end !== undefined) return end.message === undefined ? { ...end, message } : end;
  return { how: how(), at, exitCode, reason, message };
}

function howItEnded({
  pod,
  container,
  kind,
  exit,
  isOvertaken,
}: {
  pod: Pod;
  container: Pod['spec']['containers'][number];
  kind: ContainerKind;
  exit: V1ContainerTerminated | undefined;
  /** The restart was recorded before the end was. */
  isOvertaken: boolean;
}): RunEnd['how'] {
  const known = { exitCode: exit?.exitCode ?? 0, reason: exit?.reason ?? 'Error' };
  if (known.reason === 'RestartingAllContainers') return 'killed';
  if (afterExit(pod, container, kind, known).kind === 'restart-all') return 'asked';
  if (!hasFailed(kind, known)) return 'completed';
  return isOvertaken ? 'killed' : 'failed';
}

/** Init containers are done, and everything else runs, or is done and stays so. */
function isAllUp(
  pod: Pod,
  statuses: ReadonlyMap<string, V1ContainerStatus>,
  runs: readonly Run[],
  generation: number,
): boolean {
  const all = containersOf(pod).map(({ container, kind }) => {
    const { name } = container;
    if (statuses.get(name)?.ready === true) return kind === 'app' ? 'runs' : 'fine';
    const end = runs.findLast(
      (one) => one.container === name && one.generation === generation,
    )?.end;
    const isDone =
      end?.how === 'completed' && afterExit(pod, container, kind, end).kind === 'leave';
    return isDone ? 'fine' : 'missing';
  });
  return !all.includes('missing') && all.includes('runs');
}
