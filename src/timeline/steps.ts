/**
 * What an in-place restart is made of, by its record: each step with the times of its beginning and end. Pure.
 */
import type { ContainerSteps, RestartRecord } from '../pod/memory.ts';
import { beganAt } from '../pod/restart-record.ts';

/** Something that takes time: it has not begun without a beginning, and goes on without an end. */
export interface Step {
  readonly name: string;
  readonly kind:
    | 'detect'
    | 'record'
    | 'kill'
    | 'wait'
    | 'create'
    | 'start'
    | 'hook'
    | 'probe'
    | 'run'
    /** A moment. */
    | 'mark';
  readonly from?: number;
  readonly to?: number;
}

/** So long one step may take to follow from the other. */
const NO_WAIT_MS = 1;

/** All steps of a restart that ended then, or has come as far as then. */
export function stepsOf(record: RestartRecord, end: number): readonly Step[] {
  return [
    ...clearing(record, end),
    ...record.containers.flatMap((steps) => startUp(record, steps)),
    ...mark('all running', record.completedAt),
  ];
}

/** What comes before the start-up. */
function clearing(record: RestartRecord, end: number): readonly Step[] {
  const { trigger, recordedAt, killedAt, deadAt } = record;
  const began = beganAt(trigger);
  const isExit = trigger.kind === 'exit';
  const seenAt = isExit ? Math.max(began, trigger.seenAt ?? recordedAt) : began;
  return [
    { name: 'exit seen', kind: 'detect', from: isExit ? began : undefined, to: seenAt },
    { name: 'recorded', kind: 'record', from: seenAt, to: killedAt ?? recordedAt },
    // What had ended by itself needs no kill.
    killedAt === undefined
      ? { name: 'prove dead', kind: 'kill', from: recordedAt, to: deadAt }
      : { name: 'kill', kind: 'kill', from: killedAt, to: deadAt },
    ...mark('proven dead', deadAt),
    ...(deadAt === undefined ? [] : waits(record, deadAt, end)),
  ];
}

/** What kept the start-up waiting when all was dead: first the back-off, if there was one. */
function waits(record: RestartRecord, deadAt: number, end: number): readonly Step[] {
  const { startNotBefore, backoffEndedAt, heldByDevices, startingAt } = record;
  const startsAt = startingAt ?? end;
  const heldUntil = Math.max(deadAt, backoffEndedAt ?? startNotBefore ?? deadAt);
  const backoffEnd = Math.min(heldUntil, startsAt);
  const rest = heldByDevices === true ? 'held by devices' : 'wait for start';
  const all = [
    { name: 'back-off', from: deadAt, until: backoffEnd },
    { name: rest, from: backoffEnd, until: startsAt },
  ].filter(({ from, until }) => until - from > NO_WAIT_MS);
  return all.map(({ name, from, until }) => {
    const isOpen = startingAt === undefined && until === startsAt;
    return { name, kind: 'wait', from, to: isOpen ? undefined : until };
  });
}

/**
 * Whatever comes next waits for the start before it; for the end of an init container; for a postStart hook;
 * for a sidecar's startup probe.
 */
function startUp(record: RestartRecord, steps: ContainerSteps): readonly Step[] {
  const { name, kind, startAskedAt, startedAt, finishedAt } = steps;
  // That others go on running is what they are for.
  const isWork = kind === 'init' || finishedAt !== undefined;
  return [
    ...creation(record, steps),
    { name: `start ${name}`, kind: 'start', from: startAskedAt ?? startedAt, to: startedAt },
    ...checks(record, steps),
    { name: `${name} runs`, kind: 'run', from: isWork ? startedAt : undefined, to: finishedAt },
    ...readiness(steps),
  ];
}

/** A standby was there before. */
function creation({ recordedAt }: RestartRecord, steps: ContainerSteps): readonly Step[] {
  const { name, createAskedAt, createdAt } = steps;
  if (createdAt !== undefined && createdAt <= recordedAt) return [];
  return [{ name: `create ${name}`, kind: 'create', from: createAskedAt, to: createdAt }];
}

/** What others wait for at a container that runs; if all run already, nobody does. */
function checks({ completedAt }: RestartRecord, steps: ContainerSteps): readonly Step[] {
  const { name, kind, startedAt, postStart, startupProbe, finishedAt } = steps;
  const hook: Step = {
    name: `postStart of ${name}`,
    kind: 'hook',
    from: postStart?.begunAt,
    to: postStart?.endedAt ?? finishedAt,
  };
  const probedFrom = postStart === undefined ? startedAt : postStart.endedAt;
  const probe: Step = {
    name: `startup probe of ${name}`,
    kind: 'probe',
    from: startupProbe && kind === 'sidecar' ? probedFrom : undefined,
    to: startupProbe?.passedAt ?? finishedAt,
  };
  return [hook, probe].filter(
    ({ to }) => completedAt === undefined || (to !== undefined && to <= completedAt),
  );
}

/** Without hook and probes a container is ready as soon as it runs. */
function readiness({ name, startedAt = Infinity, readyAt = 0 }: ContainerSteps): readonly Step[] {
  return readyAt > startedAt ? mark(`${name} ready`, readyAt) : [];
}

function mark(name: string, at: number | undefined): readonly Step[] {
  return at === undefined ? [] : [{ name, kind: 'mark', from: at, to: at }];
}
