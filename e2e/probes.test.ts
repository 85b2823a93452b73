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
import { execa } from 'execa';
import type { V1Pod } from '../src/pod/pod-status.ts';
import type { ProtoGrpcType } from '../src/runtime/generated/grpc-health.ts';
import type { HealthCheckResponse } from '../src/runtime/generated/grpc/health/v1/HealthCheckResponse.ts';
import { protoDirectory, protoOptions } from '../src/runtime/protos.ts';
import { selfSigned } from '../src/testing/certificate.ts';
import { container, initContainer, pod, referencePod, restartAllOn, sidecar } from './manifests.ts';
import { generationOf, isReady, startNode, statusOf, until } from './node.ts';
import { blink, napping } from './pace.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

/** Where slowness is not meant to be a failure: a busy machine may take its time for every answer. */
const patient = { timeoutSeconds: 3600 };

/** Succeeds while there is a file of that name in the shared volume. */
function whileThere(name: string): Record<string, unknown> {
  return { exec: { command: ['test', '-e', `/shared/${name}`] }, ...patient };
}

/** Fails once for every file of that name that is put there, when the first one is past that never counts. */
function unlessThere(name: string): Record<string, unknown> {
  return asks(`! rm /shared/${name} 2>/dev/null; found=$?; : > /shared/no-${name}; exit $found`);
}

/** Lets such a probe fail. */
async function letFail(of: V1Pod, name: string): Promise<void> {
  await until('it has been asked for the first time', async () =>
    (await fs.readdir(node().volume(of))).includes(`no-${name}`),
  );
  await node().put(of, name);
}

const often = { periodSeconds: 1, failureThreshold: 1 };

/** For those who are told to end and are to say how they did: nobody gets SIGKILL for being slow. */
const unhurried = { terminationGracePeriodSeconds: 3600 };

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

/** What a probe runs in a container: a script. */
function asks(script: string): Record<string, unknown> {
  return { exec: { command: ['sh', '-c', script] }, ...patient, periodSeconds: 1 };
}

test('who is not up after the last startup probe starts again, and meanwhile all others wait', async (t) => {
  const tells = (kind: string, name: string): string =>
    `echo "${kind} of ${name}" >> /shared/story`;
  // Every run has a root of its own, and answers when it has told of its start.
  const runs = `
    trap 'exit 143' TERM
    echo "$NAME started" >> /shared/story; : > /told
    ${napping}
    while :; do nap; done`;
  // Up is who has been started for the second time.
  const probes = (name: string) => ({
    startupProbe: {
      ...asks(`until [ -e /told ]; do sleep ${blink}; done
        ${tells('startup', name)}
        test $(grep -c "^${name} started" /shared/story) -gt 1`),
      failureThreshold: 2,
    },
    livenessProbe: { ...asks(tells('liveness', name)), periodSeconds: 10 },
    readinessProbe: { ...asks(tells('readiness', name)), periodSeconds: 10 },
  });
  const always = { restartPolicy: 'Always' };
  const proxy = container('proxy', runs, { ...probes('proxy'), ...always });
  const main = container('main', runs, { ...probes('main'), ...always });
  await node().apply(pod('late', [proxy, initContainer('setup')], [main], unhurried));
  const after = await node().ready('late');
  // Either is ready by a probe of its second run, so all that has to come before has been told.
  const story = await node().story(after);
  for (const name of ['proxy', 'main']) {
    const second = story.lastIndexOf(`${name} started`);
    const before = story.slice(0, second);
    const told = (line: string) => before.filter((each) => each === `${line} of ${name}`).length;
    t.is(before.filter((line) => line === `${name} started`).length, 1, story.join('\n'));
    // The first one comes too early to count.
    t.is(told('startup'), 3, story.join('\n'));
    t.is(told('liveness') + told('readiness'), 0, story.join('\n'));
    t.true(story.includes(`readiness of ${name}`));
    t.is(statusOf(after, name).restartCount, 1);
    t.is(statusOf(after, name).lastState.terminated?.exitCode, 143);
  }
  const inOrder = [
    story.lastIndexOf('proxy started'),
    story.indexOf('setup started'),
    story.indexOf('main started'),
  ];
  t.deepEqual(
    inOrder,
    inOrder.toSorted((a, b) => a - b),
    story.join('\n'),
  );
  const events = (await node().events('late')).join('\n');
  t.regex(events, /Killing: Init container proxy failed startup probe/);
  t.regex(events, /Killing: Container main failed startup probe, will be restarted/);
  await node().removed('late');
});

