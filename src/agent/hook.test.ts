import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { messageOf } from '../errors.ts';
import type { PodEvent } from '../pod/decision.ts';
import type { Hook, HookKind } from '../pod/handler.ts';
import { blankMemory } from '../pod/memory.ts';
import { criOver } from '../runtime/cri.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import type { Answers } from '../testing/containerd-server.ts';
import { serve } from '../testing/containerd-server.ts';
import { aNode } from '../testing/node.ts';
import { runHook } from './hook.ts';
import { blankView } from './view.ts';

type ExecSync = NonNullable<NonNullable<Answers['runtime']>['ExecSync']>;

/** Runs a hook of a pod whose sandbox has the address of loopback; what came of it, what was told. */
async function run(
  t: ExecutionContext,
  hook: Hook,
  options: { ExecSync?: ExecSync; kind?: HookKind; signal?: AbortSignal } = {},
) {
  const { ExecSync, kind = 'preStop', signal = new AbortController().signal } = options;
  const { containerd, ...server } = await serve({ runtime: ExecSync ? { ExecSync } : {} });
  t.teardown(() => server[Symbol.asyncDispose]());
  const told: PodEvent[] = [];
  const logged: string[] = [];
  const sandbox = { id: 's', attempt: 0, ready: true, ips: ['127.0.0.1'] };
  const outcome = await runHook(
    { cri: criOver(containerd), node: aNode() },
    { kind: 'run-hook', id: 'c1', name: 'main', hook: kind },
    {
      pod: aPod([], [aContainer('main', { lifecycle: { [kind]: hook } })]),
      picture: {
        observed: { ...blankView, sandboxes: [sandbox] },
        memory: { ...blankMemory, sandboxAttempt: 0 },
      },
      tell: (event) => told.push(event),
      report: (what, error) => logged.push(`could not ${what}: ${messageOf(error)}`),
      signal,
    },
  );
  const events = told.map(({ reason, message }) => `${reason}: ${message}`);
  return { outcome, told: events, logged };
}

const done = { kind: 'hooked', outcome: 'done' };

/** A web server that answers with that status, and what it was sent. */
async function aServer(
  t: ExecutionContext,
  code: number,
  headers: http.OutgoingHttpHeaders = {},
  address = '127.0.0.1',
) {
  const seen: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request);
    response.writeHead(code, headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, seen };
}

test('a command that comes before containerd knows of the start is tried again', async (t) => {
  let tries = 0;
  const { outcome } = await run(
    t,
    { exec: { command: ['register'] } },
    {
      kind: 'postStart',
      ExecSync: (_, answer) => {
        tries++;
        if (tries === 3) answer(null, { exitCode: 0 });
        else answer({ code: status.UNKNOWN, details: 'container is in CONTAINER_CREATED state' });
      },
    },
  );
  t.deepEqual([outcome, tries], [done, 3]);
});

test('a command in a container that has ended is not tried again', async (t) => {
  let tries = 0;
  const { outcome } = await run(
    t,
    { exec: { command: ['register'] } },
    {
      kind: 'postStart',
      ExecSync: (_, answer) => {
        tries++;
        answer({ code: status.UNKNOWN, details: 'container is in CONTAINER_EXITED state' });
      },
    },
  );
  t.deepEqual([outcome.kind === 'hooked' && outcome.outcome, tries], ['failed', 1]);
});

test('a command is run as it is written, without a limit', async (t) => {
  const seen: unknown[] = [];
  const { outcome, told } = await run(
    t,
    { exec: { command: ['drain', '$(NOT_EXPANDED)'] } },
    {
      ExecSync: ({ request }, answer) => {
        seen.push(request);
        answer(null, { exitCode: 0 });
      },
    },
  );
  t.deepEqual([outcome, told], [done, []]);
  t.like(seen[0], { containerId: 'c1', cmd: ['drain', '$(NOT_EXPANDED)'], timeout: '0' });
});

