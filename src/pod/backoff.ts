/**
 * How long before the next start. Everything is a function of times that are remembered.
 *
 * Container restarts and image pulls wait as under the kubelet (client-go flowcontrol/backoff.go,
 * KEP-5593): 0, 10, 20, 40 ... 300 s. In-place restarts wait 0, 1, 2, 4 ... 60 s, which KEP-5532
 * promises in words and leaves to the implementation.
 */
import type { Backoff, ContainerMemory } from './memory.ts';
import type { Failure } from './observed.ts';

/** After this long without trouble the next failure counts as the first again. */
const FORGET_AFTER_MS = 600_000;
const CONTAINER_INITIAL_MS = 10_000;
const IN_PLACE_INITIAL_MS = 1_000;

export type Verdict =
  | { readonly kind: 'wait'; readonly until: number; readonly delayMs: number }
  | { readonly kind: 'go'; readonly backoff: Backoff };

/** Whether a container that ended at `exitedAt` may start again now. */
export function containerBackoff(
  last: Backoff | undefined,
  exitedAt: number,
  now: number,
  maxMs: number,
): Verdict {
  const initial = Math.min(CONTAINER_INITIAL_MS, maxMs);
  if (last === undefined || exitedAt - last.at > FORGET_AFTER_MS) {
    return { kind: 'go', backoff: { delayMs: initial, at: now } };
  }
  const until = exitedAt + last.delayMs;
  if (now < until) return { kind: 'wait', until, delayMs: last.delayMs };
  return { kind: 'go', backoff: { delayMs: Math.min(last.delayMs * 2, maxMs), at: now } };
}

/** Whether a container may start again now that has ended as it is remembered. */
export function restartVerdict(
  { exit, lastExit, backoff }: Pick<ContainerMemory, 'exit' | 'lastExit' | 'backoff'>,
  now: number,
  maxMs: number,
): Verdict | { readonly kind: 'go'; readonly backoff: undefined } {
  const finishedAt = exit?.finishedAt ?? now;
  if (exit?.isReplaced === true) {
    // The kubelet starts it again in the same turn, when it has not seen this end yet: what counts is
    // how long ago the run before ended.
    if (lastExit?.finishedAt === undefined) return { kind: 'go', backoff: undefined };
    const verdict = containerBackoff(backoff, lastExit.finishedAt, finishedAt, maxMs);
    if (verdict.kind === 'go') return verdict;
  }
  return containerBackoff(backoff, finishedAt, now, maxMs);
}

/** The delay of an in-place restart that was triggered at `triggeredAt`; the first one has none. */
export function inPlaceBackoff(
  last: Backoff | undefined,
  triggeredAt: number,
  maxMs: number,
): Backoff {
  if (last === undefined || triggeredAt - last.at > FORGET_AFTER_MS) {
    return { delayMs: 0, at: triggeredAt };
  }
  const delayMs = Math.min(Math.max(last.delayMs * 2, IN_PLACE_INITIAL_MS), maxMs);
  return { delayMs, at: triggeredAt + delayMs };
}

/** How far apart the tries are of what fails again and again: at first, and at most. */
interface Pace {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Somebody is about to set it up, and asking costs nothing. */
const asking: Pace = { initialMs: 1_000, maxMs: 1_000 };
const pulling: Pace = { initialMs: 10_000, maxMs: 300_000 };
const trying: Pace = { initialMs: 1_000, maxMs: 60_000 };

/** What does not go at the usual pace, by its reason. */
const paces: Readonly<Record<string, Pace>> = {
  NetworkNotReady: asking,
  // Nothing is done but to look whether somebody who was killed has died, and a restart waits for it.
  FailedKillContainer: asking,
  FailedFreeDevices: asking,
  ErrImagePull: pulling,
  RegistryUnavailable: pulling,
  ImageInspectError: pulling,
};

function paceOf({ reason }: Pick<Failure, 'reason'>): Pace {
  return paces[reason] ?? trying;
}

/** When an action that failed may be tried again. */
export function retryAt(failure: Failure): number {
  const { initialMs, maxMs } = paceOf(failure);
  return failure.at + Math.min(initialMs * 2 ** (failure.count - 1), maxMs);
}

/** How many times in a row an action has failed that fails again now: each pace has a count of its own. */
export function countOf(before: Failure | undefined, failure: Pick<Failure, 'reason'>): number {
  const goesOn = before !== undefined && paceOf(before) === paceOf(failure);
  return goesOn ? before.count + 1 : 1;
}
