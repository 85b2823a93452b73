/**
 * The verdict over a restart (or the first start): back, not back, or it is too early to say. Pure.
 *
 * Also says when the next restart is due, as both come from the same look: a restart is judged when
 * the next one comes.
 *
 * Read next: rehearsal.ts, which waits and acts.
 */
import type { ContainerKind, Pod } from '../pod/pod.ts';
import { containersOf } from '../pod/pod.ts';
import { currentRun, statusesOf } from './life.ts';
import type { Life, Run } from './life.ts';
import type { Moment } from './moments.ts';

/** What is waited for. */
export interface Task {
  /** When this start began. */
  readonly since: number;
  /** The moment of the next restart; absent: this one is the last. */
  readonly next?: Moment;
  /** How long everything has to be up to count as back, in milliseconds. */
  readonly settleMs: number;
  /** How long it may take to be up. */
  readonly timeoutMs: number;
  /** How long the init containers take to complete, as far as that is known. */
  readonly lengths: ReadonlyMap<string, number>;
  /** How long a copy is up before the whole pod is done, if it was done before it could be hit. */
  readonly doneAfterMs?: number;
  /** The copy was not restarted yet. */
  readonly isFirst: boolean;
}

export type Outcome =
  | { readonly kind: 'back' }
  /** The whole pod has Succeeded. */
  | { readonly kind: 'completed' }
  /** The next restart came first, as planned. */
  | { readonly kind: 'cut-short' }
  | { readonly kind: 'not-back'; readonly why: NotBack; readonly culprit?: Culprit };

export type NotBack = 'the pod has failed' | 'it keeps failing' | 'timed out' | 'the pod is gone';

/** The container to blame. */
export interface Culprit {
  readonly container: string;
  readonly kind: ContainerKind;
  /** The run that failed, or hangs. */
  readonly run?: Run;
  /** What it waits for instead of running. */
  readonly waiting?: string;
}

export type Step =
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'over'; readonly outcome: Outcome };

/** As often as this a container may fail in one start: it is tried again at once, then after 10 s. */
const FAILURES_ALLOWED = 2;

/** A pod that is done after some time is hit before this part of it is over. */
const WELL_BEFORE = 0.8;

/** What to do now: wait for news until then, or close this restart. */
export function step(pod: Pod, life: Life, task: Task, now: number): Step {
  const end = endOf(pod, life, task);
  if (end !== undefined) return { kind: 'over', outcome: end };

  const due = dueAt(life, task);
  if (due !== undefined && now >= due) {
    const isBack = life.upSince !== undefined && now >= life.upSince + task.settleMs;
    return { kind: 'over', outcome: { kind: isBack ? 'back' : 'cut-short' } };
  }
  const deadline = task.since + task.timeoutMs;
  // What is up may show that it stays so.
  if (life.upSince !== undefined) return { kind: 'wait', until: due ?? Infinity };
  if (now < deadline) return { kind: 'wait', until: Math.min(due ?? Infinity, deadline) };
  const culprit = laggard(pod, life);
  return { kind: 'over', outcome: { kind: 'not-back', why: 'timed out', culprit } };
}

/** How long each init container took the last time that it completed. */
export function lengthsOf(lives: readonly Life[]): ReadonlyMap<string, number> {
  const completed = lives
    .flatMap(({ runs }) => runs)
    .flatMap(({ container, kind, startedAt, end }) =>
      kind === 'init' && startedAt !== undefined && end?.how === 'completed'
        ? [[container, end.at - startedAt] as const]
        : [],
    );
  return new Map(completed);
}

function endOf(pod: Pod, life: Life, { since }: Task): Outcome | undefined {
  const notBack = (why: NotBack, run?: Run): Outcome => ({
    kind: 'not-back',
    why,
    culprit: run && { container: run.container, kind: run.kind, run },
  });
  const failures = life.runs.filter(({ end }) => end?.how === 'failed' && end.at >= since);
  if (life.isGone) return notBack('the pod is gone');
  const { phase } = life.pod.status;
  if (phase === 'Succeeded') return { kind: 'completed' };
  // A sidecar's code counts for nothing: another one, if there is, has made the pod fail.
  const toBlame = failures.find(({ kind }) => kind !== 'sidecar') ?? failures[0];
  if (phase === 'Failed' || phase === 'Unknown') return notBack('the pod has failed', toBlame);

  for (const { container } of containersOf(pod)) {
    const own = failures.filter((run) => run.container === container.name);
    if (own.length > FAILURES_ALLOWED) return notBack('it keeps failing', own.at(-1));
  }
  return undefined;
}

/** When the next restart comes, as far as that can be told already. */
function dueAt(life: Life, task: Task): number | undefined {
  const { next, settleMs, lengths, doneAfterMs = Infinity } = task;
  const { upSince } = life;
  switch (next?.kind) {
    case undefined:
      return upSince === undefined ? undefined : upSince + settleMs;
    case 'running':
      return whenItRuns(life, task, next.fraction);
    case 'just-up':
      if (upSince === undefined) return undefined;
      return upSince + next.fraction * Math.min(settleMs, WELL_BEFORE * doneAfterMs);
    case 'init': {
      const run = currentRun(life, next.container);
      // Where it was too quick for us, the restart comes later, but it comes.
      if (run?.startedAt === undefined || run.end !== undefined) return whenItRuns(life, task, 0);
      return run.startedAt + next.fraction * (lengths.get(next.container) ?? 0);
    }
    default:
      return next satisfies never;
  }
}

/** After it has settled; or before, where the pod would be done by then. */
function whenItRuns(
  { upSince }: Life,
  { settleMs, doneAfterMs, isFirst }: Task,
  fraction: number,
): number | undefined {
  if (upSince === undefined) return undefined;
  // A restart is judged by how the pod gets done; only a fresh copy has nothing to be judged.
  if (isFirst && doneAfterMs !== undefined) return upSince + fraction * WELL_BEFORE * doneAfterMs;
  return upSince + settleMs + fraction * settleMs;
}

/** The first container that holds the others up. */
function laggard(pod: Pod, life: Life): Culprit | undefined {
  const statuses = statusesOf(life.pod);
  for (const { container, kind } of containersOf(pod)) {
    const { name } = container;
    const status = statuses.get(name);
    if (status?.ready === true) continue;
    const { reason, message } = status?.state.waiting ?? {};
    const waiting = [reason, message].filter((part) => part !== undefined).join(': ');
    const run = currentRun(life, name);
    if (run?.end?.how === 'completed') continue;
    return { container: name, kind, run, ...(waiting !== '' && { waiting }) };
  }
  return undefined;
}
