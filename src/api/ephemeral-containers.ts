/**
 * The subresource `ephemeralcontainers` of pods: how `kubectl debug` adds a container to a pod that runs.
 *
 * It is the pod, of which nothing but spec.ephemeralContainers can be changed; whatever else an update
 * says is passed over, as Kubernetes does it (registry/core/pod, dropNonEphemeralContainerUpdates).
 */
import { ConflictError } from '../errors.ts';
import { validateEphemeralContainers } from '../manifest/ephemeral-containers.ts';
import { readManifest } from '../manifest/parse-pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { ApiError } from './api-status.ts';
import { readBody, sendJson } from './call.ts';
import type { ApiContext, Call } from './call.ts';
import { jsonMergePatch, strategicMergePatch } from './merge-patch.ts';
import { findPod, refuseDryRun } from './pods.ts';

/** PUT .../pods/NAME/ephemeralcontainers: the body is a Pod. */
export async function replaceEphemeralContainers(call: Call, context: ApiContext): Promise<void> {
  refuseDryRun(call);
  const value = parseBody(await readBody(call));
  await update(call, context, findPod(call, context.backend), value);
}

/** PATCH of the same. */
export async function patchEphemeralContainers(call: Call, context: ApiContext): Promise<void> {
  refuseDryRun(call);
  const apply = patchTypes[mediaTypeOf(call)];
  if (apply === undefined) {
    throw new ApiError('UnsupportedMediaType', 'the type of the patch is not supported', {
      next: `use one of: ${Object.keys(patchTypes).join(', ')}`,
    });
  }
  const patch = parseBody(await readBody(call));
  // Read after the body: between this look and the change nothing else happens.
  const pod = findPod(call, context.backend);
  await update(call, context, pod, apply(structuredClone(pod), patch));
}

const patchTypes: Readonly<Record<string, typeof jsonMergePatch>> = {
  'application/strategic-merge-patch+json': strategicMergePatch,
  'application/merge-patch+json': jsonMergePatch,
};

function mediaTypeOf({ request }: Call): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
}

async function update(
  call: Call,
  { backend }: ApiContext,
  pod: V1Pod,
  wanted: unknown,
): Promise<void> {
  const { namespace, name } = pod.metadata;
  const { metadata = {}, spec = {} } = asPod(wanted);
  assertSame(pod, metadata);
  const containers = validateEphemeralContainers(pod, spec['ephemeralContainers'] ?? []);
  sendJson(call, 200, await backend.setEphemeralContainers(namespace, name, containers));
}

interface Wanted {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

function asPod(value: unknown): Wanted {
  const isMap = (one: unknown): boolean => typeof one === 'object' && !Array.isArray(one);
  const pod = (isMap(value) ? (value ?? {}) : {}) as Record<string, unknown>;
  const { apiVersion, kind, metadata, spec } = pod;
  if (apiVersion === 'v1' && kind === 'Pod' && isMap(metadata ?? {}) && isMap(spec ?? {})) {
    return { metadata: metadata ?? {}, spec: spec ?? {} } as Wanted;
  }
  throw new ApiError('BadRequest', 'the object provided is not a v1 Pod');
}

/** Whoever names a pod means the one that is there, in the state that he has seen. */
function assertSame({ metadata: known }: V1Pod, given: NonNullable<Wanted['metadata']>): void {
  const differs = (field: 'name' | 'namespace' | 'uid' | 'resourceVersion'): boolean =>
    given[field] !== undefined && given[field] !== known[field];
  for (const field of ['name', 'namespace'] as const) {
    if (!differs(field)) continue;
    const message = `the ${field} of the object does not match the ${field} on the URL (${known[field]})`;
    throw new ApiError('BadRequest', message);
  }
  const cannot = `Operation cannot be fulfilled on pods "${known.name}"`;
  if (differs('uid')) {
    throw new ConflictError(`${cannot}: it has the uid ${known.uid}, another one was given`);
  }
  if (differs('resourceVersion')) {
    throw new ConflictError(
      `${cannot}: the object has been modified; please apply your changes to the latest version and try again`,
    );
  }
}

function parseBody(text: string): unknown {
  const [document, another] = readManifest(text, 'request body');
  if (document !== undefined && another === undefined) return document.value;
  throw new ApiError('BadRequest', 'the request has to hold one object');
}
