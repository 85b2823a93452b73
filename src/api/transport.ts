/**
 * One call to the agent over its unix socket, and what can go wrong with it.
 */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import {
  AlreadyExistsError,
  ConflictError,
  ForbiddenError,
  messageOf,
  NotFoundError,
  RepriseError,
} from '../errors.ts';
import type { ErrorContext } from '../errors.ts';
import { nextStepReason, placeReason } from './api-status.ts';
import type { ApiReason, ApiStatus } from './api-status.ts';

/** The agent's answer was a failure that has no error class of its own. */
export class ApiFailure extends RepriseError {
  readonly reason: ApiReason;

  constructor(status: ApiStatus, where: string) {
    super(status.message, { where, ...contextOf(status) });
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

/** Parameters; those that are undefined or false are left out, those of a list come one by one. */
export type Query = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: string;
  /** Of the body; absent: YAML, of which JSON is a part. */
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

/** One call; resolves with the answer's head, or throws what the agent says went wrong. */
export async function send(socketPath: string, options: CallOptions): Promise<IncomingMessage> {
  const { method = 'GET', path, query = {}, body, signal } = options;
  const { contentType = 'application/yaml' } = options;
  const search = searchOf(query);
  const request = httpRequest({
    socketPath,
    method,
    path: `${path}${search}`,
    headers: body === undefined ? {} : { 'content-type': contentType },
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

/** `?a=1&b=2&b=3`, or nothing. */
export function searchOf(query: Query): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    [value].flat().flatMap((each): [string, string][] => {
      return each === undefined || each === false ? [] : [[key, String(each)]];
    }),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

/** The whole answer as JSON. */
export async function json<T>(response: IncomingMessage): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as T;
}

/** The answer as it comes; hanging up ourselves ends it without an error. */
export async function* piecesOf(
  response: IncomingMessage,
  socket: string,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (error) {
    if (!signal.aborted) throw unreachable(socket, error);
  }
}

const errorClasses: Partial<Record<ApiReason, new (what: string, at: ErrorContext) => Error>> = {
  NotFound: NotFoundError,
  AlreadyExists: AlreadyExistsError,
  Conflict: ConflictError,
  Forbidden: ForbiddenError,
};

/** The error that the agent threw. */
export function failureOf(status: ApiStatus, where: string): Error {
  const Known = errorClasses[status.reason];
  if (Known) return new Known(status.message, contextOf(status));
  return new ApiFailure(status, where);
}

function contextOf({ details }: ApiStatus): ErrorContext {
  const told = (wanted: string): string | undefined =>
    details?.causes.find(({ reason }) => reason === wanted)?.message;
  const [where, next] = [told(placeReason), told(nextStepReason)];
  return { ...(where !== undefined && { where }), next };
}

/** The error of a connection that could not be made, or broke. */
export function unreachable(socket: string, error: unknown): AgentUnreachable {
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
