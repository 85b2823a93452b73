/**
 * The subresource `ephemeralcontainers` of pods: how `kubectl debug` adds a container to a pod that runs.
 *
 * It is the pod, of which nothing but spec.ephemeralContainers can be changed; whatever else an update
 * says is passed over, as Kubernetes does it (registry/core/pod, dropNonEphemeralContainerUpdates).
 */
import { validateEphemeralContainers } from '../manifest/ephemeral-containers.ts';
import { sendJson } from './call.ts';
import type { ApiContext, Call } from './call.ts';
import { readUpdate } from './pod-update.ts';

/** PUT and PATCH .../pods/NAME/ephemeralcontainers. */
export async function updateEphemeralContainers(call: Call, context: ApiContext): Promise<void> {
  const { pod, spec } = await readUpdate(call, context);
  const { namespace, name } = pod.metadata;
  const containers = validateEphemeralContainers(pod, spec['ephemeralContainers'] ?? []);
  sendJson(call, 200, await context.backend.setEphemeralContainers(namespace, name, containers));
}
