/** Tells how far a pull is, every few seconds, until it is over. */
import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration } from '../pod/duration.ts';
import type { Downloads } from '../runtime/downloads.ts';

const EVERY_MS = 3_000;

/** What a progress is told with. */
export interface PullProgress {
  readonly image: string;
  readonly downloads: Downloads;
  readonly tell: (text: string) => void;
  readonly now: () => number;
  /** Absent: every three seconds. */
  readonly everyMs?: number;
}

/** Ends with the signal; one look that fails does not end it. */
export async function tellProgress(
  { image, downloads, tell, now, everyMs = EVERY_MS }: PullProgress,
  signal: AbortSignal,
): Promise<void> {
  const began = now();
  while (await isStillGoing(everyMs, signal)) {
    // Unknown is no reason to stop telling that it goes on.
    const bytes = await downloads.bytes(signal).catch(() => 0);
    const took = formatDuration(Math.round((now() - began) / 1000) * 1000);
    const sofar = bytes > 0 ? `${inMebibytes(bytes)} so far, ` : '';
    if (!signal.aborted) tell(`Pulling image "${image}": ${sofar}${took}`);
  }
}

async function isStillGoing(ms: number, signal: AbortSignal): Promise<boolean> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

function inMebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
