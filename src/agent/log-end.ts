/**
 * When a container's log is whole: the runtime still copies what was said last when the exit event
 * comes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isCallError } from '../runtime/call.ts';
import type { Cri } from '../runtime/cri.ts';

/** How soon the runtime is asked whether it has written the log to its end, and how often then. */
const ASKED_AFTER_MS = [20, 30, 50, 100, 200, 400, 800, 1600];

/**
 * Waits, after the container's exit, until its log is written to the end; not for ever. CRI shows a
 * container as exited when its output has been copied to the last byte.
 */
export async function untilLogIsWritten(
  cri: Pick<Cri, 'containerStatus'>,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  for (const ms of ASKED_AFTER_MS) {
    try {
      if ((await cri.containerStatus(id, signal)).state === 'CONTAINER_EXITED') return;
    } catch (error) {
      if (isCallError(error, 'not-found')) return;
      throw error;
    }
    await delay(ms, undefined, { signal });
  }
}

/** The same for somebody who waits for an answer: at most so long, also for a runtime that is away. */
export async function untilLogIsWhole(
  cri: Pick<Cri, 'containerStatus'>,
  { containerId }: { readonly containerId?: string },
  withinMs: number,
): Promise<void> {
  if (containerId === undefined) return;
  // The log as far as it goes is better than none.
  await untilLogIsWritten(cri, containerId, AbortSignal.timeout(withinMs)).catch(() => undefined);
}
