// Probes at real containers: what they find is arranged by files, what follows is looked at from outside.
import { once } from 'node:events';
import fs from 'node:fs/promises';
import https from 'node:https';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Server, ServerCredentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import test from 'ava';
import type { V1Pod } from '../src/pod/pod-status.ts';
import type { ProtoGrpcType } from '../src/runtime/generated/grpc-health.ts';
import type { HealthCheckResponse } from '../src/runtime/generated/grpc/health/v1/HealthCheckResponse.ts';
import { protoDirectory, protoOptions } from '../src/runtime/protos.ts';
import { selfSigned } from '../src/testing/certificate.ts';
import { container, initContainer, pod, restartAllOn, sidecar } from './manifests.ts';
import { generationOf, isReady, startNode, statusOf, until } from './node.ts';
import { blink } from './pace.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

/** Succeeds while there is a file of that name in the shared volume. */
function whileThere(name: string): Record<string, unknown> {
  return { exec: { command: ['test', '-e', `/shared/${name}`] }, timeoutSeconds: 30 };
}

const often = { periodSeconds: 1, failureThreshold: 1 };

async function take(of: V1Pod, name: string): Promise<void> {
  await fs.rm(path.join(node().volume(of), name));
}

test('what comes after a sidecar waits for its startup probe', async (t) => {
  const startupProbe = { ...whileThere('up'), periodSeconds: 1, failureThreshold: 1000 };
  const manifest = pod(
    'gated',
    [sidecar('proxy', { startupProbe }), initContainer('setup')],
    [container('main')],
  );
  await node().apply(manifest);
  const waiting = await node().podThat(
    'gated',
    'has asked its sidecar',
    (one) => statusOf(one, 'proxy').state.running !== undefined,
  );
  await until('the probe has failed', async () =>
    (await node().events('gated')).join('\n').includes('Unhealthy'),
  );
  t.deepEqual(await node().story(waiting, 1), ['proxy started']);
  t.false(statusOf(await node().pod('gated'), 'proxy').started);
  await node().put(waiting, 'up');
  const after = await node().ready('gated');
  t.true(statusOf(after, 'proxy').started);
  t.deepEqual(await node().story(after, 3), ['proxy started', 'setup started', 'main started']);
  t.regex((await node().events('gated')).join('\n'), /Startup probe failed: /);
  await node().removed('gated');
});

test('a container that fails its liveness probe is stopped and starts again, the others go on', async (t) => {
  const livenessProbe = { ...whileThere('alive'), ...often, initialDelaySeconds: 2 };
  const main = container('main', undefined, { livenessProbe, restartPolicy: 'Always' });
  await node().apply(
    pod('lively', [initContainer('setup', ': > /shared/alive')], [main, container('other')]),
  );
  const first = await node().ready('lively');
  const other = await node().pidOf(first, 'other');
  await take(first, 'alive');
  await node().podThat(
    'lively',
    'has restarted',
    (one) => statusOf(one, 'main').restartCount === 1,
  );
  await node().put(first, 'alive');
  const after = await node().podThat(
    'lively',
    'runs again',
    (one) => isReady(one) && statusOf(one, 'main').state.running !== undefined,
  );
  t.is(statusOf(after, 'main').lastState.terminated?.exitCode, 143);
  t.is(generationOf(after), 0);
  t.is(await node().pidOf(after, 'other'), other);
  t.regex(
    (await node().events('lively')).join('\n'),
    /Killing: Container main failed liveness probe, will be restarted/,
  );
  await node().removed('lively');
});

test('readiness follows a web server, by a named port and through its headers', async (t) => {
  const serve = `
    echo "$NAME started" >> /shared/story
    mkdir -p /www/cgi-bin
    printf '#!/bin/sh\\necho "Content-Type: text/plain"; echo; echo "$HTTP_USER_AGENT" >> /shared/agents\\n' > /www/cgi-bin/ask
    chmod +x /www/cgi-bin/ask
    exec httpd -f -p 8080 -h /www`;
  const http = (urlPath: string) => ({
    httpGet: { path: urlPath, port: 'web' },
    timeoutSeconds: 30,
    ...often,
  });
  const web = container('web', serve, {
    ports: [{ name: 'web', containerPort: 8080 }],
    readinessProbe: http('/cgi-bin/ask'),
    livenessProbe: {
      tcpSocket: { port: 8080 },
      timeoutSeconds: 30,
      periodSeconds: 1,
      failureThreshold: 1000,
    },
  });
  const never = container('never', serve.replace('8080', '8081'), {
    readinessProbe: { ...http('/absent'), httpGet: { path: '/absent', port: 8081 } },
  });
  await node().apply(pod('served', [], [web, never]));
  const now = await node().podThat(
    'served',
    'has a ready server',
    (one) => statusOf(one, 'web').ready,
  );
  t.false(statusOf(now, 'never').ready);
  t.false(isReady(now));
  const agents = await fs.readFile(path.join(node().volume(now), 'agents'), 'utf8');
  t.regex(agents, /^kube-probe\/1\.\d+\n/);
  await until('the missing page is told', async () =>
    (await node().events('served'))
      .join('\n')
      .includes('Readiness probe failed: HTTP probe failed with statuscode: 404'),
  );
  await node().removed('served');
});

