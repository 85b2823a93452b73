/**
 * A command that may take only so long.
 */
import { formatDuration } from '../pod/duration.ts';
import { RepriseError } from '../errors.ts';
import { timeLimit } from '../timers.ts';

/** What is said when the time is over. */
export interface Late {
  readonly what: string;
  readonly where: string;
  readonly next: string;
}

/**
 * Does something with a signal that is aborted when the time is over; then it fails with these words.
 * No time, or 0 as with kubectl, is no limit.
 */
export async function withinTime<T>(
  ms: number | undefined,
  { what, ...context }: Late,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const never = new AbortController().signal;
  if (ms === undefined || ms === 0) return action(never);
  using expired = timeLimit(ms, never);
  const timedOut = (cause?: unknown): RepriseError =>
    new RepriseError(`timed out after ${formatDuration(ms)}: ${what}`, { ...context, cause });
  try {
    const result = await action(expired.signal);
    // What is cut off by the signal may end like something that is complete.
    expired.signal.throwIfAborted();
    return result;
  } catch (error) {
    // Whatever broke then, broke because of that.
    throw expired.signal.aborted ? timedOut(error) : error;
  }
}
