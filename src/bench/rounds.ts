/**
 * The rounds: in each one every contender restarts its pods once, one contender after the other.
 *
 * The order changes from round to round, so that whatever comes and goes on the machine, and
 * whatever one contender leaves for the next, hits all of them alike: in six rounds each of three
 * comes first, second and last twice, and comes right after each of the others three times.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Contender, Mark, Method, PodRecord } from './contender.ts';
import type { OwnShare } from './own-share.ts';
import { allSettled } from './settled.ts';
import type { Acts, Armed } from './shared-folder.ts';

/** One restart of all pods of one contender. */
export interface Sample {
  readonly method: Method;
  /** Counts from 1; the rounds of the warm-up have none. */
  readonly round: number;
  /** From the first trigger's last act to the last app container's first act. */
  readonly totalMs: number;
  readonly pods: readonly PodSample[];
}

/** The part of one pod in a sample. */
export interface PodSample {
  readonly name: string;
  /** From its trigger's last act to its last app container's first act. */
  readonly latencyMs: number;
  /** Milliseconds after its trigger's last act. */
  readonly marks: readonly Mark[];
  /** What of it neither the runtime nor the workload took. */
  readonly own?: OwnShare;
}

/** How many rounds there are. */
export interface RoundCounts {
  /** Rounds that do not count. */
  readonly warmUps: number;
  readonly iterations: number;
}

/** Told before every restart. */
export type OnRound = (round: { kind: 'warm-up' | 'round'; count: number; of: number }) => void;

/** containerd tidies up after a restart too, unseen; it is given this long. */
const QUIET_MS = 250;
/** So that those who have to wait for the trigger's exit do wait when it comes. */
const LEAD_MS = 20;

/**
 * Lets the contenders restart their pods, in rounds; the samples of the warm-up are left out. When the
 * signal ends it early, what was measured in whole rounds is no less true; without any it throws.
 */
export async function runRounds(
  contenders: readonly Contender[],
  { warmUps, iterations }: RoundCounts,
  onRound: OnRound,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const whole: Sample[] = [];
  for (let index = -warmUps; index < iterations; index += 1) {
    onRound(
      index < 0
        ? { kind: 'warm-up', count: index + warmUps + 1, of: warmUps }
        : { kind: 'round', count: index + 1, of: iterations },
    );
    try {
      const samples = await runRound(inTurn(contenders, index + warmUps), index + 1, signal);
      if (index >= 0) whole.push(...samples);
    } catch (error) {
      if (!signal.aborted || whole.length === 0) throw error;
      return whole;
    }
  }
  return whole;
}

async function runRound(
  contenders: readonly Contender[],
  round: number,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const contender of contenders) {
    // All of them: what one has left to do would be paid for by the next.
    for (const { settle } of contenders) await settle(signal);
    await delay(QUIET_MS, undefined, { signal });
    samples.push(await takeSample(contender, round, signal));
  }
  return samples;
}

/** The same ones, beginning with another one in every round; forwards until each was first, then backwards. */
export function inTurn<T>(all: readonly T[], round: number): readonly T[] {
  const isForwards = Math.floor(round / all.length) % 2 === 0;
  const inOrder = isForwards ? all : all.toReversed();
  const first = round % all.length;
  return [...inOrder.slice(first), ...inOrder.slice(0, first)];
}

async function takeSample(
  contender: Contender,
  round: number,
  signal: AbortSignal,
): Promise<Sample> {
  using stack = new DisposableStack();
  const armed: Armed[] = [];
  for (const { shared } of contender.pods) armed.push(stack.use(await shared.arm(signal)));

  // A failure of one side ends the waiting of the other.
  const failure = new AbortController();
  const until = AbortSignal.any([signal, failure.signal]);
  const orFail = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      failure.abort(error);
      throw error;
    });
  try {
    const [records, acts] = await allSettled([
      orFail(contender.restart(until)),
      orFail(fire(armed, until)),
    ]);
    return asSample(contender, round, acts, records);
  } catch (error) {
    throw failure.signal.aborted ? failure.signal.reason : error;
  }
}

async function fire(armed: readonly Armed[], signal: AbortSignal): Promise<readonly Acts[]> {
  await delay(LEAD_MS, undefined, { signal });
  for (const one of armed) one.fire();
  return allSettled(armed.map(({ outcome }) => outcome(signal)));
}

function asSample(
  { method, pods }: Contender,
  round: number,
  acts: readonly Acts[],
  records: readonly PodRecord[],
): Sample {
  return {
    method,
    round,
    totalMs:
      Math.max(...acts.map(({ firstActAt }) => firstActAt)) -
      Math.min(...acts.map(({ lastActAt }) => lastActAt)),
    pods: pods.map(({ name }, index) => {
      const { firstActAt = 0, lastActAt = 0 } = acts[index] ?? {};
      const { marks = [], own } = records[index] ?? {};
      return {
        name,
        latencyMs: firstActAt - lastActAt,
        marks: marks.map(({ what, at }) => ({ what, at: at - lastActAt })),
        own,
      };
    }),
  };
}
