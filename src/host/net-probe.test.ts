import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { selfSigned } from '../testing/certificate.ts';
import { urlOf } from './http-get.ts';
import type { HttpQuestion } from './net-probe.ts';
import { probeHttp, probeTcp } from './net-probe.ts';

const never = new AbortController().signal;
/** Of a probe that is to succeed: however busy the machine is. */
const patienceMs = 240_000;

/** Listens on a port of loopback that nobody else has, until the test is over. */
async function listening(t: ExecutionContext, server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    if (server instanceof http.Server || server instanceof https.Server) {
      server.closeAllConnections();
    }
  });
  return (server.address() as AddressInfo).port;
}

/** A server that answers with what the path says: `/404`, `/to?URL`. It keeps what it was sent. */
async function aServer(
  t: ExecutionContext,
): Promise<{ port: number; seen: http.IncomingMessage[] }> {
  const seen: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request);
    const url = request.url ?? '';
    const [, to] = /^\/to\?(.*)$/.exec(url) ?? [];
    if (to !== undefined) response.writeHead(302, { Location: to });
    else response.statusCode = Number(/^\/(\d{3})/.exec(url)?.[1] ?? 200);
    response.end('hello');
  });
  return { port: await listening(t, server), seen };
}

function asked(port: number, more: Partial<HttpQuestion> = {}): HttpQuestion {
  const question = { scheme: 'HTTP' as const, host: '127.0.0.1', path: '/', headers: [] };
  return { ...question, port, userAgent: 'kube-probe/1.36', ...more };
}

const statuses = {
  200: 'success',
  204: 'success',
  304: 'warning',
  399: 'warning',
  400: 'failure',
  503: 'failure',
};
for (const [status, outcome] of Object.entries(statuses)) {
  test(`${status} is a ${outcome}`, async (t) => {
    const { port } = await aServer(t);
    const found = await probeHttp(asked(port, { path: `/${status}` }), patienceMs, never);
    t.is<string, string>(found.outcome, outcome);
    if (outcome === 'failure') t.is(found.output, `HTTP probe failed with statuscode: ${status}`);
  });
}

test('a request says who asks, and ends its connection', async (t) => {
  const { port, seen } = await aServer(t);
  await probeHttp(asked(port, { path: 'a b?c=d' }), patienceMs, never);
  t.is(seen[0]?.url, '/a%20b?c=d');
  t.like(seen[0]?.headers, {
    'user-agent': 'kube-probe/1.36',
    accept: '*/*',
    host: `127.0.0.1:${port}`,
    connection: 'close',
  });
  t.is(seen[0]?.headers['accept-encoding'], undefined);
});

test('headers of the manifest win, may be repeated, and an empty Accept is none', async (t) => {
  const { port, seen } = await aServer(t);
  const headers = [
    { name: 'host', value: 'example.org' },
    { name: 'USER-AGENT', value: 'me' },
    { name: 'Accept', value: '' },
    { name: 'X-A', value: '1' },
    { name: 'x-a', value: '2' },
  ];
  await probeHttp(asked(port, { headers }), patienceMs, never);
  t.like(seen[0]?.headers, { host: 'example.org', 'user-agent': 'me', 'x-a': '1, 2' });
  t.is(seen[0]?.headers.accept, undefined);
});

test('what a manifest may have in a header can be sent', async (t) => {
  const { port, seen } = await aServer(t);
  const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  const value = `a\t${bytes.replace(/[\0-\x1f\x7f]/g, '')} 1 € \u{1f600}`;
  const headers = [{ name: 'X-All', value }];
  t.is((await probeHttp(asked(port, { headers }), patienceMs, never)).outcome, 'success');
  // Node shows each byte as a character of its own.
  t.is(Buffer.from(String(seen[0]?.headers['x-all']), 'latin1').toString(), value);
});

test('a redirect on the same host is followed; a Host header stays only with its server', async (t) => {
  const { port, seen } = await aServer(t);
  const headers = [{ name: 'Host', value: 'example.org' }];
  const found = await probeHttp(asked(port, { path: '/to?/503', headers }), patienceMs, never);
  t.is(found.outcome, 'failure');
  t.deepEqual(
    seen.map(({ url, headers: { host } }) => [url, host]),
    [
      ['/to?/503', 'example.org'],
      ['/503', 'example.org'],
    ],
  );
  const absolute = { path: `/to?http://127.0.0.1:${port}/200`, headers };
  t.is((await probeHttp(asked(port, absolute), patienceMs, never)).outcome, 'success');
  t.is(seen.at(-1)?.headers.host, `127.0.0.1:${port}`);
});

