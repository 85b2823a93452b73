/**
 * The API from the caller's side: typed calls over the agent's socket.
 *
 * Failures come back as the errors the agent threw, with what to try next; an agent that does not
 * answer is an error of its own.
 *
 * Read next: transport.ts, one call over the socket and what can go wrong with it.
 */
import type { IncomingMessage } from 'node:http';
import type { RestartRecord } from '../pod/memory.ts';
import { objectResources } from '../pod/objects.ts';
import type { ManifestObject, ObjectKind, V1Object } from '../pod/objects.ts';
import type { V1EphemeralContainer, V1Pod } from '../pod/pod-status.ts';
import type { V1Device } from '../pod/v1-device.ts';
import type { ApiStatus } from './api-status.ts';
import type { DeleteOptions, ObjectFilter, V1Event, WatchEvent } from './backend.ts';
import { failureOf, json, piecesOf, send } from './transport.ts';
import type { CallOptions, Query } from './transport.ts';

export { AgentUnreachable, ApiFailure } from './transport.ts';

export interface PodQuery extends ObjectFilter {
  readonly labelSelector?: string;
}

export interface LogQuery {
  readonly container?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly timestamps?: boolean;
}

export interface Client {
  readonly socket: string;
  listPods(query: PodQuery, signal: AbortSignal): Promise<readonly V1Pod[]>;
  getPod(namespace: string, name: string, signal: AbortSignal): Promise<V1Pod>;
  /** The manifest as text, YAML or JSON. */
  createPod(namespace: string, manifest: string, signal: AbortSignal): Promise<V1Pod>;
  deletePod(
    namespace: string,
    name: string,
    options: DeleteOptions,
    signal: AbortSignal,
  ): Promise<V1Pod>;
  /** As kubectl debug does it; the container in its v1 shape. */
  addEphemeralContainer(
    namespace: string,
    name: string,
    container: V1EphemeralContainer,
    signal: AbortSignal,
  ): Promise<V1Pod>;
  restartPod(namespace: string, name: string, by: string, signal: AbortSignal): Promise<V1Pod>;
  listRestarts(
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<readonly RestartRecord[]>;
  /**
   * Starts with ADDED for what is there; every transition follows. The returned promise resolves
   * when the agent has begun to watch: nothing that happens after it is missed.
   */
  watchPods(query: PodQuery, signal: AbortSignal): Promise<AsyncIterable<WatchEvent<V1Pod>>>;
  listEvents(query: ObjectFilter, signal: AbortSignal): Promise<readonly V1Event[]>;
  watchEvents(
    query: ObjectFilter,
    signal: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent<V1Event>>>;
  readLog(
    namespace: string,
    name: string,
    query: LogQuery,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Buffer>>;
  listObjects(kind: ObjectKind, query: PodQuery, signal: AbortSignal): Promise<readonly V1Object[]>;
  getObject(
    kind: ObjectKind,
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<V1Object>;
  createObject(object: ManifestObject, signal: AbortSignal): Promise<V1Object>;
  /** In the place of the one that is there. */
  replaceObject(object: ManifestObject, signal: AbortSignal): Promise<V1Object>;
  deleteObject(
    kind: ObjectKind,
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<void>;
  listDevices(signal: AbortSignal): Promise<readonly V1Device[]>;
  version(signal: AbortSignal): Promise<{ readonly gitVersion: string }>;
}

/** A client of the agent at that socket; nothing is connected before the first call. */
export function connectAgent(socket: string): Client {
  const call = (options: CallOptions): Promise<IncomingMessage> => send(socket, options);
  const list = async <T>(path: string, query: Query, signal: AbortSignal): Promise<readonly T[]> =>
    (await json<{ items: readonly T[] }>(await call({ path, query, signal }))).items;
  const watch = async <T>(path: string, query: Query, signal: AbortSignal) =>
    watchEventsIn<T>(
      await call({ path, query: { ...query, watch: true }, signal }),
      socket,
      signal,
    );

  return {
    socket,
    listPods: (query, signal) => list(collection('pods', query), podQuery(query), signal),
    getPod: async (namespace, name, signal) =>
      json<V1Pod>(await call({ path: podPath(namespace, name), signal })),
    createPod: async (namespace, manifest, signal) =>
      json<V1Pod>(
        await call({
          method: 'POST',
          path: collection('pods', { namespace }),
          body: manifest,
          signal,
        }),
      ),
    deletePod: async (namespace, name, { graceSeconds, force }, signal) =>
      json<V1Pod>(
        await call({
          method: 'DELETE',
          path: podPath(namespace, name),
          query: { gracePeriodSeconds: graceSeconds, force },
          signal,
        }),
      ),
    addEphemeralContainer: async (namespace, name, container, signal) =>
      json<V1Pod>(
        await call({
          method: 'PATCH',
          path: `${podPath(namespace, name)}/ephemeralcontainers`,
          contentType: 'application/strategic-merge-patch+json',
          body: asBody({ spec: { ephemeralContainers: [container] } }),
          signal,
        }),
      ),
    restartPod: async (namespace, name, by, signal) =>
      json<V1Pod>(
        await call({
          method: 'POST',
          path: `${podPath(namespace, name)}/restart`,
          query: { by },
          signal,
        }),
      ),
    listRestarts: async (namespace, name, signal) =>
      (
        await json<{ items: readonly RestartRecord[] }>(
          await call({ path: `${podPath(namespace, name)}/restarts`, signal }),
        )
      ).items,
    watchPods: (query, signal) => watch<V1Pod>(collection('pods', query), podQuery(query), signal),
    listEvents: (query, signal) => list(collection('events', query), eventQuery(query), signal),
    watchEvents: (query, signal) =>
      watch<V1Event>(collection('events', query), eventQuery(query), signal),
    readLog: async (namespace, name, query, signal) =>
      piecesOf(
        await call({ path: `${podPath(namespace, name)}/log`, query: { ...query }, signal }),
        socket,
        signal,
      ),
    listObjects: (kind, query, signal) =>
      list(collection(objectResources[kind], query), podQuery(query), signal),
    getObject: async (kind, namespace, name, signal) =>
      json<V1Object>(await call({ path: objectPath(kind, { namespace, name }), signal })),
    createObject: async (object, signal) =>
      json<V1Object>(
        await call({
          method: 'POST',
          path: collection(objectResources[object.kind], {
            namespace: object.metadata.namespace,
          }),
          body: asBody(object),
          signal,
        }),
      ),
    replaceObject: async (object, signal) =>
      json<V1Object>(
        await call({
          method: 'PUT',
          path: objectPath(object.kind, object.metadata),
          body: asBody(object),
          signal,
        }),
      ),
    deleteObject: async (kind, namespace, name, signal) => {
      await json(
        await call({ method: 'DELETE', path: objectPath(kind, { namespace, name }), signal }),
      );
    },
    listDevices: (signal) => list<V1Device>('/api/v1/devices', {}, signal),
    version: async (signal) => json(await call({ path: '/version', signal })),
  };
}

function collection(kind: string, { namespace }: ObjectFilter): string {
  return namespace === undefined
    ? `/api/v1/${kind}`
    : `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind}`;
}

/** Where a pod is in the API. */
export function podPath(namespace: string, name: string): string {
  return `${collection('pods', { namespace })}/${encodeURIComponent(name)}`;
}

/** The one control character that JSON leaves as it is and a manifest may not have. */
function asBody(object: object): string {
  return JSON.stringify(object).replaceAll('\x7f', '\\u007f');
}

function objectPath(
  kind: ObjectKind,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string {
  return `${collection(objectResources[kind], { namespace })}/${encodeURIComponent(name)}`;
}

function podQuery({ name, labelSelector }: PodQuery): Query {
  return { fieldSelector: name && `metadata.name=${name}`, labelSelector };
}

function eventQuery({ name }: ObjectFilter): Query {
  return { fieldSelector: name && `involvedObject.name=${name}` };
}

async function* watchEventsIn<T>(
  response: IncomingMessage,
  socket: string,
  signal: AbortSignal,
): AsyncIterable<WatchEvent<T>> {
  let rest = '';
  // Set once: a character may be cut in two by the edge of a piece.
  const decoder = new TextDecoder();
  for await (const piece of piecesOf(response, socket, signal)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: ApiStatus };
      if (event.type === 'ERROR') throw failureOf(event.object, socket);
      yield event;
    }
  }
}
