/** Probes over the network, made from the node: is somebody listening, does a GET succeed. */
import { once } from 'node:events';
import net from 'node:net';
import { messageOf } from '../errors.ts';
import { timeLimit } from '../timers.ts';
import { httpGet, urlOf } from './http-get.ts';

/** What a probe has found. `warning`: a success that somebody should look at. */
export interface Finding {
  readonly outcome: 'success' | 'warning' | 'failure';
  readonly output: string;
}

/** Succeeds when a connection is accepted in time; nothing is sent. */
export async function probeTcp(
  host: string,
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Finding> {
  const socket = net.connect({ host, port });
  using limit = timeLimit(timeoutMs, signal);
  try {
    await once(socket, 'connect', { signal: limit.signal });
    return { outcome: 'success', output: '' };
  } catch (error) {
    signal.throwIfAborted();
    const isLate = (error as Error).name === 'AbortError';
    const what = isLate ? 'i/o timeout' : messageOf(error);
    return {
      outcome: 'failure',
      output: `dial tcp ${net.isIPv6(host) ? `[${host}]` : host}:${port}: ${what}`,
    };
  } finally {
    socket.on('error', () => undefined); // Nobody is interested any more.
    socket.destroy();
  }
}

export interface HttpQuestion {
  readonly scheme: 'HTTP' | 'HTTPS';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly userAgent: string;
}

/** Succeeds with any status from 200 to 399. A redirect to another host is not followed. */
export async function probeHttp(
  { scheme, host, port, path, headers, userAgent }: HttpQuestion,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Finding> {
  const url = urlOf(scheme, host, port, path);
  using limit = timeLimit(timeoutMs, signal);
  try {
    const { status, body } = await httpGet({ url, headers, userAgent }, limit.signal);
    if (status < 200 || status >= 400) {
      return { outcome: 'failure', output: `HTTP probe failed with statuscode: ${status}` };
    }
    if (status < 300) return { outcome: 'success', output: body };
    const output = `Probe terminated redirects, Response body: ${body}`;
    return { outcome: 'warning', output };
  } catch (error) {
    signal.throwIfAborted();
    const why = limit.signal.aborted ? `no answer within ${timeoutMs / 1000}s` : messageOf(error);
    return { outcome: 'failure', output: `Get "${url.href}": ${why}` };
  }
}
