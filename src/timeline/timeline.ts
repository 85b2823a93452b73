/**
 * A finished in-place restart as a list of spans, the base of every picture of it. Pure.
 *
 * All times are milliseconds after the cause of the restart: the trigger's exit, or the request.
 *
 * Read next: text.ts, svg.ts, html.ts and otlp.ts, one for each way to show it.
 */
import type { RestartRecord, Trigger } from '../pod/memory.ts';

export interface Timeline {
  readonly pod: string;
  readonly generation: number;
  /** When its cause arose, in milliseconds since 1970. */
  readonly beganAt: number;
  readonly cause: string;
  readonly totalMs: number;
  readonly spans: readonly Span[];
}

export interface Span {
  readonly name: string;
  readonly kind: 'detect' | 'record' | 'kill' | 'back-off' | 'start' | 'run';
  readonly startMs: number;
  readonly endMs: number;
}

/** The spans of one restart, in the order of their beginning. */
export function timelineOf(pod: string, record: RestartRecord): Timeline {
  const began = causeAt(record.trigger);
  const span = (name: string, kind: Span['kind'], from: number, to: number): Span[] =>
    to < from ? [] : [{ name, kind, startMs: from - began, endMs: to - began }];
  const { recordedAt, killedAt = recordedAt, deadAt, startingAt, completedAt } = record;
  const seenAt = record.trigger.kind === 'exit' ? (record.trigger.seenAt ?? recordedAt) : began;
  // Whatever comes next waits for the start before it, or for the end of an init container.
  const starts = record.containers.flatMap(({ name, startAskedAt, startedAt, finishedAt }) => [
    ...(startedAt === undefined
      ? []
      : span(`start ${name}`, 'start', startAskedAt ?? startedAt, startedAt)),
    ...(startedAt === undefined || finishedAt === undefined
      ? []
      : span(`${name} runs`, 'run', startedAt, Math.min(finishedAt, completedAt))),
  ]);
  return {
    pod,
    generation: record.generation,
    beganAt: began,
    cause: describeCause(record.trigger),
    totalMs: completedAt - began,
    spans: [
      ...span('exit seen', 'detect', began, Math.max(began, seenAt)),
      ...span('recorded', 'record', Math.max(began, seenAt), killedAt),
      ...span('killed and proven dead', 'kill', killedAt, deadAt),
      ...(startingAt - deadAt > 1 ? span('back-off', 'back-off', deadAt, startingAt) : []),
      ...starts,
    ].toSorted((a, b) => a.startMs - b.startMs),
  };
}

/** What it was about, in one line. */
export function titleOf({ pod, generation, cause, totalMs, beganAt }: Timeline): string {
  const time = new Date(beganAt).toISOString();
  return `${pod}, generation ${generation}: ${cause} at ${time}, all running after ${ms(totalMs)}`;
}

/** `143 ms`, with a fraction where it matters. */
export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

function causeAt(trigger: Trigger): number {
  return trigger.kind === 'exit' ? trigger.exitedAt : trigger.at;
}

function describeCause(trigger: Trigger): string {
  return trigger.kind === 'exit'
    ? `${trigger.container} exited with code ${trigger.exitCode}`
    : `${trigger.by} asked for it`;
}
