/**
 * The rehearsal: copies of a pod, restarted at the planned moments, each restart judged.
 *
 * It has no opinions: moments.ts plans, step.ts judges, reentrancy.ts draws the conclusion. A copy
 * that is over (it has failed, did not come back, or is done) makes room for a fresh one.
 *
 * Read next: copy.ts, a copy while it lives; report.ts, what comes out.
 */
import { ConflictError, RepriseError } from '../errors.ts';
import { isSidecar, podKey } from '../pod/pod.ts';
import { Copy } from './copy.ts';
import type { CopyMeans } from './copy.ts';
import { failureOf, keepFailures } from './failures.ts';
import { aimAt, hitOf } from './hit.ts';
import type { Aim } from './hit.ts';
import type { Life } from './life.ts';
import { planMoments } from './moments.ts';
import type { Moment } from './moments.ts';
import { reentrancyOf } from './reentrancy.ts';
import type { Reentrancy } from './reentrancy.ts';
import { summarize } from './report.ts';
import type { FailureReport, InitReport, RehearsalReport, RestartReport } from './report.ts';
import { lengthsOf, step } from './step.ts';
import type { Outcome, Task } from './step.ts';

export interface RehearsalOptions {
  readonly restarts: number;
  readonly seed: number;
  readonly settleMs: number;
  readonly timeoutMs: number;
  /** Go on with a fresh copy when one has not come back. */
  readonly keepGoing: boolean;
}

/** Hears of everything as it happens. */
export interface Audience {
  readonly onStart: (tookMs: number) => void;
  readonly onRestart: (restart: RestartReport) => void;
  readonly onStartFailure: (failure: FailureReport) => void;
}

/** So many copies in a row may be done before their first restart. */
const SHORT_LIVES_ALLOWED = 3;

/** Rehearses to the end, and removes every copy, also when it is cut short by the signal. */
export async function rehearse(
  means: CopyMeans,
  options: RehearsalOptions,
  audience: Audience,
  signal: AbortSignal,
): Promise<RehearsalReport> {
  const inits = means.manifest.spec.initContainers.filter((one) => !isSidecar(one));
  const story: Story = {
    options,
    audience,
    moments: planMoments({ ...options, inits: inits.map(({ name }) => name) }),
    lives: [],
    restarts: [],
    failures: new Map(),
  };
  let tooShort = 0;
  while (story.restarts.length < options.restarts) {
    const how = await rehearseOne(means, story, signal);
    if (how === 'not up' || (how === 'not back' && !options.keepGoing)) break;
    tooShort = how === 'too short' ? tooShort + 1 : 0;
    if (tooShort < SHORT_LIVES_ALLOWED) continue;
    const ms = Math.round(story.doneAfterMs ?? 0);
    throw new RepriseError(`the pod is done before it can be restarted: it is up for ${ms} ms`, {
      where: `pod ${podKey(means.manifest)}`,
      next: 'give its containers more to do',
    });
  }
  return reportOf(means, story);
}

interface Story {
  readonly options: RehearsalOptions;
  readonly audience: Audience;
  readonly moments: readonly Moment[];
  /** Of each copy, as last seen; the last one may still change. */
  readonly lives: Life[];
  readonly restarts: RestartReport[];
  /** By the id of the run. */
  readonly failures: Map<string, FailureReport>;
  startFailure?: FailureReport;
  /** How long a copy was up that was done before its first restart. */
  doneAfterMs?: number;
}

/** A restart that was asked for and is not judged yet. */
interface Pending {
  readonly number: number;
  readonly generation: number;
  readonly aim: Aim;
}

