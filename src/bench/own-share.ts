/**
 * The part of an in-place restart that is neither a call to the runtime nor an init container's work,
 * and what it is made of. Pure.
 */
import type { RestartRecord } from '../pod/memory.ts';

/** Milliseconds of a restart in which no call and no init container was under way. */
export interface OwnShare {
  readonly allMs: number;
  /** Of it: an exit was on its way through containerd, from the end of the process to the event. */
  readonly newsMs: number;
  /** Of it: the kernel ended the processes that were killed. */
  readonly dyingMs: number;
  /** What is left: the agent's own work, from a piece of news to the next call. */
  readonly agentMs: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** From the trigger's exit until the last container runs; absent without a trigger, or if that never came. */
export function ownShareOf(record: RestartRecord): OwnShare | undefined {
  const { trigger, containers, killedAt, deadAt, completedAt } = record;
  if (trigger.kind !== 'exit' || completedAt === undefined) return undefined;
  const from = trigger.exitedAt;
  const to = Math.max(from, ...containers.map(({ startedAt = 0 }) => startedAt));
  const leftOf = (...spans: readonly Span[]): number => to - from - covered(spans, { from, to });

  const created = containers.flatMap(({ createAskedAt, createdAt }): Span[] =>
    createAskedAt === undefined || createdAt === undefined
      ? []
      : [{ from: createAskedAt, to: createdAt }],
  );
  const started = containers.flatMap(({ startAskedAt, startedAt, finishedAt }): Span[] =>
    startedAt === undefined
      ? []
      : // What ends at once may do so before the runtime says that it has started.
        [{ from: startAskedAt ?? startedAt, to: Math.max(startedAt, finishedAt ?? startedAt) }],
  );
  const others = [...created, ...started];
  const news = [
    { from, to: trigger.seenAt ?? from },
    ...containers.flatMap(({ finishedAt, finishSeenAt }): Span[] =>
      finishedAt === undefined || finishSeenAt === undefined
        ? []
        : [{ from: finishedAt, to: finishSeenAt }],
    ),
  ];
  const dying = deadAt === undefined ? [] : [{ from: killedAt ?? deadAt, to: deadAt }];

  const allMs = leftOf(...others);
  const unheardOf = leftOf(...others, ...news);
  const agentMs = leftOf(...others, ...news, ...dying);
  return { allMs, newsMs: allMs - unheardOf, dyingMs: unheardOf - agentMs, agentMs };
}

/** How much of the whole these spans take together; what several share counts once. */
function covered(spans: readonly Span[], whole: Span): number {
  let reached = whole.from;
  return spans
    .toSorted((a, b) => a.from - b.from)
    .reduce((sum, { from, to }) => {
      const begin = Math.max(from, reached);
      const end = Math.min(to, whole.to);
      reached = Math.max(reached, end);
      return sum + Math.max(0, end - begin);
    }, 0);
}
