/**
 * containerd's event stream: every exit within milliseconds, and word of every gap.
 *
 * containerd stores and replays nothing, and does not even say when a subscription has begun. So
 * each connection is proven by events of our own that are sent until one comes back; only then
 * `connected` is told, and from there on no exit is missed. An exit that comes earlier is told all
 * the same: a fact is a fact. After `connected`, look at everything once.
 *
 * Read next: subscription.ts, one connection; observe.ts, the look.
 */
import { setTimeout } from 'node:timers/promises';
import { RepriseError } from '../errors.ts';
import type { Containerd } from './connect.ts';
import { subscription } from './subscription.ts';
import type { News } from './subscription.ts';

export type RuntimeEvent =
  | News
  /** From here on nothing is missed; `gap`: something may have been before. */
  | { readonly kind: 'connected'; readonly gap: boolean }
  /** Told once; then it is tried again until it works. */
  | { readonly kind: 'lost'; readonly error: RepriseError };

/** Between two attempts to subscribe. Right after its start containerd tells what ended meanwhile. */
const shortestDelayMs = 20;
const longestDelayMs = 250;

/** Everything that happens to containers, until the signal ends it. */
export async function* runtimeEvents(
  containerd: Containerd,
  signal: AbortSignal,
): AsyncGenerator<RuntimeEvent, void, void> {
  let gap = false;
  let lost = false;
  let delayMs = shortestDelayMs;
  while (!signal.aborted) {
    try {
      for await (const news of subscription(containerd, signal)) {
        if (news.kind !== 'proven') {
          yield news;
          continue;
        }
        yield { kind: 'connected', gap };
        gap = true;
        lost = false;
        delayMs = shortestDelayMs;
      }
    } catch (error) {
      if (!(error instanceof RepriseError)) throw error;
      if (!lost) yield { kind: 'lost', error };
      lost = true;
    }
    await pause(delayMs, signal);
    delayMs = Math.min(delayMs * 2, longestDelayMs);
  }
}

/** Waits, or less when the signal comes. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
