/**
 * An in-place restart as a list of spans, the base of every picture of it. Pure.
 *
 * All times are milliseconds after the cause of the restart: the trigger's exit, or the request.
 *
 * Read next: steps.ts, what a restart is made of; text.ts, svg.ts, html.ts and otlp.ts, one for each way to show it.
 */
import type { RestartRecord, Trigger } from '../pod/memory.ts';
import { beganAt } from '../pod/restart-record.ts';
import { stepsOf } from './steps.ts';
import type { Step } from './steps.ts';

export interface Timeline {
  /** `namespace/name` */
  readonly pod: string;
  readonly generation: number;
  /** When its cause arose, in milliseconds since 1970. */
  readonly beganAt: number;
  readonly cause: string;
  readonly outcome: 'complete' | 'cut short' | 'under way';
  /** Until all were running, until it was cut short, or until now. */
  readonly totalMs: number;
  /** Until all were ready, if that took longer than until all were running, and is known. */
  readonly readyMs?: number;
  readonly spans: readonly Span[];
}

export interface Span {
  readonly name: string;
  readonly kind: Step['kind'];
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
  return {
    pod,
    generation: record.generation,
    beganAt: began,
    cause: describeCause(record.trigger),
    outcome: outcomeOf(record),
    totalMs: end - began,
    readyMs: readyAfter(record),
    spans: stepsOf(record, end)
      .flatMap((step) => spanOf(step, began, end))
      .toSorted((a, b) => a.startMs - b.startMs),
  };
}

/** A step on the scale of its restart: nothing but a mark lies beyond the end of that. */
function spanOf({ name, kind, from, to }: Step, began: number, end: number): readonly Span[] {
  if (from === undefined) return [];
  const until = kind === 'mark' ? from : Math.min(to ?? end, end);
  if (until < from) return [];
  // A standby may have been in the making when it was needed.
  const span = { name, kind, startMs: Math.max(0, from - began), endMs: until - began };
  return [to === undefined ? { ...span, isOpen: true } : span];
}

function outcomeOf({ completedAt, cutShortAt }: RestartRecord): Timeline['outcome'] {
  if (completedAt !== undefined) return 'complete';
  return cutShortAt === undefined ? 'under way' : 'cut short';
}

function endOf({ recordedAt, completedAt, cutShortAt }: RestartRecord, now: number): number {
  return completedAt ?? cutShortAt ?? Math.max(recordedAt, now);
}

function readyAfter({ trigger, completedAt, containers }: RestartRecord): number | undefined {
  const times = containers
    .filter(({ kind }) => kind !== 'init')
    .map(({ readyAt = NaN }) => readyAt);
  const at = Math.max(...times);
  return completedAt !== undefined && at > completedAt ? at - beganAt(trigger) : undefined;
}

/** What it was about, in one line. */
export function titleOf(timeline: Timeline): string {
  const { pod, generation } = timeline;
  return `${pod}, generation ${generation}: ${causeInWords(timeline)}, ${outcomeInWords(timeline)}`;
}

/** What asked for it, and when. */
export function causeInWords({ cause, beganAt: began }: Timeline): string {
  return `${cause} at ${new Date(began).toISOString()}`;
}

/** What became of it, and after what time. */
export function outcomeInWords({ outcome, totalMs, readyMs }: Timeline): string {
  switch (outcome) {
    case 'complete':
      return readyMs === undefined
        ? `all running after ${ms(totalMs)}`
        : `all running after ${ms(totalMs)}, ready after ${ms(readyMs)}`;
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
