/** Updates of a part of a pod, by PUT with the whole pod or by PATCH, as Kubernetes' subresources take them. */
import type { V1Pod } from '../pod/pod-status.ts';
import { ApiError } from './api-status.ts';
import { readBody } from './call.ts';
import type { ApiContext, Call } from './call.ts';
import { refuseDryRun } from './dry-run.ts';
import { findPod } from './pods.ts';
import { parseBody, readPatch } from './read-patch.ts';
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
  const change = call.request.method === 'PATCH' ? await readPatch(call) : await readWhole(call);
  // Read after the body: between this look and the change nothing else happens.
  const pod = findPod(call, backend);
  const { metadata, spec, status } = asPod(change(pod));
  assertSame(pod, metadata);
  return { pod, spec, status };
}

async function readWhole(call: Call): Promise<() => unknown> {
  const body = parseBody(await readBody(call));
  return () => body;
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
