/**
 * Pods over HTTP: list, watch, get, create, delete, and our own `restart`.
 */
import { NotFoundError } from '../errors.ts';
import { parsePod } from '../manifest/parse-pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import type { Backend, DeleteOptions } from './backend.ts';
import { isSet, param, readBody, sendJson } from './call.ts';
import type { ApiContext, Call } from './call.ts';
import { assertPreconditions, readDeleteOptions } from './delete-options.ts';
import { refuseDryRun } from './dry-run.ts';
import { sendCollection, sendObject } from './negotiate.ts';
import { selection } from './selectors.ts';
import { podColumns } from './table.ts';

/** GET /api/v1/pods and /api/v1/namespaces/NS/pods. */
export async function listPods(call: Call, { backend, pods }: ApiContext): Promise<void> {
  const namespace = call.params['namespace'];
  const selected = selection<V1Pod>(call.query, {
    'metadata.name': (pod) => pod.metadata.name,
    'metadata.namespace': (pod) => pod.metadata.namespace,
    'spec.nodeName': (pod) => pod.spec.nodeName,
    'status.phase': (pod) => pod.status.phase,
  });
  await sendCollection(call, {
    kind: 'Pod',
    columns: podColumns,
    feed: pods,
    list: backend.list(namespace),
    matches: (pod) =>
      (namespace === undefined || pod.metadata.namespace === namespace) && selected(pod),
  });
}

/** GET .../pods/NAME. */
export function getPod(call: Call, { backend }: ApiContext): void {
  sendObject(call, podColumns, findPod(call, backend));
}

/**
 * POST .../pods: the body is a manifest, in YAML or JSON. Objects in further documents are the pod's
 * own: no other pod sees them, and they go with it.
 */
export async function createPod(call: Call, { backend }: ApiContext): Promise<void> {
  refuseDryRun(call);
  const namespace = param(call, 'namespace');
  const text = await readBody(call);
  const { pod, objects } = parsePod(text, { namespace });
  sendJson(call, 201, await backend.create(pod, objects));
}

/** DELETE .../pods/NAME: answers at once with the pod and its deletionTimestamp. */
export async function deletePod(call: Call, { backend }: ApiContext): Promise<void> {
  const { graceSeconds, preconditions } = await readDeleteOptions(call);
  const { metadata } = findPod(call, backend);
  assertPreconditions('Pod', metadata, preconditions);
  const options: DeleteOptions = { graceSeconds, force: isSet(call.query, 'force') };
  sendJson(call, 200, await backend.delete(metadata.namespace, metadata.name, options));
}

/** POST .../pods/NAME/restart: in place, as if a restart rule had matched. */
export async function restartPod(call: Call, { backend }: ApiContext): Promise<void> {
  const { namespace, name } = findPod(call, backend).metadata;
  const by = call.query.get('by') ?? 'API';
  sendJson(call, 200, await backend.restart(namespace, name, by));
}

/** GET .../pods/NAME/restarts: the latest in-place restarts, with the time of every step. */
export function listRestarts(call: Call, { backend }: ApiContext): void {
  const { namespace, name } = findPod(call, backend).metadata;
  sendJson(call, 200, { kind: 'RestartList', items: backend.restarts(namespace, name) });
}

/** The pod that the path names. */
export function findPod(call: Call, backend: Backend): V1Pod {
  const [namespace, name] = [param(call, 'namespace'), param(call, 'name')];
  const pod = backend.get(namespace, name);
  if (pod) return pod;
  throw new NotFoundError(`pods "${name}" not found`, {
    where: `pod ${namespace}/${name}`,
    next: 'list the pods there are: reprise get pods -A',
  });
}