for (const target of ['http://localhost/', 'http://other.example/', 'file:///etc/passwd']) {
  test(`a redirect to ${target} is not followed, and is a success to warn of`, async (t) => {
    const { port, seen } = await aServer(t);
    const found = await probeHttp(asked(port, { path: `/to?${target}` }), patienceMs, never);
    t.deepEqual(found, {
      outcome: 'warning',
      output: 'Probe terminated redirects, Response body: hello',
    });
    t.is(seen.length, 1);
  });
}

test('redirects without end are a failure', async (t) => {
  const server = http.createServer((_, response) =>
    response.writeHead(302, { Location: '/' }).end(),
  );
  const found = await probeHttp(asked(await listening(t, server)), patienceMs, never);
  t.is(found.outcome, 'failure');
  t.true(found.output.endsWith('stopped after 10 redirects'));
});

test('a certificate is not verified', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reprise-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const server = https.createServer(selfSigned(folder), (_, response) => response.end('safe'));
  const question = asked(await listening(t, server), { scheme: 'HTTPS' });
  t.deepEqual(await probeHttp(question, patienceMs, never), { outcome: 'success', output: 'safe' });
});

test('no more than 10 KiB of an answer are read', async (t) => {
  const server = http.createServer((_, response) => {
    const more = () => {
      while (response.write('x'.repeat(65_536)));
      response.once('drain', more);
    };
    more();
  });
  const found = await probeHttp(asked(await listening(t, server)), patienceMs, never);
  t.is(found.outcome, 'success');
  t.is(found.output.length, 10_240);
});

test('who does not answer in time fails', async (t) => {
  const port = await listening(
    t,
    http.createServer(() => undefined),
  );
  t.deepEqual(await probeHttp(asked(port), 50, never), {
    outcome: 'failure',
    output: `Get "http://127.0.0.1:${port}/": no answer within 0.05s`,
  });
});

for (const days of [30, 24_855]) {
  test(`a probe may take ${days} days`, async (t) => {
    const { port } = await aServer(t);
    const timeoutMs = days * 86_400_000;
    t.is((await probeHttp(asked(port), timeoutMs, never)).outcome, 'success');
    t.is((await probeTcp('127.0.0.1', port, timeoutMs, never)).outcome, 'success');
  });
}

test('who does not listen fails', async (t) => {
  // No port that others may be given is ever so low.
  const port = 1;
  const refused = `connect ECONNREFUSED 127.0.0.1:${port}`;
  t.deepEqual(await probeHttp(asked(port), patienceMs, never), {
    outcome: 'failure',
    output: `Get "http://127.0.0.1:${port}/": ${refused}`,
  });
  t.deepEqual(await probeTcp('127.0.0.1', port, patienceMs, never), {
    outcome: 'failure',
    output: `dial tcp 127.0.0.1:${port}: ${refused}`,
  });
});

test('lines of headers may end without a CR', async (t) => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\n\nfine';
  const port = await listening(
    t,
    net.createServer((socket) => socket.end(answer)),
  );
  const found = await probeHttp(asked(port), patienceMs, never);
  t.deepEqual(found, { outcome: 'success', output: 'fine' });
});

test('who answers nonsense fails', async (t) => {
  const port = await listening(
    t,
    net.createServer((socket) => socket.end('what?\r\n\r\n')),
  );
  t.is((await probeHttp(asked(port), patienceMs, never)).outcome, 'failure');
});

/** A server of our own making: it says something first, and then may say something else for ever. */
async function saying(t: ExecutionContext, first: string, forEver = ''): Promise<number> {
  const much = forEver.repeat(10_000);
  const server = net.createServer((socket) => {
    // It is hung up on while it speaks.
    socket.on('error', () => undefined);
    socket.resume();
    const more = () => {
      while (socket.writable && socket.write(much));
    };
    socket.once('data', () => {
      socket.write(first);
      if (forEver === '') return;
      socket.on('drain', more);
      more();
    });
  });
  return await listening(t, server);
}

const ok = 'HTTP/1.1 200 OK\r\n';
const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';

