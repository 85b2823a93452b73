/** Updates of a part of a pod, by PUT with the whole pod or by PATCH, as Kubernetes' subresources take them. */
import { readManifest } from '../manifest/parse-pod.ts';
import { own } from '../pod/own.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { ApiError } from './api-status.ts';
import { readBody } from './call.ts';
import type { ApiContext, Call } from './call.ts';
import { refuseDryRun } from './dry-run.ts';
import { jsonMergePatch, strategicMergePatch } from './merge-patch.ts';
import { findPod } from './pods.ts';
import { assertSameState } from './same-state.ts';

export interface PodUpdate {
  /** As it is. */
  readonly pod: V1Pod;
  /** What its spec and its status are to be; nothing in them has been checked. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: Readonly<Record<string, unknown>>;
}

/** Reads an update of the pod that the path names; refuses one that means another pod or an older state. */
export async function readUpdate(call: Call, { backend }: ApiContext): Promise<PodUpdate> {
  refuseDryRun(call);
  const apply = call.request.method === 'PATCH' ? patchTypeOf(call) : undefined;
  const body = parseBody(await readBody(call));
  // Read after the body: between this look and the change nothing else happens.
  const pod = findPod(call, backend);
  const wanted = apply === undefined ? body : apply(structuredClone(pod), body);
  const { metadata, spec, status } = asPod(wanted);
  assertSame(pod, metadata);
  return { pod, spec, status };
}

const patchTypes: Readonly<Record<string, typeof jsonMergePatch>> = {
  'application/strategic-merge-patch+json': strategicMergePatch,
  'application/merge-patch+json': jsonMergePatch,
};

function patchTypeOf({ request }: Call): typeof jsonMergePatch {
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const apply = own(patchTypes, mediaType);
  if (apply !== undefined) return apply;
  throw new ApiError('UnsupportedMediaType', 'the type of the patch is not supported', {
    next: `use one of: ${Object.keys(patchTypes).join(', ')}`,
  });
}

type Fields = Readonly<Record<string, unknown>>;

function asPod(value: unknown): {
  readonly metadata: Fields;
  readonly spec: Fields;
  readonly status: Fields;
} {
  const pod = isMap(value) ? value : {};
  const [metadata, spec, status] = [pod['metadata'], pod['spec'], pod['status']].map(
    (part) => part ?? {},
  );
  const isPod = pod['apiVersion'] === 'v1' && pod['kind'] === 'Pod';
  if (isPod && isMap(metadata) && isMap(spec) && isMap(status)) return { metadata, spec, status };
  throw new ApiError('BadRequest', 'the object provided is not a v1 Pod');
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whoever names a pod means the one that is there, in the state that he has seen. */
function assertSame({ metadata: known }: V1Pod, given: Fields): void {
  for (const field of ['name', 'namespace'] as const) {
    if (given[field] === undefined || given[field] === known[field]) continue;
    const message = `the ${field} of the object does not match the ${field} on the URL (${known[field]})`;
    throw new ApiError('BadRequest', message);
  }
  assertSameState('pods', known, given);
}

function parseBody(text: string): unknown {
  const [document, another] = readManifest(text, 'request body');
  if (document !== undefined && another === undefined) return document.value;
  throw new ApiError('BadRequest', 'the request has to hold one object');
}