/** The life of one copy, for as many restarts as it survives. */
async function rehearseOne(
  means: CopyMeans,
  story: Story,
  signal: AbortSignal,
): Promise<'done' | 'not back' | 'not up' | 'too short'> {
  const { audience, moments, restarts } = story;
  const began = performance.now();
  await using copy = await Copy.make(means, signal);
  const place = story.lives.length;
  story.lives.push(copy.life);
  let since = began;
  let pending: Pending | undefined;
  for (;;) {
    const next = moments[restarts.length + (pending === undefined ? 0 : 1)];
    const task = taskOf(story, { since, next, isFirst: pending === undefined });
    const { outcome, upMs } = await judged(copy, task, signal);
    const failure = await failureOf(copy, outcome);
    await keepFailures(copy, story.failures);
    story.lives[place] = copy.life;
    if (pending !== undefined) {
      const report = await reportRestart(copy, pending, outcome, failure, signal);
      restarts.push(report);
      audience.onRestart(report);
    } else if (failure !== undefined) {
      story.startFailure = failure;
      audience.onStartFailure(failure);
      return 'not up';
    } else if (outcome.kind === 'completed') {
      story.doneAfterMs = Math.min(upMs, story.doneAfterMs ?? Infinity);
      return 'too short';
    } else if (outcome.kind === 'back') {
      audience.onStart((copy.life.upSince ?? since) - since);
    }
    if (outcome.kind === 'not-back') return 'not back';
    if (outcome.kind === 'completed' || next === undefined) return 'done';

    since = performance.now();
    const aim = aimAt(copy.life, task.since, since);
    const generation = await restartUnlessOver(copy, signal);
    // It was done in that very moment: the next copy is asked instead.
    if (generation === undefined) return 'done';
    pending = { number: restarts.length + 1, generation, aim };
  }
}

function taskOf(
  { options: { settleMs, timeoutMs }, lives, doneAfterMs }: Story,
  { since, next, isFirst }: Pick<Task, 'since' | 'next' | 'isFirst'>,
): Task {
  return { since, next, isFirst, settleMs, timeoutMs, doneAfterMs, lengths: lengthsOf(lives) };
}

/** Waits until this start is judged. */
async function judged(
  copy: Copy,
  task: Task,
  signal: AbortSignal,
): Promise<{ outcome: Outcome; upMs: number }> {
  let wasUpSince: number | undefined;
  for (;;) {
    const now = performance.now();
    const verdict = step(copy.pod, copy.life, task, now);
    wasUpSince = copy.life.upSince ?? wasUpSince;
    if (verdict.kind === 'over') {
      return { outcome: verdict.outcome, upMs: now - (wasUpSince ?? now) };
    }
    await copy.news(verdict.until, signal);
  }
}

async function restartUnlessOver(copy: Copy, signal: AbortSignal): Promise<number | undefined> {
  try {
    return await copy.restart(signal);
  } catch (error) {
    if (error instanceof ConflictError) return undefined;
    throw error;
  }
}

async function reportRestart(
  copy: Copy,
  { number, generation, aim }: Pending,
  outcome: Outcome,
  failure: FailureReport | undefined,
  signal: AbortSignal,
): Promise<RestartReport> {
  const isOver = outcome.kind === 'back' || outcome.kind === 'completed';
  const tookMs = isOver ? await copy.tookMs(generation, signal) : undefined;
  return {
    number,
    generation,
    hit: hitOf(aim, copy.life),
    outcome: outcome.kind,
    ...(tookMs !== undefined && { tookMs: Math.round(tookMs * 10) / 10 }),
    ...(failure && { failure }),
  };
}

function reportOf({ manifest, name }: CopyMeans, story: Story): RehearsalReport {
  const { options, restarts, startFailure, lives } = story;
  const initContainers = reentrancyOf(
    { ...manifest, metadata: { ...manifest.metadata, uid: '', creationTimestamp: '' } },
    lives,
    { allCameBack: restarts.every(({ outcome }) => outcome !== 'not-back') },
  ).map((one) => initReport(one, story));
  const found = { restarts, startFailure, initContainers };
  const { namespace } = manifest.metadata;
  return {
    pod: podKey(manifest),
    copy: podKey({ metadata: { namespace, name } }),
    seed: options.seed,
    settleMs: options.settleMs,
    timeoutMs: options.timeoutMs,
    asked: options.restarts,
    ...found,
    summary: summarize(found),
  };
}

function initReport({ failure, ...rest }: Reentrancy, { failures }: Story): InitReport {
  const known = failure && failures.get(failure.run.id);
  if (failure === undefined || known === undefined) return rest;
  return { ...rest, failure: { after: failure.after, ...known } };
}
