/**
 * One HTTP call as the resources see it, and the few ways to answer it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../log.ts';
import { ApiError } from './api-status.ts';
import type { Backend, V1Event } from './backend.ts';
import type { Feed } from './feed.ts';
import type { ReadLog } from './logs.ts';
import { utf8Text } from '../manifest/utf8.ts';
import type { V1Pod } from '../pod/pod-status.ts';

/** What every handler works with. */
export interface ApiContext {
  readonly backend: Backend;
  readonly pods: Feed<V1Pod>;
  readonly events: Feed<V1Event>;
  readonly readLog: ReadLog;
  readonly log: Logger;
}

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Placeholders of the path, decoded. */
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  /** There if the caller wants to speak something else than HTTP from here on. */
  readonly upgrade?: Upgrade;
  /** Aborted when the caller hangs up or the server stops. */
  readonly signal: AbortSignal;
}

/** A connection that can be taken over. */
export interface Upgrade {
  readonly socket: Socket;
  /** What has been read of it already. */
  readonly head: Buffer;
}

export type Handler = (call: Call, context: ApiContext) => void | Promise<void>;

/** Manifests of Kubernetes may have 10 MiB. */
export const maxBodyBytes = 10 * 1024 * 1024;

/** A placeholder that the path of this handler has. */
export function param(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new Error(`the route has no placeholder ${name}`);
  return value;
}

/** The body as text; refused with 413 as soon as it is too large, and with 422 if it is none. */
export async function readBody({ request, signal }: Call): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    size += chunk.length;
    if (size > maxBodyBytes) {
      throw new ApiError(
        'RequestEntityTooLarge',
        `the request has more than ${maxBodyBytes} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return utf8Text(Buffer.concat(chunks), 'request body');
}

/** Answers with one JSON object. */
export function sendJson({ response }: Call, code: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(code, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Answers with a word, as health checks do. */
export function sendText({ response }: Call, text: string): void {
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** `?name=true`, `?name=1` or a bare `?name`. */
export function isSet(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  if (value === null || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1' || value === '') return true;
  throw new ApiError('BadRequest', `${name}=${value}: must be true or false`);
}

/** `?name=N`, a whole number of at least `min`, and at most `max`; undefined if it is not there. */
export function wholeNumber(
  query: URLSearchParams,
  name: string,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new ApiError('BadRequest', `${name}=${value}: must be a whole number ${bounds}`);
  }
  return number;
}
