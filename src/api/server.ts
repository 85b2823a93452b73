/**
 * The agent's API: Kubernetes' REST shapes over a unix socket that only root can open.
 *
 * Reads as a table of contents: one line per route, one file per resource. Whatever a handler
 * throws becomes a v1 Status. No caller can make the agent's memory grow without bound.
 *
 * Read next: pods.ts; watch.ts for what stays open; client.ts, the other end.
 */
import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import router from 'find-my-way';
import type { HTTPMethod } from 'find-my-way';
import type { Logger } from '../log.ts';
import { objectKinds, objectResources } from '../pod/objects.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { ApiError } from './api-status.ts';
import type { Backend, V1Event } from './backend.ts';
import { sendJson } from './call.ts';
import type { ApiContext, Call, Handler } from './call.ts';
import { listDevices } from './devices.ts';
import {
  sendApiGroups,
  sendApiVersions,
  sendHealth,
  sendResources,
  sendVersion,
} from './discovery.ts';
import { updateEphemeralContainers } from './ephemeral-containers.ts';
import { getEvent, listEvents } from './events.ts';
import { execInPod } from './exec.ts';
import { statusOf } from './failure.ts';
import { Feed } from './feed.ts';
import { sendLog } from './logs.ts';
import type { ReadLog } from './logs.ts';
import {
  createObject,
  deleteObject,
  getObject,
  listObjects,
  patchObject,
  replaceObject,
} from './objects.ts';
import { updateStatus } from './pod-conditions.ts';
import { createPod, deletePod, getPod, listPods, listRestarts, restartPod } from './pods.ts';
import { listenPrivately } from './unix-socket.ts';

export interface ApiOptions {
  /** Path of the unix socket. */
  readonly socket: string;
  /** Our own version. */
  readonly version: string;
  /** How the log files of the node are read. */
  readonly readLog: ReadLog;
  readonly log: Logger;
}

const maxConnections = 512;

/** Serves the API until it is disposed of; what is open then is cut off. */
export async function serveApi(backend: Backend, options: ApiOptions): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const from = Number(backend.resourceVersion);
  const pods = new Feed<V1Pod>(from, { there: backend.list() });
  // What an event can be selected by never changes.
  const events = new Feed<V1Event>(from);
  const { readLog, log } = options;
  const context: ApiContext = { backend, pods, events, readLog, log };
  const feeding = Promise.all([
    pods.follow(backend.watchPods({ initial: false }, stop.signal)),
    events.follow(backend.watchEvents({ initial: false }, stop.signal)),
  ]).catch((error: unknown) => {
    if (!stop.signal.aborted) log.error({ err: error }, 'watches have ended');
  });

  const routes = routesOf(options.version);
  const server = createServer({
    // Only root can connect; and on a busy machine a caller may take its time to begin.
    headersTimeout: 60_000,
    requestTimeout: 120_000,
    // With the address, in which a whole command may be.
    maxHeaderSize: 1024 * 1024,
    // Everything else is answered as ever, whatever its caller would rather speak (from Node.js 24.9 on).
    shouldUpgradeCallback: ({ url = '' }) => /\/exec\/?(?:\?|$)/.test(url),
  });
  server.maxConnections = maxConnections;
  const open = new Set<AbortController>();
  const sessions = new Set<Promise<void>>();
  server.on('request', (request, response) => {
    const gone = new AbortController();
    open.add(gone);
    response.on('close', () => {
      open.delete(gone);
      gone.abort();
    });
    void handle({ request, response, signal: gone.signal }, routes, context);
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    const gone = new AbortController();
    open.add(gone);
    // Nobody else listens any more for what goes wrong with it, or closes it in the end.
    socket.on('error', () => socket.destroy());
    gone.signal.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.on('close', () => {
      open.delete(gone);
      gone.abort();
    });
    const response = refusalOver(socket, request);
    const call = { request, response, upgrade: { socket, head }, signal: gone.signal };
    const session = handle(call, routes, context).finally(() => sessions.delete(session));
    sessions.add(session);
  });
  try {
    await listenPrivately(server, options.socket);
  } catch (error) {
    stop.abort();
    await feeding;
    throw error;
  }
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      for (const call of open) call.abort();
      await closed(server);
      // What was started for a caller is ended with him.
      await Promise.all(sessions);
      await feeding;
    },
  };
}

type Routes = router.Instance<router.HTTPVersion.V1>;