test('a sidecar that fails its liveness probe starts again alone, and is part of what makes a pod ready', async (t) => {
  const proxy = sidecar('proxy', {
    livenessProbe: { ...unlessThere('sick'), failureThreshold: 1 },
    readinessProbe: { ...whileThere('up'), ...often },
  });
  await node().apply(pod('guarded', [proxy], [container('main')], unhurried));
  const waiting = await node().podThat(
    'guarded',
    'runs',
    (one) => statusOf(one, 'main').state.running !== undefined,
  );
  await until('its sidecar is told not to be ready', async () =>
    (await node().events('guarded')).join('\n').includes('Readiness probe failed'),
  );
  t.false(isReady(await node().pod('guarded')));
  await node().put(waiting, 'up');
  const ready = await node().ready('guarded');
  const main = await node().pidOf(ready, 'main');
  // Who has been started first need not be the first to say so.
  const begun = await node().story(ready, 2);
  t.deepEqual(begun.toSorted(), ['main started', 'proxy started']);

  await letFail(ready, 'sick');
  const after = await node().podThat(
    'guarded',
    'has its sidecar back',
    (one) => isReady(one) && statusOf(one, 'proxy').restartCount === 1,
  );
  t.is(statusOf(after, 'proxy').lastState.terminated?.exitCode, 143);
  t.is(await node().pidOf(after, 'main'), main);
  t.is(generationOf(after), 0);
  t.deepEqual(await node().story(after, 3), [...begun, 'proxy started']);
  await take(after, 'up');
  await node().podThat('guarded', 'is not ready', (one) => !isReady(one));
  await node().removed('guarded');
});

test('a probe waits for its delay, and readiness for as many successes as are wanted in a row', async (t) => {
  // Each call says when it came, and takes as long as the test wants it to.
  const counted = `
    n=$(($(cat /shared/calls 2>/dev/null | wc -l) + 1)); date +%s >> /shared/calls
    until [ -e /shared/answer-$n ]; do sleep ${blink}; done
    exit $(cat /shared/answer-$n)`;
  const readinessProbe = {
    ...asks(counted),
    initialDelaySeconds: 3,
    successThreshold: 2,
    failureThreshold: 1,
  };
  const hangs = 'test ! -e /shared/hang || exec sleep 3600';
  const slow = { ...asks(hangs), ...often, timeoutSeconds: 5 };
  const one = container('counted', undefined, { readinessProbe });
  const other = container('slow', undefined, { readinessProbe: slow });
  await node().apply(pod('thresholds', [], [one, other]));
  const running = await node().podThat(
    'thresholds',
    'runs and has one that is ready',
    (each) => statusOf(each, 'counted').state.running !== undefined && statusOf(each, 'slow').ready,
  );
  const calls = async (count: number): Promise<number[]> =>
    await until(`it is asked for the ${count}th time`, async () => {
      const file = path.join(node().volume(running), 'calls');
      const times = (await fs.readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean);
      return times.length >= count && times.map(Number);
    });
  const startedAt = Date.parse(statusOf(running, 'counted').state.running?.startedAt ?? '') / 1000;
  const [first = 0] = await calls(1);
  t.true(first >= Math.floor(startedAt) + 3, `asked at ${first}, started at ${startedAt}`);
  // Whoever asks again has drawn its conclusions from the answer before.
  for (const [index, code] of [0, 1, 0].entries()) {
    await node().put(running, `answer-${index + 1}`, String(code));
    await calls(index + 2);
    t.false(statusOf(await node().pod('thresholds'), 'counted').ready, `after ${index + 1}`);
  }
  await node().put(running, 'answer-4', '0');
  const ready = await node().ready('thresholds');

  // No answer in time is a failure.
  await node().put(ready, 'hang');
  const late = await node().podThat(
    'thresholds',
    'has one that does not answer',
    (each) => !statusOf(each, 'slow').ready,
  );
  t.true(statusOf(late, 'counted').ready);
  t.regex(
    (await node().events('thresholds')).join('\n'),
    /Readiness probe failed: command timed out: .* timed out after 5s/,
  );
  await take(ready, 'hang');
  t.is(statusOf(await node().ready('thresholds'), 'slow').restartCount, 0);
  await node().removed('thresholds');
});

