/**
 * When a container's log is whole: the runtime still copies what was said last when the exit event
 * comes.
 */
import type { Cri } from '../runtime/cri.ts';
import type { Means } from './means.ts';
import { untilShown } from './shown-state.ts';

/** How soon the runtime is asked whether it has written the log to its end, and how often then. */
const delaysMs = [20, 30, 50, 100, 200, 400, 800, 1600];

/** Who knows, and who may keep it from knowing. */
export interface Asked {
  readonly cri: Pick<Cri, 'containerStatus'>;
  readonly cleanup: Pick<Means['cleanup'], 'letGo'>;
}

/**
 * Waits, after the container's exit, until its log is written to the end; not for ever. CRI shows a
 * container as exited when its output has been copied to the last byte.
 */
export async function untilLogIsWritten(
  { cri, cleanup }: Asked,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  cleanup.letGo(id);
  await untilShown(cri, id, { isRight: (state) => state === 'CONTAINER_EXITED', delaysMs }, signal);
}

/** The same for somebody who waits for an answer: at most so long, also for a runtime that is away. */
export async function untilLogIsWhole(
  means: Asked,
  { containerId }: { readonly containerId?: string },
  withinMs: number,
): Promise<void> {
  if (containerId === undefined) return;
  // The log as far as it goes is better than none.
  await untilLogIsWritten(means, containerId, AbortSignal.timeout(withinMs)).catch(() => undefined);
}
