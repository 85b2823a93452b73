// The promise of it all: everything runs again, in order, in the same sandbox, and nothing of the
// old run is left when it does. Looked at from outside: at processes, inodes and files.
import fs from 'node:fs/promises';
import path from 'node:path';
import { takeFacts } from '../scripts/pod-facts.ts';
import { connectAgent } from '../src/api/client.ts';
import { container, initContainer, pod, referencePod, restartAllOn, sidecar } from './manifests.ts';
import { countsOf, generationOf, patience, statusOf, until, readyIn } from './node.ts';
import { napping } from './pace.ts';
import { sharedNode } from './shared.ts';
import { testInTurn } from './turns.ts';

const test = testInTurn(4);
const node = sharedNode();

test('a restart keeps the pod and makes its containers anew', async (t) => {
  const { name } = referencePod('keeps').metadata;
  const manifest = referencePod(name, {
    volumes: [
      { name: 'shared', emptyDir: {} },
      { name: 'device', hostPath: { path: '/dev/zero', type: 'CharDevice' } },
    ],
    containers: [
      container('main', undefined, {
        volumeMounts: [
          { name: 'shared', mountPath: '/shared' },
          { name: 'device', mountPath: '/dev/accel0' },
        ],
      }),
    ],
  });
  await node().apply(manifest);
  const view = { container: 'main', volume: '/shared', file: 'story', device: '/dev/accel0' };
  const first = await node().ready(name);
  await node().story(first, 3);
  const before = await takeFacts(node().containerd, first, view);
  await node().tell(first, 'watcher', 88);
  const second = await node().ready(name, 1);
  const story = await node().story(second, 7);
  const after = await takeFacts(node().containerd, second, view);

  t.deepEqual(after.lasting, before.lasting);
  t.is(second.status.startTime, first.status.startTime);
  t.deepEqual(second.status.podIPs, first.status.podIPs);
  t.true(after.lasting.address.startsWith(first.status.podIP ?? 'no address'));
  // Whose process has been started first need not be the first to say so.
  const run = ([setup, ...others]: string[]) => [setup, ...others.toSorted()];
  const started = ['setup started', 'main started', 'watcher started'];
  t.deepEqual(run(story.slice(0, 3)), started);
  t.is(story[3], 'watcher ends with 88');
  t.deepEqual(run(story.slice(4)), started);
  const [restart] = await connectAgent(node().socket).listRestarts('default', name, patience());
  const starts = restart?.containers.map(({ startedAt = NaN }) => startedAt) ?? [];
  t.is(starts.length, 3);
  t.true(starts.every((at, index) => index === 0 || at >= (starts[index - 1] ?? NaN)));
  t.deepEqual(countsOf(first), { setup: 0, watcher: 0, main: 0 });
  t.deepEqual(countsOf(second), { setup: 1, watcher: 1, main: 1 });
  for (const one of before.containers) {
    t.not(after.containers.find(({ name }) => name === one.name)?.id, one.id);
  }
  const last = (container: string) => statusOf(second, container).lastState.terminated;
  t.like(last('setup'), { exitCode: 0, reason: 'Completed' });
  t.like(last('watcher'), { exitCode: 88, reason: 'Error' });
  t.like(last('main'), { exitCode: 137, reason: 'RestartingAllContainers' });
  for (const container of ['setup', 'watcher', 'main']) {
    t.truthy(last(container)?.startedAt);
    t.truthy(last(container)?.finishedAt);
  }
  await node().removed(name);
});

