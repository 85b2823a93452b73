/** What is looked at may hang. Each check has a limit of its own, and takes nothing along that others find. */
import { RepriseError } from '../errors.ts';
import { timeLimit } from '../timers.ts';

/** A check was given up. */
export class NoAnswer extends RepriseError {}

/** What a check comes to, unless it takes longer than that: then it is given up, whatever it waits for. */
export async function inTime<T>(
  withinMs: number,
  check: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using limit = timeLimit(withinMs, new AbortController().signal);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new NoAnswer(`no answer within ${withinMs / 1000} s`));
  limit.signal.addEventListener('abort', giveUp, { once: true });
  return await Promise.race([check(limit.signal), late]);
}