function routesOf(version: string): Routes {
  // Names have up to 253 characters, more than the router expects.
  const routes = router({ ignoreTrailingSlash: true, maxParamLength: 512 });
  const on = (method: HTTPMethod, path: string, handler: Handler): void =>
    routes.on(method, path, () => undefined, handler);
  const inNamespace = '/api/v1/namespaces/:namespace';

  on('GET', '/api/v1/pods', listPods);
  on('GET', `${inNamespace}/pods`, listPods);
  on('POST', `${inNamespace}/pods`, createPod);
  on('GET', `${inNamespace}/pods/:name`, getPod);
  on('DELETE', `${inNamespace}/pods/:name`, deletePod);
  on('GET', `${inNamespace}/pods/:name/log`, sendLog);
  on('GET', `${inNamespace}/pods/:name/exec`, execInPod);
  on('POST', `${inNamespace}/pods/:name/exec`, execInPod);
  on('GET', `${inNamespace}/pods/:name/ephemeralcontainers`, getPod);
  on('GET', `${inNamespace}/pods/:name/status`, getPod);
  for (const method of ['PUT', 'PATCH'] as const) {
    on(method, `${inNamespace}/pods/:name/ephemeralcontainers`, updateEphemeralContainers);
    on(method, `${inNamespace}/pods/:name/status`, updateStatus);
  }
  on('POST', `${inNamespace}/pods/:name/restart`, restartPod);
  on('GET', `${inNamespace}/pods/:name/restarts`, listRestarts);
  for (const kind of objectKinds) {
    const resource = objectResources[kind];
    on('GET', `/api/v1/${resource}`, listObjects(kind));
    on('GET', `${inNamespace}/${resource}`, listObjects(kind));
    on('POST', `${inNamespace}/${resource}`, createObject(kind));
    on('GET', `${inNamespace}/${resource}/:name`, getObject(kind));
    on('PUT', `${inNamespace}/${resource}/:name`, replaceObject(kind));
    on('PATCH', `${inNamespace}/${resource}/:name`, patchObject(kind));
    on('DELETE', `${inNamespace}/${resource}/:name`, deleteObject(kind));
  }
  on('GET', '/api/v1/devices', listDevices);
  on('GET', '/api/v1/events', listEvents);
  on('GET', `${inNamespace}/events`, listEvents);
  on('GET', `${inNamespace}/events/:name`, getEvent);
  on('GET', '/api', sendApiVersions);
  on('GET', '/apis', sendApiGroups);
  on('GET', '/api/v1', sendResources);
  on('GET', '/version', (call) => sendVersion(call, version));
  for (const path of ['/healthz', '/livez', '/readyz']) on('GET', path, sendHealth);
  return routes;
}

/** The answer to whoever wants to speak something else, for as long as nobody has begun to; the last one here. */
function refusalOver(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => socket.end());
  return response;
}

async function handle(
  come: Pick<Call, 'request' | 'response' | 'upgrade' | 'signal'>,
  routes: Routes,
  context: ApiContext,
): Promise<void> {
  const { request } = come;
  const [path = '/', search = ''] = splitOnce(request.url ?? '/', '?');
  const call = { ...come, params: {}, query: new URLSearchParams(search) };
  try {
    const { handler, params } = findRoute(routes, request.method ?? 'GET', path);
    await handler({ ...call, params }, context);
  } catch (error) {
    fail(call, error, context.log);
  }
}

function findRoute(
  routes: Routes,
  method: string,
  path: string,
): { handler: Handler; params: Call['params'] } {
  const found = routes.find(method as HTTPMethod, path);
  if (found) return { handler: found.store as Handler, params: found.params };
  const isKnown = (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).some((other) =>
    routes.find(other, path),
  );
  throw isKnown
    ? new ApiError('MethodNotAllowed', `${method} is not supported on ${path}`)
    : new ApiError('NotFound', 'the server could not find the requested resource', { where: path });
}

function fail(call: Call, error: unknown, log: Logger): void {
  const { request, response, signal } = call;
  if (signal.aborted) {
    response.destroy();
    return;
  }
  const status = statusOf(error);
  if (status.code >= 500) log.error({ err: error, path: request.url }, 'a request has failed');
  if (response.headersSent) {
    // Halfway through an answer there is no other way to tell that the rest is missing.
    response.destroy();
    return;
  }
  // What is left of a refused body is not waited for.
  if (!request.complete) response.setHeader('connection', 'close');
  sendJson(call, status.code, status);
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Ends with the last connection; also removes the socket's file. */
async function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.close(() => resolve(undefined));
  server.closeAllConnections();
  await promise;
}
