/**
 * Holds the outputs of containers that nobody has seen begin: an agent before this one has started them, or
 * containerd was away meanwhile. Without it their next restart would be slower than others.
 */
import type { Pod } from '../pod/pod.ts';
import { hasRestartAllRule } from '../pod/restart-rules.ts';
import { unlessGone } from '../runtime/call.ts';
import type { PodLook } from '../runtime/observe.ts';
import type { Means } from './means.ts';

/** To be called with every look; rejects if the runtime cannot tell about one of them. */
export async function holdRunning(
  { cri, cleanup }: Pick<Means, 'cri' | 'cleanup'>,
  pod: Pod,
  { instances }: Pick<PodLook, 'instances'>,
  signal: AbortSignal,
): Promise<void> {
  if (!hasRestartAllRule(pod)) return;
  const toHold = instances.filter(
    ({ id, state }) => state === 'running' && id !== undefined && !cleanup.holds(id),
  );
  await Promise.all(
    toHold.map(async ({ id: containerId = '' }) => {
      const info = await unlessGone(cri.containerInfo(containerId, signal));
      const { pid } = (info ?? {}) as { readonly pid?: unknown };
      if (typeof pid === 'number' && pid > 0) cleanup.hold(pod.metadata.uid, { containerId, pid });
    }),
  );
}
