/**
 * The API from the caller's side: typed calls over the agent's socket.
 *
 * Failures come back as the errors the agent threw, with what to try next; an agent that does not
 * answer is an error of its own.
 */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { V1Pod } from '../pod/pod-status.ts';
import {
  AlreadyExistsError,
  ConflictError,
  ForbiddenError,
  messageOf,
  NotFoundError,
  RepriseError,
} from '../errors.ts';
import type { ErrorContext } from '../errors.ts';
import { nextStepReason } from './api-status.ts';
import type { ApiReason, ApiStatus } from './api-status.ts';
import type { DeleteOptions, ObjectFilter, V1Event, WatchEvent } from './backend.ts';

/** The agent's answer was a failure that has no error class of its own. */
export class ApiFailure extends RepriseError {
  readonly reason: ApiReason;

  constructor(status: ApiStatus, where: string) {
    super(status.message, { where, next: nextStepOf(status) });
    this.reason = status.reason;
  }
}

/** Nobody answers at the socket. */
export class AgentUnreachable extends RepriseError {
  /** `absent`: nobody listens. `denied`: not for us. `broken`: the call was cut off. */
  readonly kind: 'absent' | 'denied' | 'broken';

  constructor(kind: AgentUnreachable['kind'], socket: string, cause: unknown) {
    const [what, next] = explain(kind, cause);
    super(what, { where: socket, next, cause });
    this.kind = kind;
  }
}

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
  restartPod(namespace: string, name: string, by: string, signal: AbortSignal): Promise<V1Pod>;
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
    restartPod: async (namespace, name, by, signal) =>
      json<V1Pod>(
        await call({
          method: 'POST',
          path: `${podPath(namespace, name)}/restart`,
          query: { by },
          signal,
        }),
      ),
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
    version: async (signal) => json(await call({ path: '/version', signal })),
  };
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: string;
  readonly signal: AbortSignal;
}

function collection(kind: 'pods' | 'events', { namespace }: ObjectFilter): string {
  return namespace === undefined
    ? `/api/v1/${kind}`
    : `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind}`;
}

function podPath(namespace: string, name: string): string {
  return `${collection('pods', { namespace })}/${encodeURIComponent(name)}`;
}

function podQuery({ name, labelSelector }: PodQuery): Query {
  return { fieldSelector: name && `metadata.name=${name}`, labelSelector };
}

function eventQuery({ name }: ObjectFilter): Query {
  return { fieldSelector: name && `involvedObject.name=${name}` };
}

/** One call; resolves with the answer's head, or throws what the agent says went wrong. */
async function send(socketPath: string, options: CallOptions): Promise<IncomingMessage> {
  const { method = 'GET', path, query = {}, body, signal } = options;
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]) =>
      value === undefined || value === false ? [] : [[key, String(value)] as [string, string]],
    ),
  ).toString();
  const request = httpRequest({
    socketPath,
    method,
    path: search === '' ? path : `${path}?${search}`,
    headers: body === undefined ? {} : { 'content-type': 'application/yaml' },
    // One connection for each call: a watch never holds up another call.
    agent: false,
    signal,
  });
  request.end(body);
  let response: IncomingMessage;
  try {
    [response] = (await once(request, 'response')) as [IncomingMessage];
  } catch (error) {
    throw signal.aborted ? signal.reason : unreachable(socketPath, error);
  }
  if ((response.statusCode ?? 500) < 400) return response;
  throw failureOf(await json<ApiStatus>(response), path);
}

async function json<T>(response: IncomingMessage): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as T;
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

async function* piecesOf(
  response: IncomingMessage,
  socket: string,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (error) {
    // Hanging up ourselves is the ordinary end of a watch.
    if (!signal.aborted) throw unreachable(socket, error);
  }
}

const errorClasses: Partial<Record<ApiReason, new (what: string, at: ErrorContext) => Error>> = {
  NotFound: NotFoundError,
  AlreadyExists: AlreadyExistsError,
  Conflict: ConflictError,
  Forbidden: ForbiddenError,
};

function failureOf(status: ApiStatus, where: string): Error {
  const Known = errorClasses[status.reason];
  if (Known) return new Known(status.message, { next: nextStepOf(status) });
  return new ApiFailure(status, where);
}

function nextStepOf({ details }: ApiStatus): string | undefined {
  return details?.causes.find(({ reason }) => reason === nextStepReason)?.message;
}

function unreachable(socket: string, error: unknown): AgentUnreachable {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new AgentUnreachable('absent', socket, error);
  }
  if (code === 'EACCES' || code === 'EPERM') return new AgentUnreachable('denied', socket, error);
  return new AgentUnreachable('broken', socket, error);
}

function explain(kind: AgentUnreachable['kind'], cause: unknown): readonly [string, string] {
  switch (kind) {
    case 'absent':
      return [
        'no agent is running',
        'start one with "sudo reprise agent", or name the socket of one with --socket',
      ];
    case 'denied':
      return ['permission denied on the socket of the agent', 'use sudo'];
    case 'broken':
      return [
        `the connection to the agent broke: ${cause ? messageOf(cause) : 'it has ended'}`,
        'look whether the agent is still running',
      ];
    default:
      return kind satisfies never;
  }
}
