/**
 * Timers for times that users choose. Node's own take at most 24.8 days: anything longer, which a
 * manifest may well ask for, is over after a millisecond, or throws.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** The longest time that a timer is set to: in whole days, as deadlines are rounded up on their way. */
export const LONGEST_TIMER_MS = 24 * 24 * 60 * 60 * 1000;

/** Calls back after that time, however long it is, unless it is disposed of before. */
export function startTimer(
  ms: number,
  callback: () => void,
  longestMs = LONGEST_TIMER_MS,
): Disposable {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    const later = leftMs - longestMs;
    timer = later > 0 ? setTimeout(() => wait(later), longestMs) : setTimeout(callback, leftMs);
  };
  wait(ms);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** A wait that takes only so long; disposing of it ends its timer. */
export interface TimeLimit extends Disposable {
  /** Aborted with the signal it was made from, or when the time is over. */
  readonly signal: AbortSignal;
}

/** Limits a wait that ends with a signal to that time, too. */
export function timeLimit(ms: number, signal: AbortSignal): TimeLimit {
  const over = new AbortController();
  const timer = startTimer(ms, () =>
    over.abort(new DOMException('the time is over', 'TimeoutError')),
  );
  return {
    signal: AbortSignal.any([signal, over.signal]),
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}

/** Resolves after that time, however long it is; rejects when the signal is aborted. */
export async function sleep(
  ms: number,
  signal: AbortSignal,
  longestMs = LONGEST_TIMER_MS,
): Promise<void> {
  let leftMs = ms;
  for (; leftMs > longestMs; leftMs -= longestMs) await delay(longestMs, undefined, { signal });
  await delay(leftMs, undefined, { signal });
}