test('who wants to speak something else has answered, and is hung up on', async (t) => {
  const closed = Promise.withResolvers<undefined>();
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('close', () => closed.resolve(undefined)).resume();
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\nsomething else`);
  });
  const found = await probeHttp(asked(await listening(t, server)), patienceMs, never);
  t.deepEqual(found, { outcome: 'failure', output: 'HTTP probe failed with statuscode: 101' });
  await closed.promise;
});

test('who could also speak something else, and does not, has answered as always', async (t) => {
  const port = await saying(t, `${ok}${upgrade}Content-Length: 4\r\n\r\nfine`);
  const found = await probeHttp(asked(port), patienceMs, never);
  t.deepEqual(found, { outcome: 'success', output: 'fine' });
});

const tooMuch = {
  'headers without end': { first: ok, forEver: 'a: b\r\n', why: 'Header overflow' },
  'a header without end': { first: `${ok}a: `, forEver: 'b', why: 'Header overflow' },
  'a reason without end': { first: 'HTTP/1.1 200 ', forEver: 'b', why: 'Header overflow' },
  'trailers without end': {
    first: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n`,
    forEver: 'a: b\r\n',
    why: 'Header overflow',
  },
  'a chunk extension without end': {
    first: `${ok}Transfer-Encoding: chunked\r\n\r\n1;`,
    forEver: 'a',
    why: 'Chunk extensions overflow',
  },
  'promises without end': {
    first: '',
    forEver: 'HTTP/1.1 100 Continue\r\n\r\n',
    why: 'too many 1xx responses',
  },
};
for (const [title, { first, forEver, why }] of Object.entries(tooMuch)) {
  test(`too much is ${title}`, async (t) => {
    const found = await probeHttp(asked(await saying(t, first, forEver)), patienceMs, never);
    t.is(found.outcome, 'failure');
    t.true(found.output.endsWith(why), found.output);
  });
}

const tooLong = {
  'nothing but line ends': { forEver: '\r\n' },
  'nothing but spaces in a header': { first: `${ok}a:`, forEver: ' ' },
  'the beginning of a line': { first: 'HTTP/1.' },
  'the beginning of a body': { first: `${ok}Content-Length: 5\r\n\r\nabc` },
  'a promise': { first: 'HTTP/1.1 100 Continue\r\n\r\n' },
  'no word of TLS': { scheme: 'HTTPS' as const },
};
for (const [title, { first = '', forEver, ...more }] of Object.entries<{
  first?: string;
  forEver?: string;
  scheme?: 'HTTPS';
}>(tooLong)) {
  test(`${title} is no answer when the time is over`, async (t) => {
    const found = await probeHttp(asked(await saying(t, first, forEver), more), 50, never);
    t.is(found.outcome, 'failure');
    t.true(found.output.endsWith('no answer within 0.05s'), found.output);
  });
}

test('headers may be long', async (t) => {
  const long = `X-Long: ${'x'.repeat(1_000_000)}\r\n`;
  const port = await saying(t, `${ok}${long}Content-Length: 4\r\n\r\nfine`);
  const found = await probeHttp(asked(port), patienceMs, never);
  t.deepEqual(found, { outcome: 'success', output: 'fine' });
});

test('a connection that is accepted is enough for TCP', async (t) => {
  const sockets: net.Socket[] = [];
  const port = await listening(
    t,
    net.createServer((socket) => sockets.push(socket)),
  );
  t.is((await probeTcp('127.0.0.1', port, patienceMs, never)).outcome, 'success');
});

test('who is not interested any more gets no finding', async (t) => {
  const port = await listening(
    t,
    http.createServer(() => undefined),
  );
  const over = new AbortController();
  const finding = probeHttp(asked(port), patienceMs, over.signal);
  over.abort(new Error('it ended'));
  await t.throwsAsync(finding, { message: 'it ended' });
  await t.throwsAsync(probeTcp('127.0.0.1', port, patienceMs, over.signal), {
    message: 'it ended',
  });
});

const urls = {
  'http://[2001:db8::1]:80/': urlOf('HTTP', '2001:db8::1', 80, '/'),
  'https://h:443//not-a-host/?q': urlOf('HTTPS', 'h', 443, '//not-a-host/?q'),
};
for (const [expected, url] of Object.entries(urls)) {
  test(`a URL: ${expected}`, (t) => t.is(url.href, new URL(expected).href));
}
