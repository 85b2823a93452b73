/**
 * The part of an in-place restart that is reprise's own: the time in which neither a call to the
 * runtime nor an init container was under way. Pure.
 *
 * The kernel's part in the death of the old processes, and the way of the news about it through
 * containerd, are not calls: they count as ours.
 */
import type { RestartRecord } from '../pod/memory.ts';

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds from the trigger's exit until its last container runs, less what others took. */
export function ownShareOf({ trigger, containers }: RestartRecord): number | undefined {
  if (trigger.kind !== 'exit') return undefined;
  const from = trigger.exitedAt;
  const to = Math.max(from, ...containers.map(({ startedAt = 0 }) => startedAt));
  const spans = containers.flatMap(({ startAskedAt, startedAt, finishedAt }): Span[] =>
    startedAt === undefined
      ? []
      : [{ from: startAskedAt ?? startedAt, to: Math.min(to, finishedAt ?? startedAt) }],
  );
  return to - from - covered(spans);
}

/** How much time these spans take together; what several share counts once. */
function covered(spans: readonly Span[]): number {
  let reached = 0;
  return spans
    .toSorted((a, b) => a.from - b.from)
    .reduce((sum, { from, to }) => {
      const begin = Math.max(from, reached);
      reached = Math.max(reached, to);
      return sum + Math.max(0, to - begin);
    }, 0);
}
