/**
 * ConfigMaps, Secrets and PersistentVolumeClaims over HTTP: list, get, create, replace, patch, delete.
 */
import { NotFoundError } from '../errors.ts';
import { parseObject, readManifest } from '../manifest/parse-pod.ts';
import { invalidValue, ManifestError } from '../manifest/manifest-error.ts';
import { validateObject, validateUpdate } from '../manifest/validate-object.ts';
import { objectInWords, objectResources } from '../pod/objects.ts';
import type { ManifestObject, ObjectKind, V1Object } from '../pod/objects.ts';
import { ApiError } from './api-status.ts';
import { param, readBody, sendJson } from './call.ts';
import type { ApiContext, Call, Handler } from './call.ts';
import { assertPreconditions, readDeleteOptions } from './delete-options.ts';
import { refuseDryRun } from './dry-run.ts';
import { newestVersion } from './feed.ts';
import { sendList, sendObject } from './negotiate.ts';
import { objectColumns } from './object-table.ts';
import { readPatch } from './read-patch.ts';
import { assertSameState } from './same-state.ts';
import { selection } from './selectors.ts';
import { isWatch } from './watch.ts';

/** GET of a collection, of one namespace or of all. */
export function listObjects(kind: ObjectKind): Handler {
  return (call, { backend }) => {
    if (isWatch(call.query)) {
      throw new ApiError('MethodNotAllowed', 'these objects cannot be watched, only listed');
    }
    const selected = selection<V1Object>(call.query, {
      'metadata.name': ({ metadata }) => metadata.name,
      'metadata.namespace': ({ metadata }) => metadata.namespace,
    });
    const items = backend.objects.list(kind, call.params['namespace']).filter(selected);
    const resourceVersion = String(newestVersion(items));
    const columns = objectColumns(kind);
    sendList(call, { apiVersion: 'v1', kind, columns, items, resourceVersion });
  };
}

/** GET of one. */
export function getObject(kind: ObjectKind): Handler {
  return (call, context) => {
    sendObject(call, objectColumns(kind), find(kind, call, context));
  };
}

/** POST of a new one, in YAML or JSON. */
export function createObject(kind: ObjectKind): Handler {
  return async (call, { backend }) => {
    refuseDryRun(call);
    const namespace = param(call, 'namespace');
    const object = parseObject(await readBody(call), kind, { namespace });
    sendJson(call, 201, backend.objects.create(object));
  };
}

/** PUT in the place of one that is there. */
export function replaceObject(kind: ObjectKind): Handler {
  return async (call, context) => {
    refuseDryRun(call);
    const text = await readBody(call);
    const object = parseObject(text, kind, { namespace: param(call, 'namespace') });
    assertSameName(call, object);
    const known = find(kind, call, context);
    sendJson(call, 200, replaced(known, object, metadataIn(text), context));
  };
}

/** PATCH of one that is there, as `kubectl edit` and `kubectl patch` send it. */
export function patchObject(kind: ObjectKind): Handler {
  return async (call, context) => {
    refuseDryRun(call);
    const patch = await readPatch(call);
    // Read after the body: between this look and the change nothing else happens.
    const known = find(kind, call, context);
    const value = patch(known);
    const source = { value, file: 'request body', namespace: param(call, 'namespace') };
    const { object } = validateObject(kind, source);
    assertSameName(call, object);
    sendJson(call, 200, replaced(known, object, (value as Described).metadata, context));
  };
}

function assertSameName(call: Call, { metadata }: ManifestObject): void {
  if (metadata.name === param(call, 'name')) return;
  const message = invalidValue(metadata.name, 'must be the name that the request is about');
  const hint = 'change one of the two names';
  throw new ManifestError([{ path: 'metadata.name', file: 'request body', message, hint }]);
}

/** A valid object says more of itself than is kept: its keeper gives it its own uid and version, and no other. */
interface Described {
  readonly metadata: Readonly<Record<string, unknown>>;
}

function replaced(
  known: V1Object,
  object: ManifestObject,
  given: Described['metadata'],
  { backend }: ApiContext,
): V1Object {
  assertSameState(objectResources[known.kind], known.metadata, given);
  validateUpdate(known, object);
  return backend.objects.replace(object);
}

/** DELETE of one; pods that were filled from it keep what they have. */
export function deleteObject(kind: ObjectKind): Handler {
  return async (call, context) => {
    const { preconditions } = await readDeleteOptions(call);
    const { metadata } = find(kind, call, context);
    assertPreconditions(kind, metadata, preconditions);
    const { uid, name, namespace } = metadata;
    context.backend.objects.delete(kind, namespace, name);
    const details = { name, uid, kind: kind.toLowerCase() };
    sendJson(call, 200, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details,
    });
  };
}

function metadataIn(text: string): Described['metadata'] {
  const [document] = readManifest(text, 'request body');
  return (document?.value as Described).metadata;
}

function find(kind: ObjectKind, call: Call, { backend }: ApiContext): V1Object {
  const name = param(call, 'name');
  const object = backend.objects.get(kind, param(call, 'namespace'), name);
  if (object) return object;
  throw new NotFoundError(`${objectInWords(kind, name)} not found`);
}
