/**
 * What stays of an in-place restart: a record of its steps, whether it came to its end or was overtaken.
 * Pure.
 *
 * Read next: ../timeline/timeline.ts, which makes a picture of a record.
 */
import type { Decision, Look } from './decision.ts';
import { only } from './decision.ts';
import { currentInstance, instancesOf } from './instances.ts';
import type {
  ContainerMemory,
  ContainerSteps,
  Memory,
  RestartRecord,
  RestartUnderWay,
  Trigger,
} from './memory.ts';
import type { Instance } from './observed.ts';
import { own } from './own.ts';
import type { Container } from './pod.ts';
import { containersOf } from './pod.ts';

/** How many restarts that are over are remembered. */
const RECORDS_KEPT = 20;

/** What a record is made from. */
type Scene = Pick<Look, 'pod' | 'observed'>;

/** Closes the record of a restart whose containers have all started; adds later when they are ready. */
export function finishRestart(look: Look, memory: Memory): Decision {
  const { restart } = memory;
  if (restart === undefined) return only(noteReadiness(look, memory));
  if (restart.deadAt === undefined || restart.startingAt === undefined) return only(memory);
  const all = containersOf(look.pod).map(({ container }) => own(memory.containers, container.name));
  const started = all.every(
    (known) =>
      known?.generation === memory.generation &&
      (known.startedAt !== undefined || known.exit !== undefined),
  );
  if (!memory.initialized || !started) return only(memory);

  const completedAt = Math.max(
    ...all.map((known) => known?.startedAt ?? known?.exit?.finishedAt ?? look.now),
  );
  const tookMs = Math.round(completedAt - beganAt(restart.trigger));
  return {
    memory: recorded(memory, { ...recordOf(look, memory, restart), completedAt }),
    actions: [],
    events: [
      {
        type: 'Normal',
        reason: 'RestartedAllContainers',
        message: `All containers were restarted in place in ${tookMs} ms (generation ${memory.generation})`,
      },
    ],
  };
}

/**
 * What is overtaken, by the next restart or by the end of the pod, leaves a record all the same. It is not
 * told as an event: whoever has asked for the next one waits for the news of that.
 */
export function leaveRestart(look: Look, before: Memory): Memory {
  const { memory } = finishRestart(look, before);
  if (memory.restart === undefined) return memory;
  return recorded(memory, { ...recordOf(look, memory, memory.restart), cutShortAt: look.now });
}

/** The in-place restarts of a pod, oldest first; the last one may be under way. */
export function restartsOf(scene: Scene, memory: Memory): readonly RestartRecord[] {
  const { restart, restarts } = memory;
  return restart === undefined ? restarts : [...restarts, recordOf(scene, memory, restart)];
}

/** When the cause of a restart arose: the trigger's exit, or the request. */
export function beganAt(trigger: Trigger): number {
  return trigger.kind === 'exit' ? trigger.exitedAt : trigger.at;
}

/** What the last restart has started may be ready long after that restart was over. */
function noteReadiness(scene: Scene, memory: Memory): Memory {
  const last = memory.restarts.at(-1);
  if (last?.completedAt === undefined || last.generation !== memory.generation) return memory;
  const isOpen = ({ kind, readyAt }: ContainerSteps) => kind !== 'init' && readyAt === undefined;
  if (!last.containers.some(isOpen)) return memory;
  const latest = new Map(stepsOf(scene, memory).map((steps) => [steps.name, steps]));
  const containers = last.containers.map((steps) => {
    const { startedAt, readyAt } = latest.get(steps.name) ?? {};
    // One that was started again since is not the one that this restart has started.
    const isIt = isOpen(steps) && startedAt === steps.startedAt && readyAt !== undefined;
    return isIt ? { ...steps, readyAt } : steps;
  });
  const isNews = containers.some((steps, index) => steps !== last.containers[index]);
  if (!isNews) return memory;
  return { ...memory, restarts: [...memory.restarts.slice(0, -1), { ...last, containers }] };
}

function recorded(memory: Memory, record: RestartRecord): Memory {
  const restarts = [...memory.restarts, record].slice(-RECORDS_KEPT);
  return { ...memory, restart: undefined, restarts };
}

function recordOf(scene: Scene, memory: Memory, restart: RestartUnderWay): RestartRecord {
  const { generation } = memory;
  return { generation, ...restart, containers: stepsOf(scene, memory) };
}

function stepsOf({ pod, observed }: Scene, memory: Memory): readonly ContainerSteps[] {
  const { generation } = memory;
  return containersOf(pod).map(({ container, kind }) => {
    const { name } = container;
    const latest = own(memory.containers, name);
    // Until its turn comes, what is remembered of it is how it was before the restart.
    const known = latest?.generation === generation ? latest : undefined;
    const instance =
      known === undefined
        ? instancesOf(observed, name).findLast((one) => one.generation === generation)
        : currentInstance(observed, memory, name);
    const { begunAt, endedAt } = instance?.hooks?.postStart ?? {};
    return {
      name,
      kind,
      createAskedAt: instance?.createAskedAt,
      createdAt: instance?.createdAt,
      startAskedAt: instance?.startAskedAt,
      startedAt: known?.startedAt,
      ...(begunAt !== undefined && { postStart: { begunAt, endedAt } }),
      ...(container.startupProbe && {
        startupProbe: { passedAt: known?.probes?.startup?.passedAt },
      }),
      readyAt: kind === 'init' ? undefined : readyAt(container, known, instance),
      finishedAt: known?.exit?.finishedAt,
      finishSeenAt: instance?.exit?.seenAt,
    };
  });
}

/** Ready is what runs, whose hook is done and whose probes have succeeded; absent: not yet, or not known. */
function readyAt(
  { lifecycle, startupProbe, readinessProbe }: Container,
  known: ContainerMemory | undefined,
  instance: Instance | undefined,
): number | undefined {
  const hook = instance?.hooks?.postStart;
  const times = [
    known?.startedAt,
    ...(lifecycle?.postStart ? [hook?.outcome === 'done' ? hook.endedAt : undefined] : []),
    ...(startupProbe ? [known?.probes?.startup?.passedAt] : []),
    ...(readinessProbe ? [known?.probes?.readiness?.passedAt] : []),
  ];
  return times.reduce((latest, at) =>
    latest === undefined || at === undefined ? undefined : Math.max(latest, at),
  );
}