test('nothing of the old run lives when the new one begins', async (t) => {
  // The children hold a file open as long as they live, ignore SIGTERM and have left their session; in
  // a shared pid namespace the death of their parent does not take them along.
  const holds = `
    exec 9>/shared/held
    trap '' TERM
    (trap '' TERM; setsid sh -c 'sleep 1000 & sleep 1000 & wait' &)
    echo "holder started" >> /shared/story
    while :; do sleep 1; done`;
  const checks = `
    if ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q /shared/held; then echo "still held" >> /shared/story
    else echo "free" >> /shared/story; fi
    ps -o comm | grep -c sleep > /shared/sleeps; true`;
  const manifest = pod(
    'leaves-nothing',
    [initContainer('checks', checks), sidecar('watcher', restartAllOn(88))],
    [container('holder', holds)],
    { shareProcessNamespace: true },
  );
  await node().apply(manifest);
  for (const generation of [0, 1, 2]) {
    const now = await node().ready('leaves-nothing', generation);
    await until(
      'the holder holds',
      async () =>
        (await node().story(now)).filter((line) => line === 'holder started').length > generation,
    );
    t.is(await fs.readFile(path.join(node().volume(now), 'sleeps'), 'utf8'), '0\n');
    if (generation < 2) await node().tell(now, 'watcher', 88);
  }
  const now = await node().pod('leaves-nothing');
  t.deepEqual(
    (await node().story(now)).filter((line) => line === 'free' || line === 'still held'),
    ['free', 'free', 'free'],
  );
  await node().removed('leaves-nothing');
});

for (const [kind, trigger] of [
  ['an app container', 'main'],
  ['a sidecar', 'watcher'],
] as const) {
  test(`${kind} can ask for a restart`, async (t) => {
    const name = `trigger-${trigger}`;
    const rule = { restartPolicy: 'Never', ...restartAllOn(42) };
    const manifest = pod(
      name,
      [initContainer('setup'), sidecar('watcher', restartAllOn(42))],
      [container('main', undefined, rule)],
    );
    await node().apply(manifest);
    await node().tell(await node().ready(name), trigger, 42);
    const after = await node().ready(name, 1);
    t.deepEqual(countsOf(after), { setup: 1, watcher: 1, main: 1 });
    t.like(statusOf(after, trigger).lastState.terminated, { exitCode: 42, reason: 'Error' });
    await node().removed(name);
  });
}

test('an init container can ask for a restart', async (t) => {
  const once = `
    echo "$NAME started" >> /shared/story
    if [ -e /shared/was-here ]; then exit 0; fi
    touch /shared/was-here; exit 42`;
  const manifest = pod(
    'trigger-init',
    [
      initContainer('first'),
      initContainer('second', once, { restartPolicy: 'Never', ...restartAllOn(42) }),
    ],
    [container('main')],
  );
  await node().apply(manifest);
  const after = await node().ready('trigger-init', 1);
  t.deepEqual(await node().story(after, 5), [
    'first started',
    'second started',
    'first started',
    'second started',
    'main started',
  ]);
  t.deepEqual(countsOf(after), { first: 1, second: 1, main: 0 });
  await node().removed('trigger-init');
});

test('several restarts in a row, each on its own', async (t) => {
  await node().apply(referencePod('in-a-row'));
  for (let generation = 0; generation < 5; generation++) {
    await node().tell(await node().ready('in-a-row', generation), 'watcher', 88);
  }
  const after = await node().ready('in-a-row', 5);
  t.deepEqual(countsOf(after), { setup: 5, watcher: 5, main: 5 });
  const containers = (await node().containerd.ctr('containers', 'ls')).split('\n');
  const uid = after.metadata.uid;
  t.true(containers.length > 0);
  await until('old containers are removed', async () => {
    const rows = await node().containerd.ctr(
      'containers',
      'ls',
      '-q',
      `labels."io.kubernetes.pod.uid"==${uid}`,
    );
    // The sandbox, three containers, and the three made ahead for the next restart.
    return rows.split('\n').filter(Boolean).length <= 7;
  });
  await node().removed('in-a-row');
});

test('two triggers at once make one restart', async (t) => {
  // A trigger that is killed before it saw the file leaves it there, for its next run: that one
  // must not take it for a second request.
  const once = `
if grep -qx "$NAME waits" /shared/story; then exec sleep 3600; fi
echo "$NAME waits" >> /shared/story
${napping}
while [ ! -e /shared/now ]; do nap; done
exit 88
`;
  const trigger = (name: string) =>
    container(name, once, { restartPolicy: 'Always', ...restartAllOn(88) });
  await node().apply(pod('two-triggers', [trigger('one'), trigger('two')], [container('main')]));
  const first = await node().ready('two-triggers');
  await node().story(first, 3);
  await node().put(first, 'now');
  const after = await node().ready('two-triggers', 1);
  t.deepEqual(countsOf(after), { one: 1, two: 1, main: 1 });
  await node().removed('two-triggers');
});