test('a container that fails its liveness probe is stopped and starts again, the others go on', async (t) => {
  const livenessProbe = { ...unlessThere('sick'), ...often };
  const main = container('main', undefined, { livenessProbe, restartPolicy: 'Always' });
  await node().apply(pod('lively', [], [main, container('other')], unhurried));
  const first = await node().ready('lively');
  const other = await node().pidOf(first, 'other');
  // Whoever has told of its start hears that it is to end.
  await node().story(first, 2);
  await letFail(first, 'sick');
  const after = await node().podThat(
    'lively',
    'runs again',
    (one) => isReady(one) && statusOf(one, 'main').restartCount === 1,
  );
  t.is(statusOf(after, 'main').lastState.terminated?.exitCode, 143);
  t.is(generationOf(after), 0);
  t.is(await node().pidOf(after, 'other'), other);
  t.regex(
    (await node().events('lively')).join('\n'),
    /Killing: Container main failed liveness probe, will be restarted/,
  );
  await node().story(after, 3);
  await node().removed('lively');
});

test('readiness follows a web server, by a named port and through its headers', async (t) => {
  const serve = `
    echo "$NAME started" >> /shared/story
    mkdir -p /www/cgi-bin
    printf '#!/bin/sh\\necho "$HTTP_USER_AGENT; $HTTP_HOST; $HTTP_X_QUESTION" >> /shared/asked; echo "Content-Type: text/plain"; echo\\n' > /www/cgi-bin/ask
    chmod +x /www/cgi-bin/ask
    exec httpd -f -p 8080 -h /www`;
  const httpHeaders = [
    { name: 'Host', value: 'web.test' },
    { name: 'X-Question', value: 'are you there?' },
  ];
  const http = (urlPath: string) => ({
    httpGet: { path: urlPath, port: 'web', httpHeaders },
    ...patient,
    ...often,
  });
  const web = container('web', serve, {
    ports: [{ name: 'web', containerPort: 8080 }],
    readinessProbe: http('/cgi-bin/ask'),
    livenessProbe: {
      tcpSocket: { port: 8080 },
      ...patient,
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
  const asked = await fs.readFile(path.join(node().volume(now), 'asked'), 'utf8');
  t.regex(asked, /^kube-probe\/1\.\d+; web\.test; are you there\?\n/);
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
  const readinessProbe = { grpc: { port }, ...patient, ...often };
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
  const secure = https.createServer(selfSigned(node().dir), ({ url }, response) => {
    asked += 1;
    // Nobody goes there: it is another host.
    if (url === '/moved') response.writeHead(302, { Location: 'https://elsewhere.test/' });
    response.end('asked');
  });
  await once(secure.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => secure.close());
  const { port } = secure.address() as AddressInfo;
  // Nobody listens there yet, and nobody else is going to.
  const later = net.createServer();
  await once(later.listen(0, '127.0.0.1'), 'listening');
  const { port: closed } = later.address() as AddressInfo;
  await new Promise((resolve) => later.close(resolve));
  const web = container('web', undefined, {
    readinessProbe: { httpGet: { scheme: 'HTTPS', host: '127.0.0.1', port }, ...patient, ...often },
    livenessProbe: {
      httpGet: { scheme: 'HTTPS', host: '127.0.0.1', port, path: '/moved' },
      ...patient,
      ...often,
    },
  });
  const socket = container('socket', undefined, {
    readinessProbe: { tcpSocket: { host: '127.0.0.1', port: closed }, ...patient, ...often },
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
  await until('a redirect to another host is told', async () =>
    (await node().events('secure')).includes(
      'Warning ProbeWarning: Liveness probe warning: Probe terminated redirects, Response body: asked',
    ),
  );
  await once(later.listen(closed, '127.0.0.1'), 'listening');
  t.teardown(() => later.close());
  const ready = await node().ready('secure');
  t.is(statusOf(ready, 'web').restartCount, 0, 'a warning is a success');
  await node().removed('secure');
});

test('a probe can give less grace than the pod does', async (t) => {
  const deaf = `trap '' TERM; : > /shared/up; while :; do sleep ${blink}; done`;
  const livenessProbe = { ...unlessThere('sick'), ...often, terminationGracePeriodSeconds: 1 };
  const main = container('main', deaf, { livenessProbe, restartPolicy: 'Always' });
  // With the grace of the pod this would not be over before the test is.
  await node().apply(pod('impatient', [], [main], unhurried));
  const first = await node().ready('impatient');
  await until('it is up', async () => (await fs.readdir(node().volume(first))).includes('up'));
  await letFail(first, 'sick');
  const after = await node().podThat('impatient', 'has restarted', (one) => {
    return statusOf(one, 'main').restartCount === 1;
  });
  t.is(statusOf(after, 'main').lastState.terminated?.exitCode, 137);
  await node().ok('delete', 'pod', 'impatient', '--grace-period=0', '--force');
});

test('a pod with all three probes survives three in-place restarts', async (t) => {
  // Each run is up when the test lets it.
  const main = `
    trap 'exit 143' TERM
    echo "$NAME started" >> /shared/story
    ${napping}
    until [ -e /shared/go ]; do nap; done
    : > /shared/up
    while :; do nap; done`;
  const probe = { ...whileThere('up'), periodSeconds: 1 };
  const probes = {
    startupProbe: { ...probe, failureThreshold: 1000 },
    livenessProbe: { ...probe, failureThreshold: 1 },
    readinessProbe: { ...probe, failureThreshold: 1 },
  };
  await node().apply(
    pod(
      'thrice',
      [initContainer('setup', 'rm -f /shared/go /shared/up'), sidecar('watcher', restartAllOn(88))],
      [container('main', main, probes)],
    ),
  );
  for (let generation = 0; generation <= 3; generation++) {
    const now = await node().podThat(
      'thrice',
      `runs in generation ${generation}`,
      (one) =>
        statusOf(one, 'main').restartCount === generation &&
        statusOf(one, 'main').state.running !== undefined,
    );
    // What was found out about the run before says nothing about this one.
    t.false(statusOf(now, 'main').started);
    t.false(isReady(now));
    await node().put(now, 'go');
    await node().ready('thrice', generation);
    if (generation < 3) await node().tell(now, 'watcher', 88);
  }
  const after = await node().pod('thrice');
  t.is(statusOf(after, 'main').restartCount, 3);
  t.deepEqual(
    (await node().story(after)).filter((line) => line.startsWith('main')),
    Array<string>(4).fill('main started'),
  );
  t.notRegex((await node().events('thrice')).join('\n'), /failed (liveness|startup) probe/);
  await node().removed('thrice');
});

/** Answers whoever connects like this, and holds on to the connection. */
function answering(port: number, does: string): string {
  return `
    trap 'exit 143' TERM
    echo "$NAME started" >> /shared/story
    ${napping}
    echo '${does}; exec cat > /dev/null' > /answer
    nc -ll -p ${port} -e sh /answer &
    while :; do nap; done`;
}

test('servers that want to speak something else, or nothing, hold up neither pod nor agent', async (t) => {
  await using own = await startNode();
  const { run } = await own.agent();
  const switches =
    'printf "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: x\\r\\nConnection: Upgrade\\r\\n\\r\\n"';
  const startupProbe = (port: number) => ({
    ...{ tcpSocket: { port }, ...patient },
    ...{ periodSeconds: 1, failureThreshold: 1000 },
  });
  const asks = (port: number) => ({ httpGet: { path: '/', port } });
  const alive = container('alive', answering(8080, switches), {
    startupProbe: startupProbe(8080),
    livenessProbe: { ...asks(8080), ...patient, ...often },
    restartPolicy: 'Always',
  });
  const hooked = container('hooked', answering(8081, switches), {
    startupProbe: startupProbe(8081),
    lifecycle: { preStop: asks(8081) },
  });
  const mute = container('mute', answering(8082, 'read line && : > /shared/asked'), {
    startupProbe: startupProbe(8082),
    readinessProbe: { ...asks(8082), ...patient, ...often },
  });
  await own.apply(pod('switching', [], [alive, hooked, mute], unhurried));
  const after = await own.podThat(
    'switching',
    'has restarted one, and started the others',
    (one) =>
      statusOf(one, 'alive').restartCount > 0 &&
      statusOf(one, 'hooked').started === true &&
      statusOf(one, 'mute').started === true,
  );
  t.regex(
    (await own.events('switching')).join('\n'),
    /Liveness probe failed: HTTP probe failed with statuscode: 101/,
  );
  const isAsked = async () =>
    await until('the one that does not answer is asked', async () =>
      (await fs.readdir(own.volume(after))).includes('asked'),
    );
  await isAsked();
  run.kill('SIGTERM');
  await run;
  await fs.rm(path.join(own.volume(after), 'asked'));
  await own.agent();
  await isAsked();
  await own.removed('switching');
  t.notRegex((await own.events('switching')).join('\n'), /FailedPreStopHook/);
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

test('a readiness gate holds the pod back until others have set its condition, restarts or not', async (t) => {
  const type = 'example.org/warm';
  /** As docs/manifest.md has it. */
  const set = async (status: string): Promise<void> => {
    await execa('curl', [
      ...['--silent', '--show-error', '--fail-with-body', '--unix-socket', node().socket],
      ...['-X', 'PATCH', '-H', 'Content-Type: application/strategic-merge-patch+json'],
      ...['-d', JSON.stringify({ status: { conditions: [{ type, status }] } })],
      'http://reprise/api/v1/namespaces/default/pods/gate/status',
    ]);
  };
  const conditionOf = (one: V1Pod, wanted: string) =>
    one.status.conditions.find((condition) => condition.type === wanted);
  const isTrue = (one: V1Pod, wanted: string) => conditionOf(one, wanted)?.status === 'True';

  await node().apply(referencePod('gate', { readinessGates: [{ conditionType: type }] }));
  const held = await node().podThat('gate', 'has its containers', (one) => {
    return isTrue(one, 'ContainersReady');
  });
  t.like(conditionOf(held, 'Ready'), {
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: `corresponding condition of pod readiness gate "${type}" does not exist.`,
  });
  await set('True');
  const up = await node().ready('gate');
  await node().tell(up, 'watcher', 88);
  const again = await node().ready('gate', 1);
  t.deepEqual(conditionOf(again, type), conditionOf(up, type));
  await set('False');
  const down = await node().podThat('gate', 'is not ready', (one) => !isReady(one));
  t.is(
    conditionOf(down, 'Ready')?.message,
    `the status of pod readiness gate "${type}" is not "True", but False`,
  );
  t.true(isTrue(down, 'ContainersReady'));
  await node().removed('gate');
});
