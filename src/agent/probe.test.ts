// Probes through the runtime, and what every probe is made of; over the network: host/net-probe.test.ts.
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Probe } from '../pod/handler.ts';
import { blankMemory } from '../pod/memory.ts';
import type { Container } from '../pod/pod.ts';
import { criOver } from '../runtime/cri.ts';
import { healthChecker } from '../runtime/grpc-health.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import type { Answers } from '../testing/containerd-server.ts';
import { serve } from '../testing/containerd-server.ts';
import { aNode } from '../testing/node.ts';
import { probeContainer } from './probe.ts';
import { blankView } from './view.ts';

const numbers = { timeoutSeconds: 700, periodSeconds: 1, successThreshold: 1, failureThreshold: 1 };
type ExecSync = NonNullable<NonNullable<Answers['runtime']>['ExecSync']>;

const healthy = { ready: true, ips: ['127.0.0.1', '::1'] };

/** Makes one readiness probe at a pod whose sandbox has the address of loopback. */
async function find(
  t: ExecutionContext,
  handler: Partial<Probe>,
  ExecSync?: ExecSync,
  more: Partial<Container> = {},
  signal = new AbortController().signal,
  { podIPs = [], ...network }: typeof healthy & { readonly podIPs?: readonly string[] } = healthy,
) {
  const { containerd, ...server } = await serve({ runtime: ExecSync ? { ExecSync } : {} });
  t.teardown(() => server[Symbol.asyncDispose]());
  const means = { cri: criOver(containerd), checkHealth: healthChecker(), node: aNode() };
  const main = aContainer('main', { readinessProbe: { ...numbers, ...handler }, ...more });
  const sandbox = { id: 's', attempt: 0, ...network };
  return await probeContainer(
    means,
    { kind: 'probe-container', id: 'c1', name: 'main', probe: 'readiness' },
    {
      pod: aPod([], [main]),
      picture: {
        observed: { ...blankView, sandboxes: [sandbox] },
        memory: { ...blankMemory, sandboxAttempt: 0, podIPs },
      },
      signal,
    },
  );
}

const exec = (...command: string[]): Partial<Probe> => ({ exec: { command } });

test('a command is run as it is written, within its time', async (t) => {
  const seen: unknown[] = [];
  const found = await find(
    t,
    exec('check', '$(PORT)', '$(ELSEWHERE)', '$$(PORT)'),
    ({ request }, answer) => {
      seen.push(request);
      answer(null, { stdout: Buffer.from('fine '), stderr: Buffer.from('so far'), exitCode: 0 });
    },
    { env: [{ name: 'PORT', value: '80' }] },
  );
  t.deepEqual(found, { kind: 'probed', outcome: 'success', output: 'fine so far' });
  t.like(seen[0], {
    containerId: 'c1',
    cmd: ['check', '80', '$(ELSEWHERE)', '$(PORT)'],
    timeout: '700',
  });
});

test('any other code than 0 is a failure, and so is no answer in time', async (t) => {
  t.deepEqual(
    await find(t, exec('a'), (_, answer) =>
      answer(null, { exitCode: 3, stderr: Buffer.from('no') }),
    ),
    { kind: 'probed', outcome: 'failure', output: 'no' },
  );
  t.deepEqual(
    await find(t, exec('a', 'b'), (_, answer) =>
      answer({ code: status.DEADLINE_EXCEEDED, details: 'timeout 700s exceeded' }),
    ),
    { kind: 'probed', outcome: 'failure', output: 'command timed out: "a b" timed out after 700s' },
  );
});

test('a long output is cut', async (t) => {
  const stdout = Buffer.alloc(100_000, 'x');
  const found = await find(t, exec('a'), (_, answer) => answer(null, { stdout, exitCode: 1 }));
  t.is(found.kind === 'probed' ? found.output.length : 0, 10_240);
});

test('trouble of the runtime is no finding, and is tried three times', async (t) => {
  let calls = 0;
  const trouble: ExecSync = (_, answer) => {
    calls++;
    answer({ code: status.UNKNOWN, details: 'cannot exec' });
  };
  t.deepEqual(await find(t, exec('a'), trouble), {
    kind: 'probed',
    outcome: 'unknown',
    output: 'cannot exec',
  });
  t.is(calls, 3);
  let tries = 0;
  const once: ExecSync = (_, answer) => {
    if (tries++ === 0) answer({ code: status.UNKNOWN, details: 'cannot exec' });
    else answer(null, { exitCode: 0 });
  };
  t.like(await find(t, exec('a'), once), { outcome: 'success' });
});

test('a command that comes before containerd knows of the start is tried again', async (t) => {
  let tries = 0;
  const early: ExecSync = (_, answer) => {
    tries++;
    if (tries === 10) answer(null, { exitCode: 0 });
    else answer({ code: status.UNKNOWN, details: 'container is in CONTAINER_CREATED state' });
  };
  t.like(await find(t, exec('a'), early), { outcome: 'success' });
  t.is(tries, 10);
});

test('but only as long as the probe may take', async (t) => {
  const details = 'container is in CONTAINER_CREATED state';
  const never: ExecSync = (_, answer) => answer({ code: status.UNKNOWN, details });
  t.deepEqual(await find(t, { ...exec('a'), timeoutSeconds: 0.1 }, never), {
    kind: 'probed',
    outcome: 'unknown',
    output: details,
  });
});

test('a port can be given by its name, which has to exist', async (t) => {
  const server = net.createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port: containerPort } = server.address() as AddressInfo;
  const ports = [{ name: 'web', containerPort, protocol: 'TCP' as const }];
  const probe = { tcpSocket: { port: 'web' } };
  t.like(await find(t, probe, undefined, { ports }), { outcome: 'success' });
  t.like(await find(t, probe), {
    outcome: 'unknown',
    output: `couldn't find port: "web" in the container's ports`,
  });
});

test('gRPC is asked at the address of the pod', async (t) => {
  const found = await find(t, { grpc: { port: 1, service: '' } });
  t.like(found, { kind: 'probed', outcome: 'failure' });
  t.regex(found.kind === 'probed' ? found.output : '', /127\.0\.0\.1:1/);
});

test('a probe whose container has ended finds nothing', async (t) => {
  const over = new AbortController();
  const found = await find(t, exec('a'), () => over.abort(), {}, over.signal);
  t.deepEqual(found, { kind: 'done' });
});

test('a pod whose sandbox is lost is asked where it was, and never the node in its place', async (t) => {
  const server = net.createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  const ask = (handler: Partial<Probe>, ...podIPs: string[]) =>
    find(t, handler, undefined, {}, signal, { ready: false, ips: [], podIPs });
  const tcp = { tcpSocket: { port } };
  t.deepEqual(await ask(tcp, '127.0.0.2'), {
    kind: 'probed',
    outcome: 'failure',
    output: `dial tcp 127.0.0.2:${port}: connect ECONNREFUSED 127.0.0.2:${port}`,
  });
  const nowhere = { kind: 'probed', outcome: 'unknown', output: 'the pod has no address' } as const;
  t.deepEqual(await ask(tcp), nowhere);
  t.deepEqual(await ask({ grpc: { port, service: '' } }), nowhere);
});
