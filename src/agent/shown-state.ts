/** Waiting until the runtime shows of a container what its events have told before. */
import { setTimeout as delay } from 'node:timers/promises';
import { isCallError } from '../runtime/call.ts';
import type { Cri } from '../runtime/cri.ts';

export type ShownState = Awaited<ReturnType<Cri['containerStatus']>>['state'];

/**
 * Waits until what the runtime shows is right; or until the container is gone, or was asked for after each of
 * these milliseconds: what follows then is done all the same.
 */
export async function untilShown(
  cri: Pick<Cri, 'containerStatus'>,
  id: string,
  { isRight, delaysMs }: { isRight: (state: ShownState) => boolean; delaysMs: readonly number[] },
  signal: AbortSignal,
): Promise<void> {
  for (const ms of delaysMs) {
    try {
      if (isRight((await cri.containerStatus(id, signal)).state)) return;
    } catch (error) {
      if (isCallError(error, 'not-found')) return;
      throw error;
    }
    await delay(ms, undefined, { signal });
  }
}
