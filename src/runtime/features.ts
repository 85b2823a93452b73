/** What this containerd can do that others cannot; asked once, when the agent starts. */
import { z } from 'zod';
import type { RuntimeFeatures } from '../pod/node-facts.ts';
import type { Cri } from './cri.ts';

/** Before 2.0 containerd tells nothing but which handlers it has, in its configuration. */
export async function findFeatures(cri: Cri, signal: AbortSignal): Promise<RuntimeFeatures> {
  const { features, runtimeHandlers, info } = await cri.status(signal);
  const configured = configuredHandlers(info['config']).map((name) => ({ name, features: null }));
  return {
    strictSupplementalGroups: features?.supplementalGroupsPolicy ?? false,
    handlers: Object.fromEntries(
      [...configured, ...runtimeHandlers].map((handler) => [
        handler.name,
        {
          userNamespaces: handler.features?.userNamespaces ?? false,
          recursiveReadOnlyMounts: handler.features?.recursiveReadOnlyMounts ?? false,
        },
      ]),
    ),
  };
}

const configuration = z.object({
  containerd: z.object({ runtimes: z.record(z.string(), z.unknown()) }),
});

/** The names of all handlers, and "" for the default one; none if the configuration is another. */
function configuredHandlers(config: string | undefined): readonly string[] {
  if (config === undefined) return [];
  const { data } = configuration.safeParse(JSON.parse(config));
  return data === undefined ? [] : ['', ...Object.keys(data.containerd.runtimes)];
}