test('gRPC health of a server on the node, asked by a pod in its network', async (t) => {
  const definition = loadSync('grpc-health.proto', {
    ...protoOptions,
    includeDirs: [protoDirectory],
  });
  const { grpc } = loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  const health: HealthCheckResponse = { status: 'NOT_SERVING' };
  const server = new Server();
  server.addService(grpc.health.v1.Health.service, {
    Check: (_: unknown, answer: (error: null, value: HealthCheckResponse) => void) =>
      answer(null, health),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('0.0.0.0:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  t.teardown(() => server.forceShutdown());
  const readinessProbe = { grpc: { port }, timeoutSeconds: 30, ...often };
  const main = container('main', undefined, { readinessProbe });
  await node().apply(pod('asks-grpc', [], [main], { hostNetwork: true }));
  await until('it has been asked', async () =>
    (await node().events('asks-grpc'))
      .join('\n')
      .includes('service unhealthy (responded with "NOT_SERVING")'),
  );
  t.false(isReady(await node().pod('asks-grpc')));
  health.status = 'SERVING';
  t.true(isReady(await node().ready('asks-grpc')));
  await node().removed('asks-grpc');
});

test('HTTPS is asked without a look at the certificate, a TCP port whether it takes a connection', async (t) => {
  let asked = 0;
  const secure = https.createServer(selfSigned(node().dir), (_, response) => {
    asked += 1;
    response.end();
  });
  await once(secure.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => secure.close());
  const { port } = secure.address() as AddressInfo;
  // Nobody listens there yet, and nobody else is going to.
  const later = net.createServer();
  await once(later.listen(0, '127.0.0.1'), 'listening');
  const { port: closed } = later.address() as AddressInfo;
  await new Promise((resolve) => later.close(resolve));
  const patient = { timeoutSeconds: 30, ...often };
  const web = container('web', undefined, {
    readinessProbe: { httpGet: { scheme: 'HTTPS', host: '127.0.0.1', port }, ...patient },
  });
  const socket = container('socket', undefined, {
    readinessProbe: { tcpSocket: { host: '127.0.0.1', port: closed }, ...patient },
  });
  await node().apply(pod('secure', [], [web, socket]));
  const waiting = await node().podThat('secure', 'has a ready web server', (one) => {
    return statusOf(one, 'web').ready;
  });
  t.true(asked > 0);
  await until('the closed port is told', async () =>
    (await node().events('secure')).join('\n').includes('Readiness probe failed: dial tcp'),
  );
  t.false(statusOf(waiting, 'socket').ready);
  await once(later.listen(closed, '127.0.0.1'), 'listening');
  t.teardown(() => later.close());
  t.true(isReady(await node().ready('secure')));
  await node().removed('secure');
});

test('a probe can give less grace than the pod does', async (t) => {
  const deaf = `trap '' TERM; : > /shared/up; while :; do sleep ${blink}; done`;
  const livenessProbe = { ...whileThere('up'), ...often, terminationGracePeriodSeconds: 1 };
  const main = container('main', deaf, { livenessProbe, restartPolicy: 'Always' });
  // With the grace of the pod this would not be over before the test is.
  const manifest = pod('impatient', [], [main], { terminationGracePeriodSeconds: 3600 });
  await node().apply(manifest);
  const first = await node().ready('impatient');
  await until('it is up', async () => (await fs.readdir(node().volume(first))).includes('up'));
  await take(first, 'up');
  const after = await node().podThat('impatient', 'has restarted', (one) => {
    return statusOf(one, 'main').restartCount === 1;
  });
  t.is(statusOf(after, 'main').lastState.terminated?.exitCode, 137);
  await node().ok('delete', 'pod', 'impatient', '--grace-period=0', '--force');
});

test('a pod with all three probes survives three in-place restarts', async (t) => {
  // Each run is up a moment after its start.
  const main = `
    echo "$NAME started" >> /shared/story
    trap 'exit 143' TERM
    sleep 0.5; : > /shared/up
    while :; do sleep ${blink}; done`;
  const probe = { ...whileThere('up'), periodSeconds: 1 };
  const probes = {
    startupProbe: { ...probe, failureThreshold: 60 },
    livenessProbe: { ...probe, failureThreshold: 1 },
    readinessProbe: { ...probe, failureThreshold: 1 },
  };
  await node().apply(
    pod(
      'thrice',
      [initContainer('setup', 'rm -f /shared/up'), sidecar('watcher', restartAllOn(88))],
      [container('main', main, probes)],
    ),
  );
  for (let generation = 0; generation < 3; generation++) {
    await node().tell(await node().ready('thrice', generation), 'watcher', 88);
    const next = await node().podThat(
      'thrice',
      `runs in generation ${generation + 1}`,
      (one) =>
        statusOf(one, 'main').restartCount === generation + 1 &&
        statusOf(one, 'main').state.running !== undefined,
    );
    // What was found out about the run before says nothing about this one.
    t.false(statusOf(next, 'main').started);
    t.false(isReady(next));
  }
  const after = await node().ready('thrice', 3);
  t.is(statusOf(after, 'main').restartCount, 3);
  t.deepEqual(
    (await node().story(after)).filter((line) => line.startsWith('main')),
    Array<string>(4).fill('main started'),
  );
  t.notRegex((await node().events('thrice')).join('\n'), /failed (liveness|startup) probe/);
  await node().removed('thrice');
});

test('an agent that starts again keeps what it knew of its containers', async (t) => {
  await using own = await startNode();
  const first = await own.agent();
  const startupProbe = { ...whileThere('up'), ...often };
  const readinessProbe = { ...whileThere('up'), periodSeconds: 3600 };
  const main = container('main', undefined, { startupProbe, readinessProbe });
  await own.apply(pod('kept', [initContainer('setup', ': > /shared/up')], [main]));
  const before = await own.podThat('kept', 'is ready', isReady);
  first.run.kill('SIGKILL');
  await first.run;
  await fs.rm(path.join(own.volume(before), 'up'));
  await own.agent();
  const after = await own.podThat(
    'kept',
    'is taken up',
    (one) => statusOf(one, 'main').started === true,
  );
  t.true(isReady(after));
  t.is(statusOf(after, 'main').containerID, statusOf(before, 'main').containerID);
});
