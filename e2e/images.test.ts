// Images come from a registry as the pull policy has it, and a registry that is away is waited for.
import fs from 'node:fs/promises';
import test from 'ava';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { listenTo } from './event-history.ts';
import { container, pod, restartAllOn } from './manifests.ts';
import { isReady, startNode, statusOf, until } from './node.ts';
import { allowHttp, slowWayTo, startRegistry } from './registry.ts';
import { shared, sharedNode } from './shared.ts';

const registry = shared('the registry', () => startRegistry());
const node = sharedNode(async (one) => {
  await allowHttp(one.containerd, registry());
  await one.agent();
});

/** A pod of one container with that image, and its state when it is ready. */
async function runs(name: string, image: string, more: object = {}): Promise<V1Pod> {
  await node().apply(pod(name, [], [container('main', undefined, { image, ...more })]));
  return await node().podThat(name, 'is ready', isReady);
}

test('IfNotPresent pulls once, whatever becomes of the tag', async (t) => {
  const image = `${registry().host}/kept:1`;
  const digest = await registry().push('busybox', 'kept:1');
  const history = await listenTo(node(), 'pulls');
  const first = await runs('pulls', image);
  t.is(statusOf(first, 'main').image, image);
  t.is(statusOf(first, 'main').imageID, `${registry().host}/kept@${digest}`);
  const asked = await registry().asked('kept', '1');
  t.true(asked > 0);

  await registry().push('pause', 'kept:1');
  const askedAfterPush = await registry().asked('kept', '1');
  const second = await runs('has', image);
  t.is(statusOf(second, 'main').imageID, `${registry().host}/kept@${digest}`);
  t.is(await registry().asked('kept', '1'), askedAfterPush, 'nobody asked the registry');
  t.true(askedAfterPush >= asked);

  const [pulling, pulled, ...others] = await history.until('Normal Started: Container started');
  t.is(pulling, `Normal Pulling: Pulling image "${image}"`);
  t.regex(
    pulled ?? '',
    /^Normal Pulled: Successfully pulled image ".*" in \S+s \(\S+s including waiting\)\. Image size: \d+ bytes\.$/,
  );
  t.deepEqual(others, ['Normal Created: Container created', 'Normal Started: Container started']);
  t.true(
    (await node().events('has')).includes(
      `Normal Pulled: Container image "${image}" already present on machine and can be accessed by the pod`,
    ),
  );
  await node().removed('pulls', 'has');
});

test('no tag is latest, which is looked for at every start', async (t) => {
  const image = `${registry().host}/moving`;
  const digest = await registry().push('busybox', 'moving:latest');
  const first = await runs('before', image);
  t.is(first.spec.containers[0]?.imagePullPolicy, 'Always');
  t.is(statusOf(first, 'main').image, `${image}:latest`);
  t.is(statusOf(first, 'main').imageID, `${image}@${digest}`);

  const next = await registry().push('pause', 'moving:latest');
  // The new image has one program, which waits to be stopped.
  const second = await runs('after', image, { command: ['/catatonit', '-P'] });
  t.is(statusOf(second, 'main').imageID, `${image}@${next}`);
  t.is(statusOf(await node().pod('before'), 'main').imageID, `${image}@${digest}`);
  await node().removed('before', 'after');
});

/** Has nothing but a shell, and waits to be killed. */
const waits = {
  command: ['sh', '-c', 'read -r nothing'],
  stdin: true,
  restartPolicy: 'Never',
  ...restartAllOn(88),
};

/** What every image that is unheard of has another one of. */
async function noise(of: V1Pod): Promise<string> {
  const pid = await node().pidOf(of, 'main');
  return await fs.readFile(`/proc/${pid}/root/noise`, 'base64');
}

test('an in-place restart runs what its tag stands for by then', async (t) => {
  await registry().pushUnheardOf('renewed', 'latest');
  const first = await runs('renewed', `${registry().host}/renewed:latest`, waits);
  const firstNoise = await noise(first);

  await registry().pushUnheardOf('renewed', 'latest');
  await node().reprise(['restart', 'pod', 'renewed', '--wait']);
  const second = await node().ready('renewed', 1);
  t.not(await noise(second), firstNoise);
  t.not(statusOf(second, 'main').imageID, statusOf(first, 'main').imageID);
  t.deepEqual(second.status.podIPs, first.status.podIPs);
  t.is(statusOf(second, 'main').restartCount, 1);
  await node().removed('renewed');
});

test('what was made ahead is made anew when its image has moved on the node', async (t) => {
  await registry().pushUnheardOf('ahead', '1');
  const image = `${registry().host}/ahead:1`;
  const first = await runs('ahead', image, waits);
  const standby = async (): Promise<string | undefined> => {
    const [id] = await node().containers({
      'io.kubernetes.pod.uid': first.metadata.uid,
      'reprise.dev/generation': '1',
    });
    return id;
  };
  await until('one is made ahead', async () => (await standby()) !== undefined);
  const old = await standby();

  // Somebody else brings what the tag stands for by now.
  await registry().pushUnheardOf('ahead', '1');
  const mover = await runs('mover', image, { ...waits, imagePullPolicy: 'Always' });
  await until('another one is made ahead', async () => ![old, undefined].includes(await standby()));
  const asked = await registry().asked('ahead', '1');
  const next = await standby();
  await node().reprise(['restart', 'pod', 'ahead', '--wait']);
  const second = await node().ready('ahead', 1);
  t.is(statusOf(second, 'main').containerID, `containerd://${next}`);
  t.is(await noise(second), await noise(mover));
  t.is(statusOf(second, 'main').imageID, statusOf(mover, 'main').imageID);
  t.is(await registry().asked('ahead', '1'), asked, 'nobody asked the registry');
  await node().removed('ahead', 'mover');
});

