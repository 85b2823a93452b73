/**
 * GET and POST .../pods/NAME/exec: a process in a container, its streams over a WebSocket.
 *
 * It lives as long as its caller listens: who hangs up kills it. Neither side is sent more than it reads.
 * SPDY, all that kubectl spoke before 1.29, is refused.
 *
 * Read next: channels.ts, what goes over the wire; exec-client.ts, the other end.
 */
import type { Readable } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { ConflictError } from '../errors.ts';
import { podKey } from '../pod/pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { ApiError } from './api-status.ts';
import type { ExecRequest, ExecSession } from './backend.ts';
import { isSet } from './call.ts';
import type { ApiContext, Call, Upgrade } from './call.ts';
import { channelProtocols, channels, exitStatus, inChannel, terminalSizeIn } from './channels.ts';
import { statusOf } from './failure.ts';
import { containerState, pickContainer } from './pod-containers.ts';
import { findPod } from './pods.ts';

const webSockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: 1024 * 1024,
  handleProtocols: (offered) => channelProtocols.find((known) => offered.has(known)) ?? false,
});

/** What the caller wants to have sent of the output; with a terminal there is one stream. */
interface Wishes {
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** How often it is tried whether the caller is still there. */
const LOOK_EVERY_MS = 5_000;

/** Runs a process until it or its caller ends. */
export async function execInPod(call: Call, { backend, log }: ApiContext): Promise<void> {
  const pod = findPod(call, backend);
  const { request, wishes } = requestOf(call.query, pod);
  assertRunning(pod, request.container);
  const { signal } = call;
  const broken = (err: unknown) => log.debug({ err }, 'a connection of exec broke');
  const webSocket = await accept(call, upgradeOf(call), broken);
  const alive = setInterval(() => lookForCaller(webSocket), LOOK_EVERY_MS);
  try {
    const { namespace, name } = pod.metadata;
    const session = await backend.exec(namespace, name, request, signal);
    try {
      receive(webSocket, session, broken);
      await unlessAborted(sendOutput(webSocket, session, wishes), signal);
      const code = await unlessAborted(session.exited, signal);
      await send(webSocket, channels.error, JSON.stringify(exitStatus(code)));
    } finally {
      await ended(session, (err) => log.warn({ err, pod: podKey(pod) }, 'a command is not ended'));
    }
  } catch (error) {
    if (signal.aborted) return;
    const status = statusOf(error);
    if (status.code >= 500) log.warn({ err: error, pod: podKey(pod) }, 'a command has failed');
    await send(webSocket, channels.error, JSON.stringify(status)).catch(broken);
  } finally {
    clearInterval(alive);
    webSocket.close(1000);
    // Or the caller's last words would keep the connection open.
    webSocket.resume();
  }
}

/** Whatever becomes of it, its caller has been told how the command ended. */
async function ended(session: ExecSession, report: (error: unknown) => void): Promise<void> {
  try {
    await session[Symbol.asyncDispose]();
  } catch (error) {
    report(error);
  }
}

function requestOf(query: URLSearchParams, pod: V1Pod): { request: ExecRequest; wishes: Wishes } {
  const container = pickContainer(pod, query.get('container'));
  const command = query.getAll('command');
  if (command.length === 0) {
    throw new ApiError('BadRequest', 'you must specify at least one command for the container');
  }
  const [stdin, tty] = [isSet(query, 'stdin'), isSet(query, 'tty')];
  const wishes = { stdout: isSet(query, 'stdout'), stderr: isSet(query, 'stderr') };
  if (!stdin && !wishes.stdout && !wishes.stderr) {
    throw new ApiError('BadRequest', 'you must specify at least 1 of stdin, stdout, stderr');
  }
  if (tty && wishes.stderr) {
    throw new ApiError('BadRequest', 'tty and stderr cannot both be true');
  }
  return { request: { container, command, stdin, tty }, wishes };
}

/** Said while there is an answer of HTTP to say it in. */
function assertRunning(pod: V1Pod, container: string): void {
  const { metadata, status } = pod;
  const state = containerState(pod, container);
  if (state?.running !== undefined) return;
  const why = state?.waiting?.reason ?? state?.terminated?.reason ?? status.phase;
  throw new ConflictError(`container "${container}" does not run: ${why}`, {
    where: `pod ${metadata.namespace}/${metadata.name}`,
    next: `look at it: reprise describe pod ${metadata.name} -n ${metadata.namespace}`,
  });
}

function upgradeOf({ request, upgrade }: Call): Upgrade {
  if (upgrade === undefined) throw new ApiError('BadRequest', 'Upgrade request required');
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  const isWebSocket =
    request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
  if (isWebSocket && channelProtocols.some((known) => offered.includes(known))) return upgrade;
  const known = channelProtocols.join(' or ');
  throw new ApiError('BadRequest', `unable to upgrade: only WebSockets with ${known} are spoken`, {
    next: 'use "reprise exec", or a kubectl that speaks them, as 1.31 and later do',
  });
}

/** Nothing is read of it yet. Throws when the caller hangs up, or has not asked as the protocol wants it. */
function accept(
  { request, response, signal }: Call,
  { socket, head }: Upgrade,
  broken: (error: unknown) => void,
): Promise<WebSocket> {
  response.detachSocket(socket);
  const { promise, resolve } = Promise.withResolvers<WebSocket>();
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    // At once: what has come with the request is read as soon as this returns.
    webSocket.on('error', broken);
    webSocket.pause();
    resolve(webSocket);
  });
  return unlessAborted(promise, signal);
}

/**
 * Whoever has hung up is noticed by reading, or else by writing: this is an answer that was not asked for, which
 * every WebSocket passes over. It also keeps callers content who want to hear something now and then.
 */
function lookForCaller(webSocket: WebSocket): void {
  if (webSocket.readyState === webSocket.OPEN && webSocket.bufferedAmount === 0) webSocket.pong();
}

/** What the caller sends, from now on. */
function receive(
  webSocket: WebSocket,
  { input, closeInput, resize }: ExecSession,
  broken: (error: unknown) => void,
): void {
  // It has ended, or closed its input: what it does not read is nobody's.
  input?.on('error', broken);
  for (const event of ['drain', 'close']) input?.on(event, () => webSocket.resume());
  webSocket.on('message', (message: Buffer) => {
    const [channel, payload] = [message[0], message.subarray(1)];
    if (channel === channels.stdin && input?.writable === true) {
      if (!input.write(payload)) webSocket.pause();
    } else if (channel === channels.close && payload[0] === channels.stdin) {
      input?.end(() => void closeInput().catch(broken));
    } else if (channel === channels.resize) {
      const size = terminalSizeIn(payload);
      if (size !== undefined) resize(size).catch(broken);
    }
  });
  webSocket.resume();
}

/** Resolves when all that is wanted has been sent. */
async function sendOutput(
  webSocket: WebSocket,
  { output, errors }: ExecSession,
  { stdout, stderr }: Wishes,
): Promise<void> {
  const forward = async (stream: Readable | undefined, channel: number, isWanted: boolean) => {
    if (stream === undefined) return;
    try {
      for await (const piece of stream.iterator({ destroyOnReturn: false })) {
        if (isWanted) await send(webSocket, channel, piece as Buffer);
      }
    } finally {
      // Who writes to it would wait for a reader for ever.
      stream.resume();
    }
  };
  await Promise.all([
    forward(output, channels.stdout, stdout),
    forward(errors, channels.stderr, stderr),
  ]);
}

function send(webSocket: WebSocket, channel: number, bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    webSocket.send(inChannel(channel, bytes), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
