/** What this containerd can do that others cannot; asked once, when the agent starts. */
import type { RuntimeFeatures } from '../pod/node-facts.ts';
import type { Cri } from './cri.ts';

/** Before 2.0 containerd tells nothing of this, and can do nothing of it. */
export async function findFeatures(cri: Cri, signal: AbortSignal): Promise<RuntimeFeatures> {
  const { features, runtimeHandlers } = await cri.status(signal);
  return {
    strictSupplementalGroups: features?.supplementalGroupsPolicy ?? false,
    handlers: Object.fromEntries(
      runtimeHandlers.map((handler) => [
        handler.name,
        {
          userNamespaces: handler.features?.userNamespaces ?? false,
          recursiveReadOnlyMounts: handler.features?.recursiveReadOnlyMounts ?? false,
        },
      ]),
    ),
  };
}
