/**
 * One GET request, as probes and hooks make it: a connection of its own, no proxy, certificates not
 * verified, and only the beginning of the answer read.
 *
 * A redirect is followed on the same host only, as by the kubelet's RedirectChecker (probe/http/http.go):
 * what answers is somebody's container, and must not send the node, and the headers with credentials,
 * to wherever it likes. A redirect to another host is the answer itself.
 */
import http from 'node:http';
import https from 'node:https';
import { unlessAborted } from '../unless-aborted.ts';

export interface GetRequest {
  readonly url: URL;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly userAgent: string;
}

export interface GetAnswer {
  readonly status: number;
  /** The first 10 KiB. */
  readonly body: string;
}

type Answer = GetAnswer & { readonly location?: string };

const longestBody = 10 * 1024;
/** Node's 16 KiB is too little for some; Go's 10 MiB is much for an agent that all pods share. */
const mostHeaderBytes = 1024 * 1024;
const mostRedirects = 10;
/** Before the answer itself, as in Go. */
const mostInformational = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The URL of a host, which may be an IPv6 address, and a path that may have a query. */
export function urlOf(scheme: 'HTTP' | 'HTTPS', host: string, port: number, path: string): URL {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const absolute = path.startsWith('/') ? path : `/${path}`;
  return new URL(`${scheme.toLowerCase()}://${bracketed}:${port}${absolute}`);
}

/** Asks, and follows redirects on the same host. Rejects when there is no answer, or with the signal's own reason. */
export async function httpGet(request: GetRequest, signal: AbortSignal): Promise<GetAnswer> {
  let { url, headers } = request;
  for (let redirected = 0; ; redirected++) {
    const { location, ...answer } = await ask(url, headersOf({ ...request, headers }), signal);
    if (location === undefined || !redirects.has(answer.status)) return answer;
    const next = new URL(location, url);
    if (!isOnSameHost(request.url, next)) return answer;
    if (redirected === mostRedirects) throw new Error(`stopped after ${mostRedirects} redirects`);
    // A Host header that was asked for belongs to the server that was asked.
    if (URL.canParse(location)) headers = headers.filter(({ name }) => !isName(name, 'host'));
    url = next;
  }
}

function isOnSameHost(first: URL, next: URL): boolean {
  return /^https?:$/.test(next.protocol) && next.hostname === first.hostname;
}

/** As Go sends it; Node would send a byte for each character, and none beyond Latin-1. */
function inUtf8(value: string): string {
  return Buffer.from(value).toString('latin1');
}

function headersOf({ headers, userAgent }: GetRequest): http.OutgoingHttpHeaders {
  const has = (wanted: string) => headers.some(({ name }) => isName(name, wanted));
  const all = [
    ...(has('user-agent') ? [] : [{ name: 'User-Agent', value: userAgent }]),
    ...(has('accept') ? [] : [{ name: 'Accept', value: '*/*' }]),
    // An Accept that is empty is one that is not sent.
    ...headers.filter(({ name, value }) => !(isName(name, 'accept') && value === '')),
  ];
  const merged = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (const { name, value } of all) {
    const known = merged.get(name.toLowerCase());
    if (known === undefined) merged.set(name.toLowerCase(), { name, values: [value] });
    else if (isName(name, 'host')) known.values.splice(0, 1, value);
    else known.values.push(value);
  }
  return Object.fromEntries(
    [...merged.values()].map(({ name, values }) => [
      name,
      values.length === 1 ? inUtf8(values[0] ?? '') : values.map(inUtf8),
    ]),
  );
}

/** Asks once. However the server behaves, the answer is settled by the signal at the latest. */
async function ask(
  url: URL,
  headers: http.OutgoingHttpHeaders,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const options = {
    method: 'GET',
    headers,
    // A connection for this request alone, closed after it.
    agent: false as const,
    // As lenient as Go's client: busybox's httpd, for one, ends lines of headers without a CR.
    insecureHTTPParser: true,
    maxHeaderSize: mostHeaderBytes,
  };
  const request =
    url.protocol === 'https:'
      ? https.request(url, { ...options, rejectUnauthorized: false })
      : http.request(url, options);
  const answer = answerTo(request);
  request.end();
  try {
    return await unlessAborted(answer, signal);
  } finally {
    request.destroy();
  }
}

function answerTo(request: http.ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    let informational = 0;
    request.on('information', () => {
      informational++;
      if (informational > mostInformational) reject(new Error('too many 1xx responses'));
    });
    // A server that wants to speak something else has answered, too; and Node tells of it nowhere else.
    request.on('upgrade', ({ statusCode: status = 0 }, socket) => {
      socket.on('error', () => undefined); // Nobody is interested any more.
      socket.destroy();
      resolve({ status, body: '' });
    });
    request.on('response', (response) => {
      isAnswered = true;
      const chunks: Buffer[] = [];
      let length = 0;
      const answer = () => {
        const { statusCode: status = 0, headers } = response;
        const body = Buffer.concat(chunks).subarray(0, longestBody).toString();
        resolve({ status, body, location: headers.location });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length >= longestBody) answer();
      });
      response.on('end', answer);
      response.on('error', reject);
      response.on('close', () => reject(new Error('the connection was closed within the answer')));
    });
    request.on('error', reject);
    request.on('close', () => {
      // The rest of an answer may be read after its connection has been closed.
      if (!isAnswered) reject(new Error('the connection was closed without an answer'));
    });
  });
}

function isName(name: string, wanted: string): boolean {
  return name.toLowerCase() === wanted;
}
