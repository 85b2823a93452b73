/**
 * An in-place restart as a list of spans, the base of every picture of it. Pure.
 *
 * All times are milliseconds after the cause of the restart: the trigger's exit, or the request.
 *
 * Read next: text.ts, svg.ts, html.ts and otlp.ts, one for each way to show it.
 */
import type { ContainerSteps, RestartRecord, Trigger } from '../pod/memory.ts';
import { beganAt } from '../pod/restart-record.ts';

/** So long one step may take to follow from the other. */
const NO_WAIT_MS = 1;

export interface Timeline {
  readonly pod: string;
  readonly generation: number;
  /** When its cause arose, in milliseconds since 1970. */
  readonly beganAt: number;
  readonly cause: string;
  readonly outcome: 'complete' | 'cut short' | 'under way';
  /** Until all were running, until it was cut short, or until now. */
  readonly totalMs: number;
  readonly spans: readonly Span[];
}

export interface Span {
  readonly name: string;
  readonly kind: 'detect' | 'record' | 'kill' | 'wait' | 'create' | 'start' | 'run' | 'mark';
  readonly startMs: number;
  /** A mark is a moment: it ends when it begins. */
  readonly endMs: number;
  /** It had not ended when the restart was cut short, or has not ended yet. */
  readonly isOpen?: true;
}

/** The spans and marks of one restart, in the order of their beginning; one under way goes on until now. */
export function timelineOf(pod: string, record: RestartRecord, now: number): Timeline {
  const began = beganAt(record.trigger);
  const end = endOf(record, now);
  const spans = [
    ...clearing(record, end),
    ...record.containers.flatMap((steps) => startUp(record, steps)),
    ...mark('all running', record.completedAt),
  ];
  return {
    pod,
    generation: record.generation,
    beganAt: began,
    cause: describeCause(record.trigger),
    outcome: outcomeOf(record),
    totalMs: end - began,
    spans: spans
      .flatMap((step) => spanOf(step, began, end))
      .toSorted((a, b) => a.startMs - b.startMs),
  };
}

/** Something that takes time: it has not begun without a beginning, and goes on without an end. */
interface Step {
  readonly name: string;
  readonly kind: Span['kind'];
  readonly from?: number;
  readonly to?: number;
}

function mark(name: string, at: number | undefined): readonly Step[] {
  return at === undefined ? [] : [{ name, kind: 'mark', from: at, to: at }];
}

function spanOf({ name, kind, from, to }: Step, began: number, end: number): readonly Span[] {
  const until = Math.min(to ?? end, end);
  if (from === undefined || until < from) return [];
  // A standby may have been in the making when it was needed.
  const span = { name, kind, startMs: Math.max(0, from - began), endMs: until - began };
  return [to === undefined ? { ...span, isOpen: true } : span];
}

/** What comes before the start-up. */
function clearing(record: RestartRecord, end: number): readonly Step[] {
  const { trigger, recordedAt, killedAt, deadAt, startingAt } = record;
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
    ...(deadAt === undefined ? [] : waits(record, deadAt, startingAt, end)),
  ];
}

/** What kept the start-up waiting when all was dead: first the back-off, if there was one. */
function waits(
  { startNotBefore, backoffEndedAt, heldByDevices }: RestartRecord,
  deadAt: number,
  startingAt: number | undefined,
  end: number,
): readonly Step[] {
  const startsAt = startingAt ?? end;
  const backoffEnd = Math.min(
    Math.max(backoffEndedAt ?? startNotBefore ?? deadAt, deadAt),
    startsAt,
  );
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

/** Whatever comes next waits for the start before it, or for the end of an init container. */
function startUp({ recordedAt }: RestartRecord, steps: ContainerSteps): readonly Step[] {
  const { name, kind, createAskedAt, createdAt, startAskedAt, startedAt, finishedAt } = steps;
  // A standby was there before.
  const isCreated = createdAt === undefined || createdAt > recordedAt;
  // That others go on running is what they are for.
  const isWork = kind === 'init' || finishedAt !== undefined;
  return [
    {
      name: `create ${name}`,
      kind: 'create',
      from: isCreated ? createAskedAt : undefined,
      to: createdAt,
    },
    { name: `start ${name}`, kind: 'start', from: startAskedAt ?? startedAt, to: startedAt },
    { name: `${name} runs`, kind: 'run', from: isWork ? startedAt : undefined, to: finishedAt },
  ];
}

function outcomeOf({ completedAt, cutShortAt }: RestartRecord): Timeline['outcome'] {
  if (completedAt !== undefined) return 'complete';
  return cutShortAt === undefined ? 'under way' : 'cut short';
}

function endOf({ recordedAt, completedAt, cutShortAt }: RestartRecord, now: number): number {
  return completedAt ?? cutShortAt ?? Math.max(recordedAt, now);
}

/** What it was about, in one line. */
export function titleOf(timeline: Timeline): string {
  const { pod, generation, cause, beganAt: began } = timeline;
  const time = new Date(began).toISOString();
  return `${pod}, generation ${generation}: ${cause} at ${time}, ${outcomeInWords(timeline)}`;
}

/** What became of it, and after what time. */
export function outcomeInWords({ outcome, totalMs }: Omit<Timeline, 'spans'>): string {
  switch (outcome) {
    case 'complete':
      return `all running after ${ms(totalMs)}`;
    case 'cut short':
      return `did not complete: cut short after ${ms(totalMs)}`;
    case 'under way':
      return `under way for ${ms(totalMs)}`;
    default:
      return outcome satisfies never;
  }
}

/** How long a span took; of one that has not ended, at least so long. */
export function tookInWords({ startMs, endMs, isOpen }: Span): string {
  return `${isOpen === true ? '>' : ''}${ms(endMs - startMs)}`;
}

/** `143 ms`, with a fraction where it matters; minutes are told in seconds. */
export function ms(value: number): string {
  if (value >= 100_000) return `${Math.round(value / 1000)} s`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** What asked for a restart, in words. */
export function describeCause(trigger: Trigger): string {
  return trigger.kind === 'exit'
    ? `${trigger.container} exited with code ${trigger.exitCode}`
    : `${trigger.by} asked for it`;
}