test('a command that fails is a failed hook; the event is for the one before the stop', async (t) => {
  const ExecSync: ExecSync = (_, answer) =>
    answer(null, { exitCode: 3, stdout: Buffer.from('no '), stderr: Buffer.from('way') });
  const message = "command 'a b' exited with 3: no way";
  const hook = { exec: { command: ['a', 'b'] } };
  const before = await run(t, hook, { ExecSync });
  t.like(before.outcome, { kind: 'hooked', outcome: 'failed', message });
  // What it is and says is for the log alone.
  t.deepEqual(before.told, ['FailedPreStopHook: PreStopHook failed']);
  t.deepEqual(before.logged, [`could not run the preStop hook of main: ${message}`]);
  const after = await run(t, hook, { ExecSync, kind: 'postStart' });
  t.like(after.outcome, { outcome: 'failed', message });
  t.deepEqual(after.told, []);
  t.deepEqual(after.logged, [`could not run the postStart hook of main: ${message}`]);
});

test('trouble of the runtime is a failed hook', async (t) => {
  const ExecSync: ExecSync = (_, answer) =>
    answer({ code: status.UNKNOWN, details: 'cannot exec' });
  const { outcome } = await run(t, { exec: { command: ['a'] } }, { ExecSync });
  t.like(outcome, { outcome: 'failed', message: 'cannot exec' });
});

for (const code of [200, 404, 503]) {
  test(`any status will do: ${code}`, async (t) => {
    const { port, seen } = await aServer(t, code);
    const get = { path: '/drain', port, scheme: 'HTTP' as const, httpHeaders: [] };
    t.deepEqual((await run(t, { httpGet: get })).outcome, done);
    t.is(seen[0]?.url, '/drain');
    t.is(seen[0]?.headers['user-agent'], 'kube-lifecycle/1.36');
  });
}

for (const [host, isFollowed] of [
  ['127.0.0.1', true],
  ['127.0.0.2', false],
] as const) {
  test(`a redirect ${isFollowed ? 'on the same host is followed' : 'to another host is an answer, and is not followed'}`, async (t) => {
    const other = await aServer(t, 200, {}, host);
    const { port, seen } = await aServer(t, 307, { Location: `http://${host}:${other.port}/x` });
    const httpHeaders = [{ name: 'Authorization', value: 'secret' }];
    const get = { path: '/drain', port, scheme: 'HTTP' as const, httpHeaders };
    t.deepEqual(await run(t, { httpGet: get }), { outcome: done, told: [], logged: [] });
    t.is(seen.length, 1);
    const authorizations = other.seen.map(({ headers }) => headers.authorization);
    t.deepEqual(authorizations, isFollowed ? ['secret'] : []);
  });
}

test('a server that wants to speak something else has been told, too', async (t) => {
  const server = http.createServer();
  server.on('connection', (socket) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: Upgrade\r\n\r\n'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const get = { path: '/', port, scheme: 'HTTP' as const, httpHeaders: [] };
  t.deepEqual((await run(t, { httpGet: get })).outcome, done);
});

test('no answer is a failed hook', async (t) => {
  const get = { path: '/', port: 1, scheme: 'HTTP' as const, httpHeaders: [] };
  t.like((await run(t, { httpGet: get })).outcome, { outcome: 'failed' });
});

test('who speaks no TLS is asked without it, and without the secret', async (t) => {
  const { port, seen } = await aServer(t, 200);
  const httpHeaders = [
    { name: 'authorization', value: 'secret' },
    { name: 'X-A', value: 'b' },
  ];
  const get = { path: '/drain', port, scheme: 'HTTPS' as const, httpHeaders };
  const { outcome, told } = await run(t, { httpGet: get });
  t.deepEqual(outcome, done);
  t.is(seen.at(-1)?.url, '/drain');
  t.is(seen.at(-1)?.headers['authorization'], undefined);
  t.is(seen.at(-1)?.headers['x-a'], 'b');
  t.true(told[0]?.startsWith('LifecycleHTTPFallback: '));
});

test('a sleep takes its time, and ends with its container', async (t) => {
  t.deepEqual((await run(t, { sleep: { seconds: 0 } })).outcome, done);
  for (const seconds of [600, 30 * 86_400, 2 ** 31 - 1]) {
    const over = new AbortController();
    let isOver = false;
    const long = run(t, { sleep: { seconds } }, { signal: over.signal }).finally(() => {
      isOver = true;
    });
    // It would be over by then if its timer were.
    await run(t, { sleep: { seconds: 0 } });
    await setTimeout(50);
    t.false(isOver);
    over.abort();
    t.deepEqual(await long, { outcome: { kind: 'done' }, told: [], logged: [] });
  }
});