test('completed and failed app containers run again', async (t) => {
  const manifest = pod(
    'run-again',
    [sidecar('watcher', restartAllOn(88))],
    [container('completes'), container('fails'), container('goes-on')],
  );
  await node().apply(manifest);
  const first = await node().ready('run-again');
  await node().tell(first, 'completes', 0);
  await node().tell(first, 'fails', 3);
  await node().podThat('run-again', 'has two ended containers', (one) =>
    ['completes', 'fails'].every((name) => statusOf(one, name).state.terminated !== undefined),
  );
  await node().tell(first, 'watcher', 88);
  const after = await node().ready('run-again', 1);
  t.like(statusOf(after, 'completes').lastState.terminated, { exitCode: 0, reason: 'Completed' });
  t.like(statusOf(after, 'fails').lastState.terminated, { exitCode: 3, reason: 'Error' });
  await node().removed('run-again');
});

test('an exit that no rule names fails a pod that never restarts', async (t) => {
  await node().apply(referencePod('mismatch'));
  await node().tell(await node().ready('mismatch'), 'main', 87);
  const after = await node().podThat(
    'mismatch',
    'has failed',
    ({ status }) => status.phase === 'Failed',
  );
  t.is(generationOf(after), 0);
  t.like(statusOf(after, 'main').state.terminated, { exitCode: 87, reason: 'Error' });
  t.is(await node().pidOf(after, 'watcher'), undefined);
  await node().removed('mismatch');
});

test('an init container that fails after the restart fails the pod', async (t) => {
  await node().apply(referencePod('init-fails'));
  const first = await node().ready('init-fails');
  await fs.writeFile(path.join(node().volume(first), 'code-setup'), '9');
  await node().tell(first, 'watcher', 88);
  const after = await node().podThat(
    'init-fails',
    'has failed',
    ({ status }) => status.phase === 'Failed',
  );
  t.is(generationOf(after), 1);
  t.like(statusOf(after, 'setup').state.terminated, { exitCode: 9, reason: 'Error' });
  await node().removed('init-fails');
});

test('a user can ask for a restart of any pod', async (t) => {
  await node().apply(pod('on-request', [], [container('main')]));
  await node().ready('on-request');
  const watch = await node().watch('on-request');
  await node().ok('restart', 'pod', 'on-request');
  const after = await node().ready('on-request', 1);
  t.like(statusOf(after, 'main').lastState.terminated, {
    exitCode: 137,
    reason: 'RestartingAllContainers',
  });
  // Also a condition that lasts for milliseconds is shown by the watch.
  const reasons = (await watch.until(readyIn(1))).flatMap((one) =>
    one.status.conditions.map(({ reason }) => reason),
  );
  t.true(reasons.includes('RequestedByUser'));
  await node().removed('on-request');
});

test('the phase is Pending from the first kill until the init containers are done', async (t) => {
  const slow = 'echo "$NAME started" >> /shared/story; sleep 0.3';
  const manifest = pod(
    'phases',
    [initContainer('setup', slow), sidecar('watcher', restartAllOn(88))],
    [container('main')],
  );
  await node().apply(manifest);
  const first = await node().ready('phases');
  const watch = await node().watch('phases');
  await node().tell(first, 'watcher', 88);
  const seen = (await watch.until(readyIn(1))).map(({ status }) => {
    const restarting = status.conditions.find(({ type }) => type === 'AllContainersRestarting');
    return `${status.phase} ${restarting?.status ?? '-'} ${restarting?.reason ?? '-'}`;
  });
  t.deepEqual(
    seen.filter((line, index) => line !== seen[index - 1]),
    ['Running False -', 'Pending True ContainerExited', 'Pending False -', 'Running False -'],
  );
  await node().removed('phases');
});
