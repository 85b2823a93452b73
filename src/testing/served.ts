/** An API over a real unix socket with a backend in memory, for one test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { connectAgent } from '../api/client.ts';
import type { Client } from '../api/client.ts';
import type { ReadLog } from '../api/logs.ts';
import { serveApi } from '../api/server.ts';
import { createLogger } from '../log.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { MemoryBackend } from './memory-backend.ts';

export interface Served extends AsyncDisposable {
  readonly backend: MemoryBackend;
  readonly client: Client;
  readonly socket: string;
  /** Its own folder, gone with the test. */
  readonly directory: string;
  call(method: string, path: string, more?: RawCall): Promise<Answer>;
}

export interface RawCall {
  readonly body?: string | Buffer;
  readonly headers?: OutgoingHttpHeaders;
}

export interface Answer {
  readonly code: number;
  readonly type: string;
  readonly text: string;
  /** The body as JSON; undefined if it is none. */
  readonly json: unknown;
}

/** Starts it; disposing of it ends every connection. */
export async function serve(
  options: { readLog?: ReadLog; before?: readonly V1Pod[] } = {},
): Promise<Served> {
  const directory = await mkdtemp(join(tmpdir(), 'reprise-api-'));
  const socket = join(directory, 'api.sock');
  const backend = new MemoryBackend();
  const log = createLogger({ level: 'silent' });
  const { readLog = nothing, before = [] } = options;
  for (const pod of before) backend.put(pod, 'ADDED');
  const server = await serveApi(backend, { socket, version: '1.2.3', readLog, log });
  return {
    backend,
    client: connectAgent(socket),
    socket,
    directory,
    call: (method, path, more) => call(socket, method, path, more),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

const nothing: ReadLog = async function* () {
  // A log without a line.
};

async function call(
  socketPath: string,
  method: string,
  path: string,
  { body, headers }: RawCall = {},
): Promise<Answer> {
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const request = httpRequest({
    socketPath,
    method,
    path,
    headers: { ...length, ...headers },
    agent: false,
  });
  request.on('error', () => undefined);
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const text = await readAll(response);
  return {
    code: response.statusCode ?? 0,
    type: response.headers['content-type'] ?? '',
    text,
    json: asJson(text),
  };
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
