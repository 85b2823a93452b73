/**
 * What a restart has hit: a running pod, or the middle of something. Pure.
 */
import type { Life, Run } from './life.ts';
import type { Hit } from './report.ts';

/** What was seen when the restart was asked for. */
export interface Aim {
  readonly kind: 'running' | 'starting';
  /** Since it was up, or since the start began. */
  readonly afterMs: number;
  /** The init container that ran, and since when. */
  readonly inRun?: { readonly run: Run; readonly afterMs: number };
}

/** What a restart now would hit; the start under way began at `since`. */
export function aimAt(life: Life, since: number, now: number): Aim {
  if (life.upSince !== undefined) return { kind: 'running', afterMs: now - life.upSince };
  const run = life.runs.findLast(
    ({ kind, end, generation }) =>
      kind === 'init' && end === undefined && generation === life.generation,
  );
  const afterMs = now - since;
  return run?.startedAt === undefined
    ? { kind: 'starting', afterMs }
    : { kind: 'starting', afterMs, inRun: { run, afterMs: now - run.startedAt } };
}

/** What it has hit, as seen later: an init container may have been done in the last moment. */
export function hitOf({ kind, afterMs, inRun }: Aim, { runs }: Life): Hit {
  const run = runs.find(({ id }) => id === inRun?.run.id);
  return inRun !== undefined && run?.end?.how === 'killed'
    ? { kind: 'init', container: run.container, afterMs: Math.round(inRun.afterMs) }
    : { kind, afterMs: Math.round(afterMs) };
}
