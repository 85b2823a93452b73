import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { RepriseError } from '../errors.ts';
import type { Program } from '../testing/memory-backend.ts';
import { serve } from '../testing/served.ts';
import type { Served } from '../testing/served.ts';
import type { TerminalSize } from './backend.ts';
import { execCommand } from './exec-client.ts';
import type { ExecStreams } from './exec-client.ts';

const manifest = `{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: main, image: i}, {name: other, image: i}]}}`;
const path = '/api/v1/namespaces/default/pods/web/exec';

/** An API with a pod of which `main` runs and `other` does not. */
async function aServer(programs: Readonly<Record<string, Program>> = {}): Promise<Served> {
  const served = await serve();
  const pod = await served.client.createPod('default', manifest, new AbortController().signal);
  const status = { ready: true, restartCount: 0, image: 'i', imageID: 'i', lastState: {} };
  served.backend.setStatus(pod, {
    phase: 'Running',
    containerStatuses: [
      { ...status, name: 'main', state: { running: { startedAt: '2026-01-01T00:00:00Z' } } },
      { ...status, name: 'other', state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ],
  });
  for (const [name, program] of Object.entries(programs)) {
    served.backend.programs.set(name, program);
  }
  return served;
}

interface Run {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

async function exec(
  { socket }: Served,
  command: readonly string[],
  more: Partial<ExecStreams> & { tty?: boolean; container?: string } = {},
): Promise<Run> {
  const told = { output: '', errors: '' };
  const take = (stream: 'output' | 'errors') => async (bytes: Uint8Array) => {
    await turn();
    told[stream] += Buffer.from(bytes).toString();
  };
  const { tty = false, container = 'main', input, sizes } = more;
  const call = { socket, namespace: 'default', name: 'web', container, command, tty };
  const streams = { input, sizes, output: take('output'), errors: take('errors') };
  return { code: await execCommand(call, streams), ...told };
}

test('a command tells on both streams, and with which code it has ended', async (t) => {
  await using served = await aServer({
    tell: ({ request, output, errors }) => {
      output.write(`to ${request.command.slice(1).join('|')}`);
      errors.write('but beware');
      return Promise.resolve(3);
    },
  });
  const run = await exec(served, ['tell', 'a b', '&c=d', '']);
  t.deepEqual(run, { code: 3, output: 'to a b|&c=d|', errors: 'but beware' });
});

test('what is sent is read, up to its end', async (t) => {
  await using served = await aServer({
    count: async ({ input, output }) => {
      output.write(String((await text(input)).length));
      return 0;
    },
  });
  async function* pieces() {
    for (let index = 0; index < 100; index++) {
      await turn();
      yield Buffer.alloc(20_000, 'x');
    }
  }
  t.deepEqual(await exec(served, ['count'], { input: pieces() }), {
    code: 0,
    output: '2000000',
    errors: '',
  });
});

test('a lot of output comes whole, and before the end is told', async (t) => {
  await using served = await aServer({
    pour: async ({ output }) => {
      for (let index = 0; index < 300; index++) {
        if (!output.write(Buffer.alloc(10_000, 'y'))) await once(output, 'drain');
      }
      return 0;
    },
  });
  t.is((await exec(served, ['pour'])).output.length, 3_000_000);
});

test('the size of a terminal is told, and nothing that is none', async (t) => {
  const seen: TerminalSize[] = [];
  await using served = await aServer({
    look: async ({ request, input, sizes }) => {
      t.like(request, { tty: true, stdin: true });
      await text(input);
      seen.push(...sizes);
      return 0;
    },
  });
  async function* sizes() {
    yield { width: 80, height: 24 };
    yield { width: 0, height: 24 };
    yield { width: 70_000, height: 24 };
    await turn();
    yield { width: 100, height: 40 };
    sized.resolve(undefined);
  }
  const sized = Promise.withResolvers<undefined>();
  async function* input() {
    await sized.promise;
    yield Buffer.from('x');
  }
  await exec(served, ['look'], { tty: true, input: input(), sizes: sizes() });
  t.deepEqual(seen, [
    { width: 80, height: 24 },
    { width: 100, height: 40 },
  ]);
});

test('who hangs up ends the command', async (t) => {
  const begun = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<undefined>();
  await using served = await aServer({ sleep: sleeping(begun.resolve, ended.resolve) });
  const webSocket = rawSocket(served, 'command=sleep&container=main&stdout=true');
  await begun.promise;
  webSocket.terminate();
  await ended.promise;
  t.pass();
});

test('a server that ends ends the command, and tells its caller', async (t) => {
  const begun = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<undefined>();
  const served = await aServer({ sleep: sleeping(begun.resolve, ended.resolve) });
  const run = exec(served, ['sleep']);
  await begun.promise;
  await Promise.all([
    t.throwsAsync(run, { message: /connection to the agent broke/ }),
    served[Symbol.asyncDispose](),
    ended.promise,
  ]);
});

test('who hangs up is noticed, though nothing of what he has sent is read', async (t) => {
  const begun = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<undefined>();
  await using served = await aServer({ sleep: sleeping(begun.resolve, ended.resolve) });
  const query = 'command=sleep&container=main&stdout=true&stdin=true';
  const webSocket = rawSocket(served, query);
  await Promise.all([begun.promise, once(webSocket, 'open')]);
  for (let index = 0; index < 50; index++) webSocket.send(Buffer.alloc(100_000));
  await once(webSocket, 'pong');
  webSocket.terminate();
  await ended.promise;
  t.pass();
});

test('what comes in the same breath as the wish is taken, and nonsense is no crash', async (t) => {
  const nonsense = Buffer.from('ffffffffffff', 'hex');
  // A frame of the input, with a mask of zeros: `hello`, and then that this is all.
  const hello = Buffer.from('8286000000000068656c6c6f8282 00000000ff00'.replace(' ', ''), 'hex');
  const heard = Promise.withResolvers<string>();
  await using served = await aServer({
    read: async ({ input }) => {
      heard.resolve(await text(input));
      return 0;
    },
  });
  for (const frames of [nonsense, hello]) {
    const connection = connect(served.socket);
    const query = 'command=read&container=main&stdin=true';
    const headers = [
      ...['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      ...[
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Protocol: v5.channel.k8s.io',
      ],
    ];
    const wish = `GET ${path}?${query} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`;
    connection.write(Buffer.concat([Buffer.from(wish), frames]));
    t.regex(await text(connection), /^HTTP\/1.1 101 /);
  }
  t.is(await heard.promise, 'hello');
});

test('a caller who is gone before he is refused is no crash', async (t) => {
  await using served = await aServer();
  for (let index = 0; index < 20; index++) {
    const connection = connect(served.socket);
    connection.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`,
    );
    await turn();
    connection.destroy();
  }
  t.is((await served.call('GET', '/healthz')).code, 200);
});

test('a long command is run, and one that is too long is refused in words', async (t) => {
  await using served = await aServer({
    long: ({ request, output }) => {
      output.write(String(request.command[1]?.length));
      return Promise.resolve(0);
    },
  });
  t.is((await exec(served, ['long', 'x'.repeat(100_000)])).output, '100000');
  await t.throwsAsync(exec(served, ['long', 'x'.repeat(2_000_000)]), {
    instanceOf: RepriseError,
    message: /the command has more than 1000000 characters/,
  });
});

function sleeping(begun: (value: undefined) => void, ended: (value: undefined) => void): Program {
  return async ({ killed }) => {
    begun(undefined);
    await once(killed, 'abort');
    ended(undefined);
    return 137;
  };
}

test('a command that cannot be started is an error as of any call', async (t) => {
  await using served = await aServer();
  await t.throwsAsync(exec(served, ['nothing']), {
    instanceOf: RepriseError,
    message: 'no such program',
  });
});

test('an input that cannot be read is told, and ends the command', async (t) => {
  await using served = await aServer({ read: async ({ input }) => (await text(input)).length });
  async function* broken(): AsyncGenerator<Buffer> {
    await turn();
    throw new Error('the disk is gone');
  }
  await t.throwsAsync(exec(served, ['read'], { input: broken() }), { message: 'the disk is gone' });
});

const refused: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a container that does not run': [
    'command=x&stdout=1&container=other',
    /^409 .*does not run: CrashLoopBackOff/,
  ],
  'one that is not there': ['command=x&stdout=1&container=none', /^400 .*choose one of/],
  'none where there are two': ['command=x&stdout=1', /^400 .*a container name must be specified/],
  'no command': ['stdout=1&container=main', /^400 .*at least one command/],
  'no stream': ['command=x&container=main', /^400 .*at least 1 of stdin, stdout, stderr/],
  'two outputs of a terminal': [
    'command=x&stdout=1&stderr=1&tty=1&container=main',
    /^400 .*tty and stderr/,
  ],
};

for (const [what, [query, answer]] of Object.entries(refused)) {
  test(`refused before anything is started: ${what}`, async (t) => {
    await using served = await aServer();
    const webSocket = rawSocket(served, query);
    const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, Response];
    t.regex(`${response.statusCode} ${await text(response)}`, answer);
  });
}

type Response = NodeJS.ReadableStream & { readonly statusCode: number };

test('without an upgrade, or with another one, it is refused, and the connection ends', async (t) => {
  await using served = await aServer();
  const query = `${path}?command=x&stdout=1&container=main`;
  t.like(await served.call('POST', query), { code: 400, json: { reason: 'BadRequest' } });
  for (const headers of [
    'Upgrade: SPDY/3.1',
    'Upgrade: websocket\r\nSec-WebSocket-Protocol: channel.k8s.io',
  ]) {
    t.regex(
      await answerTo(t, served, `POST ${query}`, headers),
      /^HTTP\/1.1 400 [^]*unable to upgrade/,
    );
  }
});

test('a wish for something else does not change an ordinary answer', async (t) => {
  await using served = await aServer();
  const headers = { connection: 'Upgrade', upgrade: 'h2c' };
  const body = manifest.replace('web', 'other');
  const pods = '/api/v1/namespaces/default/pods';
  t.is((await served.call('POST', pods, { body, headers })).code, 201);
  t.like(await served.call('GET', `${pods}/other`, { headers }), { code: 200 });
});

/** All that comes back over a connection on which nothing else is asked. */
async function answerTo(
  t: ExecutionContext,
  { socket }: Served,
  request: string,
  headers: string,
): Promise<string> {
  const connection = connect(socket);
  connection.write(`${request} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${headers}\r\n\r\n`);
  const answer = await text(connection);
  t.regex(answer, /connection: close/i);
  return answer;
}

function rawSocket({ socket }: Served, query: string): WebSocket {
  const webSocket = new WebSocket(`ws://localhost${path}?${query}`, ['v5.channel.k8s.io'], {
    createConnection: () => connect(socket),
  });
  webSocket.on('error', () => undefined);
  return webSocket;
}
