/**
 * A process in a container from the caller's side: his streams, and its exit code in the end.
 *
 * Read next: exec.ts, the other end.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { RepriseError } from '../errors.ts';
import type { TerminalSize } from './backend.ts';
import { podPath } from './client.ts';
import { channelProtocols, channels, exitCodeIn, inChannel, sizeMessage } from './channels.ts';
import type { ExecStatus } from './channels.ts';
import type { ApiStatus } from './api-status.ts';
import { failureOf, searchOf, unreachable } from './transport.ts';

export interface ExecCall {
  /** Path of the agent's unix socket. */
  readonly socket: string;
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly tty: boolean;
}

/** What the process is connected to on this side. */
export interface ExecStreams {
  /** Its input, until it ends; absent: it has none. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Resolves when more can be taken. */
  readonly output: (bytes: Uint8Array) => Promise<void>;
  readonly errors: (bytes: Uint8Array) => Promise<void>;
  /** The size of the terminal, each time it changes. */
  readonly sizes?: AsyncIterable<TerminalSize>;
}

/** What is said of a command in the address, which the agent's server takes up to 1 MiB of. */
const MOST_CHARACTERS = 1_000_000;

/** Runs a command; resolves with its exit code when all of its output is out. Throws what the agent says. */
export async function execCommand(
  { socket, namespace, name, container, command, tty }: ExecCall,
  { input, output, errors, sizes }: ExecStreams,
): Promise<number> {
  const path = `${podPath(namespace, name)}/exec`;
  const query = { container, command, stdin: input !== undefined, stdout: true, stderr: !tty, tty };
  const search = searchOf(query);
  if (search.length > MOST_CHARACTERS) {
    throw new RepriseError(`the command has more than ${MOST_CHARACTERS} characters`, {
      where: `pod ${namespace}/${name}`,
      next: 'give it what it needs by its input: reprise exec -i NAME -- sh < FILE',
    });
  }
  const webSocket = new WebSocket(`ws://localhost${path}${search}`, [...channelProtocols], {
    createConnection: () => connect(socket),
    perMessageDeflate: false,
    // Its default, 100 MiB, is more than a message ever has.
    maxPayload: 16 * 1024 * 1024,
  });
  // Registered before it can come.
  const ended = statusFrom(webSocket, { output, errors }, socket);
  ended.catch(() => undefined);
  try {
    await opened(webSocket, socket, path);
    const unsent = Promise.withResolvers<never>();
    sendEach(webSocket, frames(input)).catch(unsent.reject);
    sendEach(webSocket, resizes(sizes)).catch(unsent.reject);
    const status = await Promise.race([ended, unsent.promise]);
    const code = exitCodeIn(status);
    if (code !== undefined) return code;
    throw failureOf(status as ApiStatus, path);
  } finally {
    webSocket.terminate();
  }
}

/** Throws as an ordinary call does if the agent refuses. */
async function opened(webSocket: WebSocket, socket: string, where: string): Promise<void> {
  const refused = new Promise<never>((_resolve, reject) => {
    webSocket.once('unexpected-response', (_request, response: IncomingMessage) => {
      refusal(response, where).then(reject, reject);
    });
  });
  const isOpen = once(webSocket, 'open').catch((error: unknown) => {
    throw unreachable(socket, error);
  });
  await Promise.race([isOpen, refused]);
}

/** What comes last; everything before it has been put out when it is there. */
function statusFrom(
  webSocket: WebSocket,
  { output, errors }: Pick<ExecStreams, 'output' | 'errors'>,
  socket: string,
): Promise<ExecStatus> {
  const { promise, resolve, reject } = Promise.withResolvers<ExecStatus>();
  let put = Promise.resolve();
  let waiting = 0;
  const take = async (channel: number | undefined, bytes: Buffer): Promise<void> => {
    if (channel === channels.stdout) await output(bytes);
    else if (channel === channels.stderr) await errors(bytes);
    else if (channel === channels.error) resolve(JSON.parse(bytes.toString('utf8')) as ExecStatus);
  };
  webSocket.on('message', (message: Buffer) => {
    waiting++;
    webSocket.pause();
    put = put
      .then(() => take(message[0], message.subarray(1)))
      .then(() => {
        if (--waiting === 0) webSocket.resume();
      })
      .catch(reject);
  });
  webSocket.on('error', (error) => reject(unreachable(socket, error)));
  webSocket.on('close', () => {
    const broke = new RepriseError('it has ended before the command did');
    void put.then(() => reject(unreachable(socket, broke)));
  });
  return promise;
}

/** What comes of the input, and that it has ended. */
async function* frames(input: ExecStreams['input']): AsyncIterable<Buffer> {
  if (input === undefined) return;
  for await (const bytes of input) yield inChannel(channels.stdin, bytes);
  yield inChannel(channels.close, Uint8Array.of(channels.stdin));
}

async function* resizes(sizes: ExecStreams['sizes']): AsyncIterable<Buffer> {
  for await (const size of sizes ?? []) yield inChannel(channels.resize, sizeMessage(size));
}

/** No faster than they are taken. Ends with the connection, of which others tell. */
async function sendEach(webSocket: WebSocket, messages: AsyncIterable<Buffer>): Promise<void> {
  for await (const message of messages) {
    const failure = await new Promise((resolve) => webSocket.send(message, resolve));
    if (failure !== undefined && failure !== null) return;
  }
}

/** What the agent answers instead; that may be a word of HTTP's server, too. */
async function refusal(response: IncomingMessage, where: string): Promise<Error> {
  const said = await text(response);
  try {
    return failureOf(JSON.parse(said) as ApiStatus, where);
  } catch {
    const code = `${response.statusCode ?? 0} ${response.statusMessage ?? ''}`.trim();
    return new RepriseError(`the agent refuses to run a command: ${code}`, {
      where,
      next: 'look at the log of the agent',
    });
  }
}
