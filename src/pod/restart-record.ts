/**
 * What stays of an in-place restart: a record of its steps, whether it came to its end or was overtaken.
 * Pure.
 *
 * Read next: ../timeline/timeline.ts, which makes a picture of a record.
 */
import type { Decision, Look } from './decision.ts';
import { only } from './decision.ts';
import { currentInstance, instancesOf } from './instances.ts';
import type { ContainerSteps, Memory, RestartRecord, RestartUnderWay, Trigger } from './memory.ts';
import type { Instance } from './observed.ts';
import { own } from './own.ts';
import { containersOf } from './pod.ts';

/** How many restarts that are over are remembered. */
const RECORDS_KEPT = 20;

/** What a record is made from. */
type Scene = Pick<Look, 'pod' | 'observed'>;

/** Closes the record of a restart whose containers have all started. */
export function finishRestart(look: Look, memory: Memory): Decision {
  const { restart } = memory;
  if (restart?.deadAt === undefined || restart.startingAt === undefined) return only(memory);
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

function recorded(memory: Memory, record: RestartRecord): Memory {
  const restarts = [...memory.restarts, record].slice(-RECORDS_KEPT);
  return { ...memory, restart: undefined, restarts };
}

function recordOf(scene: Scene, memory: Memory, restart: RestartUnderWay): RestartRecord {
  const { generation } = memory;
  return {
    generation,
    ...restart,
    containers: containersOf(scene.pod).map(({ container: { name }, kind }) => ({
      name,
      kind,
      ...timesOf(scene, memory, name),
    })),
  };
}

function timesOf(
  { observed }: Scene,
  memory: Memory,
  name: string,
): Omit<ContainerSteps, 'name' | 'kind'> {
  const { generation } = memory;
  const latest = own(memory.containers, name);
  // Until its turn comes, what is remembered of it is how it was before the restart.
  const known = latest?.generation === generation ? latest : undefined;
  const instance: Instance | undefined =
    known === undefined
      ? instancesOf(observed, name).findLast((one) => one.generation === generation)
      : currentInstance(observed, memory, name);
  return {
    createAskedAt: instance?.createAskedAt,
    createdAt: instance?.createdAt,
    startAskedAt: instance?.startAskedAt,
    startedAt: known?.startedAt,
    finishedAt: known?.exit?.finishedAt,
    finishSeenAt: instance?.exit?.seenAt,
  };
}