test('a digest says all', async (t) => {
  const digest = await registry().push('busybox', 'exact:1');
  const image = `${registry().host}/exact@${digest}`;
  const one = await runs('exact', image);
  t.is(one.spec.containers[0]?.imagePullPolicy, 'IfNotPresent');
  t.is(statusOf(one, 'main').imageID, image);
  await node().removed('exact');
});

test('Never takes what is there and asks nobody', async (t) => {
  await registry().push('busybox', 'never:1');
  const image = `${registry().host}/never:1`;
  const asked = await registry().asked('never', '1');
  const main = container('main', undefined, { image, imagePullPolicy: 'Never' });
  await node().apply(pod('never', [], [main]));
  const message = `Container image "${image}" is not present with pull policy of Never`;
  await node().podThat('never', 'waits for its image', (one) => {
    const { waiting } = statusOf(one, 'main').state;
    return waiting?.reason === 'ErrImageNeverPull' && waiting.message === message;
  });
  t.is(await registry().asked('never', '1'), asked);
  t.deepEqual((await node().events('never')).slice(0, 2), [
    `Warning ErrImageNeverPull: ${message}`,
    'Warning Failed: Error: ErrImageNeverPull',
  ]);
  await node().removed('never');
});

test('a registry that is away is waited for', async (t) => {
  await using away = await startRegistry();
  await allowHttp(node().containerd, away);
  const digest = await away.push('busybox', 'late:1');
  await away.stop();
  const image = `${away.host}/late:1`;
  const history = await listenTo(node(), 'late');
  const both = ['main', 'twin'].map((name) => container(name, undefined, { image }));
  await node().apply(pod('late', [], both));

  const watch = await node().watch('late');
  const waiting = (one: V1Pod) => statusOf(one, 'main').state.waiting;
  const failed = await node().podThat('late', 'waits for the next try', (one) =>
    ['main', 'twin'].every(
      (name) => statusOf(one, name).state.waiting?.reason === 'ImagePullBackOff',
    ),
  );
  t.is(failed.status.phase, 'Pending');
  const { message = '' } = waiting(failed) ?? {};
  t.true(message.startsWith(`Back-off pulling image "${image}": ErrImagePull: `), message);
  t.regex(message, /connection refused/);
  const events = await history.until('Warning Failed: Error: ImagePullBackOff', 2);
  // The registry is asked once for both, and one of them tells of it.
  const backoff = [
    `Normal BackOff: Back-off pulling image "${image}"`,
    'Warning Failed: Error: ImagePullBackOff',
  ];
  t.deepEqual(
    events.filter((event) => !event.includes('connection refused')),
    [
      `Normal Pulling: Pulling image "${image}"`,
      'Warning Failed: Error: ErrImagePull',
      ...backoff,
      ...backoff,
    ],
  );
  t.true(
    events.some((event) => event.startsWith(`Warning Failed: Failed to pull image "${image}": `)),
  );

  await away.start();
  const running = await node().podThat('late', 'runs', isReady);
  t.is(statusOf(running, 'main').imageID, `${away.host}/late@${digest}`);
  t.is(statusOf(running, 'main').restartCount, 0);
  const reasons = (await watch.until(isReady)).flatMap((one) => waiting(one)?.reason ?? []);
  t.true(reasons.includes('ErrImagePull') || reasons.includes('ImagePullBackOff'));
  await node().removed('late');
});

test('a pull that takes its time tells how far it is', async (t) => {
  await using slow = await slowWayTo(registry());
  await registry().pushUnheardOf('slow', '1');
  const image = `${slow.host}/slow:1`;
  const quick = container('main', 'echo done', { image });
  await using alone = await startNode();
  await allowHttp(alone.containerd, slow);
  const run = alone.reprise(['run', '-f', await alone.manifest(pod('slow', [], [quick]))]);
  const told: string[] = [];
  for await (const line of run.iterable()) {
    told.push(line);
    if (told.filter((one) => one.includes('MiB so far')).length === 2) slow.open();
  }
  const { exitCode } = await run;
  t.is(exitCode, 0, told.join('\n'));
  // Before anything has arrived it only tells how long that takes.
  const progress = told.filter((line) => line.includes('MiB so far'));
  t.true(progress.length >= 2, told.join('\n'));
  for (const line of progress) {
    t.true(line.includes(`Pulling image "${image}": `), line);
    t.regex(line, /: \d+\.\d MiB so far, (\d+m)?\d+s$/);
  }
  t.true(told.some((line) => line.includes(`Successfully pulled image "${image}"`)));
});
