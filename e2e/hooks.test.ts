// Hooks at real containers: who did what and when is read from the story that they tell themselves.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { connectAgent } from '../src/api/client.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, initContainer, pod, restartAllOn, sidecar } from './manifests.ts';
import { patience, statusOf, until } from './node.ts';
import { blink, napping } from './pace.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

function script(text: string): Record<string, unknown> {
  return { exec: { command: ['sh', '-c', text] } };
}

/** Hears what it has set traps for, as soon as that comes. */
const listens = `
  echo "$NAME started" >> /told/story
  ${napping}
  while :; do nap; done`;

/** Tells of SIGTERM, too. */
const tellsAll = `
  trap 'echo "$NAME is told to end" >> /told/story; exit 0' TERM
  ${listens}`;

interface Told {
  readonly folder: string;
  readonly story: () => Promise<string[]>;
  /** The story, once all these lines are in it: who has started need not have told so yet. */
  readonly hears: (...lines: readonly string[]) => Promise<string[]>;
}

/** A folder on the node, since the story is read after the pod is gone. */
async function told(name: string): Promise<Told> {
  const folder = path.join(node().dir, `told-${name}`);
  await fs.mkdir(folder);
  const story = async () => {
    const text = await fs.readFile(path.join(folder, 'story'), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean);
  };
  const hears = async (...lines: readonly string[]) =>
    await until(`it is told: ${lines.join(', ')}`, async () => {
      const all = await story();
      return lines.every((line) => all.includes(line)) && all;
    });
  return { folder, story, hears };
}

function withStory(folder: string): Record<string, unknown> {
  return {
    // More than anybody takes: where the time is to be over, the test says when.
    terminationGracePeriodSeconds: 3600,
    volumes: [
      { name: 'shared', emptyDir: {} },
      { name: 'told', hostPath: { path: folder, type: 'Directory' } },
    ],
  };
}

const volumeMounts = [
  { name: 'shared', mountPath: '/shared' },
  { name: 'told', mountPath: '/told' },
];

function tells(name: string, lifecycle: Record<string, unknown>, more = {}) {
  return container(name, tellsAll, { volumeMounts, lifecycle, ...more });
}

/** Deletes a pod whose grace is over soon after these lines have been told, however long that takes. */
async function removedAfter(name: string, { hears }: Told, ...lines: string[]): Promise<void> {
  await node().ok('delete', 'pod', name, '--no-wait');
  await hears(...lines);
  await node().ok('delete', 'pod', name, '--grace-period=1');
}

test('postStart comes before everything that follows, preStop before every stop signal', async (t) => {
  const { folder, story, hears } = await told('order');
  // As long as its file is missing, a hook waits: what comes later has had its chance to come first.
  const waits = (what: string) =>
    script(`
    echo "${what}" >> /told/story
    until [ -e "/told/end ${what}" ]; do sleep ${blink}; done
    echo "${what} is done" >> /told/story`);
  const end = (what: string) => fs.writeFile(path.join(folder, `end ${what}`), '');
  const both = (name: string) => ({
    postStart: waits(`postStart of ${name}`),
    preStop: waits(`preStop of ${name}`),
  });
  const proxy = tells('proxy', both('proxy'), { restartPolicy: 'Always' });
  const first = tells('first', both('first'));
  const second = tells('second', { preStop: { sleep: { seconds: 2 } } });
  await node().apply(pod('order', [proxy], [first, second], withStory(folder)));
  for (const name of ['proxy', 'first']) {
    await hears(`postStart of ${name}`);
    const waiting = statusOf(await node().pod('order'), name).state.waiting;
    t.is(waiting?.reason, 'PodInitializing');
    await end(`postStart of ${name}`);
  }
  await node().ready('order');
  const up = await hears('proxy started', 'first started', 'second started');
  const position = (line: string) => up.indexOf(line);
  t.true(position('postStart of proxy is done') < position('first started'));
  t.true(position('postStart of first is done') < position('second started'));

  const asked = Date.now();
  const hooks = ['preStop of first', 'preStop of proxy'];
  await Promise.all([node().removed('order'), watchTheEnd()]);
  t.deepEqual((await story()).slice(up.length + 3), [
    'preStop of proxy is done',
    'preStop of first is done',
    'first is told to end',
    'proxy is told to end',
  ]);

  async function watchTheEnd(): Promise<void> {
    // All hooks begin at once, and nobody waits for those of others.
    const begun = await hears(...hooks, 'second is told to end');
    t.deepEqual(begun.slice(up.length).toSorted(), [...hooks, 'second is told to end']);
    const now = await node().podThat(
      'order',
      'has lost the second',
      (one) => statusOf(one, 'second').state.terminated !== undefined,
    );
    const finishedAt = statusOf(now, 'second').state.terminated?.finishedAt ?? '';
    // In whole seconds, rounded down.
    t.true(Date.parse(finishedAt) / 1000 >= Math.floor(asked / 1000) + 2, finishedAt);
    // The hook of a sidecar may be over long before its turn comes.
    await end('preStop of proxy');
    await hears('preStop of proxy is done');
    await end('preStop of first');
  }
});

test('postStart can ask a server of the pod, and can pass time, before the next one starts', async (t) => {
  const { folder, hears } = await told('asks');
  const serve = `
    mkdir -p /www/cgi-bin
    printf '#!/bin/sh\\necho "asked by $HTTP_USER_AGENT for $QUERY_STRING" >> /told/story; echo\\n' > /www/cgi-bin/up
    chmod +x /www/cgi-bin/up
    httpd -p 8080 -h /www
    ${tellsAll}`;
  const server = container('server', serve, {
    volumeMounts,
    restartPolicy: 'Always',
    startupProbe: {
      tcpSocket: { port: 8080 },
      periodSeconds: 1,
      timeoutSeconds: 30,
      failureThreshold: 1000,
    },
  });
  const asks = tells('asks', {
    // The server has no TLS, which is told and forgiven.
    postStart: { httpGet: { scheme: 'HTTPS', path: '/cgi-bin/up?name=asks', port: 8080 } },
  });
  const sleeps = tells('sleeps', { postStart: { sleep: { seconds: 2 } } });
  const says = `date +%s > /told/last-began; ${tellsAll}`;
  const last = container('last', says, { volumeMounts });
  await node().apply(pod('asks', [server], [asks, sleeps, last], withStory(folder)));
  const one = await node().ready('asks');
  const up = await hears('server started', 'asks started', 'sleeps started', 'last started');
  const asked = up.findIndex((line) => /^asked by kube-lifecycle\/\S+ for name=asks$/.test(line));
  t.true(asked >= 0 && asked < up.indexOf('sleeps started'), up.join('\n'));
  t.true(
    (await node().events('asks')).includes(
      `Warning LifecycleHTTPFallback: request to HTTPS lifecycle hook ${one.status.podIP}:8080 got HTTP response, retry with HTTP succeeded`,
    ),
  );
  const before = Date.parse(statusOf(one, 'sleeps').state.running?.startedAt ?? '') / 1000;
  const after = Number(await fs.readFile(path.join(folder, 'last-began'), 'utf8'));
  // Both are whole seconds, rounded down.
  t.true(after >= before + 2, `${after} is not two seconds after ${before}`);
  await node().removed('asks');
});

test('app containers end first, then the sidecars, the last one first', async (t) => {
  const { folder, story } = await told('backwards');
  // Each takes a moment: who does not wait for the one before overtakes it.
  const slow = `
    trap 'sleep 1; echo "$NAME has ended" >> /told/story; exit 0' TERM
    ${listens}`;
  const one = (name: string, more = {}) => container(name, slow, { volumeMounts, ...more });
  const always = { restartPolicy: 'Always' };
  const sidecars = ['first', 'second', 'third'].map((name) => one(name, always));
  await node().apply(pod('backwards', sidecars, [one('main')], withStory(folder)));
  await node().ready('backwards');
  await until('all have told', async () => (await story()).length === 4);
  await node().removed('backwards');
  const inOrder = ['main', 'third', 'second', 'first'];
  t.deepEqual(
    (await story()).slice(4),
    inOrder.map((name) => `${name} has ended`),
  );
  const events = await node().events('backwards');
  t.deepEqual(
    events.filter((event) => event.includes('Killing')).toSorted(),
    inOrder.toSorted().map((name) => `Normal Killing: Stopping container ${name}`),
  );
});

test('when the grace is over, sidecars wait for nobody, and all get their signal together', async (t) => {
  const { folder, hears } = await told('together');
  const deaf = (name: string, more = {}) =>
    container(name, `trap '' TERM; ${listens}`, { volumeMounts, ...more });
  const always = { restartPolicy: 'Always' };
  // Not the first process of its namespace, which a signal without a handler would not reach: the kernel
  // ends it, however slow the machine is.
  const mortal = `echo "$NAME started" >> /told/story; exec sleep 100000`;
  const first = container('first', mortal, { volumeMounts, ...always });
  const manifest = pod('together', [first, deaf('second', always)], [deaf('main')], {
    ...withStory(folder),
    shareProcessNamespace: true,
  });
  await node().apply(manifest);
  await node().ready('together');
  await hears('first started', 'second started', 'main started');
  const watch = await node().watch('together');
  await node().ok('delete', 'pod', 'together', '--no-wait');
  await until('main is told to end', async () => (await stops()).length > 0);
  const asked = Date.now();
  await node().ok('delete', 'pod', 'together', '--grace-period=1');

  const [over] = (await watch.until(hasEnded)).filter(hasEnded);
  const ends = ['main', 'second', 'first'].map((name) => {
    const { exitCode, finishedAt } = (over && statusOf(over, name).state.terminated) ?? {};
    return { name, exitCode, at: Date.parse(finishedAt ?? '') };
  });
  t.deepEqual(
    ends.map(({ name, exitCode }) => `${name} ${String(exitCode)}`),
    ['main 137', 'second 137', 'first 143'],
  );
  t.deepEqual(
    (await stops()).toSorted(),
    ['first', 'main', 'second'].map((name) => `Stopping container ${name}`),
  );
  // The first, if it waited for its turn, would be told to end when the second is dead.
  const [second = NaN, alone = NaN] = ends.slice(1).map(({ at }) => at);
  t.true(alone < second, `the first ended at ${alone}, the second at ${second}`);
  // One second of the grace that was left, and two that everybody has. In whole seconds, rounded down.
  t.true(second >= Math.floor(asked / 1000) * 1000 + 3000, `${second} is too soon after ${asked}`);

  async function stops(): Promise<readonly string[]> {
    const query = { namespace: 'default', name: 'together' };
    const events = await connectAgent(node().socket).listEvents(query, patience());
    return events.filter(({ reason }) => reason === 'Killing').map(({ message }) => message);
  }

  function hasEnded(one: V1Pod): boolean {
    return ['main', 'second', 'first'].every(
      (name) => statusOf(one, name).state.terminated !== undefined,
    );
  }
});

test('a hook that fails after the start stops its container, which starts again', async (t) => {
  const { folder, story } = await told('fails');
  // Not before the container has told so can it be told to end: a signal that it has no trap for is lost.
  const once = script(`
    until grep -q started /told/story 2>/dev/null && [ -e /told/go ]; do sleep ${blink}; done
    if [ ! -e /told/once ]; then : > /told/once; echo no >&2; exit 7; fi`);
  const main = tells('main', { postStart: once }, { restartPolicy: 'Always' });
  await node().apply(pod('fails', [], [main], withStory(folder)));
  const watch = await node().watch('fails');
  await fs.writeFile(path.join(folder, 'go'), '');
  // Also when it has ended, as long as it has not been started again.
  await watch.until((one) => {
    const { state, lastState, containerID } = statusOf(one, 'main');
    const hasEnded = lastState.terminated?.containerID === containerID;
    return state.waiting?.reason === 'PostStartHookError' && containerID !== undefined && hasEnded;
  });
  const after = await node().ready('fails');
  t.is(statusOf(after, 'main').restartCount, 1);
  await until('it has told', async () => (await story()).length >= 3);
  t.deepEqual(await story(), ['main started', 'main is told to end', 'main started']);
  const events = (await node().events('fails')).join('\n');
  t.regex(events, /FailedPostStartHook: PostStartHook failed/);
  // Those who read events are not told what a hook is or says.
  t.notRegex(events, /exited with 7/);
  t.regex(events, /Killing: FailedPostStartHook/);
  await node().removed('fails');
});

test('a hook over HTTP, whatever is answered, and one that fails do not keep a pod from ending', async (t) => {
  const { folder, story } = await told('http');
  const serve = `
    mkdir -p /www/cgi-bin
    printf '#!/bin/sh\\necho "asked to drain" >> /told/story; echo "Status: 500 No"; echo\\n' > /www/cgi-bin/drain
    chmod +x /www/cgi-bin/drain
    httpd -p 8080 -h /www
    ${tellsAll}`;
  const web = container('web', serve, {
    volumeMounts,
    ports: [{ name: 'web', containerPort: 8080 }],
    lifecycle: { preStop: { httpGet: { path: '/cgi-bin/drain', port: 'web' } } },
  });
  const other = tells('other', { preStop: script('exit 9') });
  await node().apply(pod('http', [], [web, other], withStory(folder)));
  await node().ready('http');
  await until('both have told', async () => (await story()).length === 2);
  await node().removed('http');
  const down = (await story()).slice(2);
  t.true(down.indexOf('asked to drain') < down.indexOf('web is told to end'));
  t.true(down.includes('asked to drain') && down.includes('other is told to end'));
  const events = (await node().events('http')).join('\n');
  t.regex(events, /^Warning FailedPreStopHook: PreStopHook failed/m);
  t.notRegex(events, /exited with 9/);
  t.notRegex(events, /drain/);
});

test('when the grace is over, a hook is waited for no longer', async (t) => {
  const late = await told('late');
  const main = tells('main', { preStop: script('echo "preStop" >> /told/story; sleep 1000') });
  await node().apply(pod('late', [], [main], withStory(late.folder)));
  const pid = await node().pidOf(await node().ready('late'), 'main');
  await late.hears('main started');
  await removedAfter('late', late, 'preStop');
  t.deepEqual(await late.story(), ['main started', 'preStop', 'main is told to end']);
  await t.throwsAsync(fs.access(`/proc/${String(pid)}`));
});

test('an in-place restart runs postStart again, and no preStop', async (t) => {
  const { folder, story } = await told('again');
  const lifecycle = {
    postStart: script('echo "postStart" >> /told/story'),
    preStop: script('echo "preStop" >> /told/story; sleep 1000'),
  };
  const manifest = pod(
    'again',
    [initContainer('setup'), sidecar('watcher', restartAllOn(88))],
    [tells('main', lifecycle)],
    withStory(folder),
  );
  await node().apply(manifest);
  for (let generation = 0; generation < 3; generation++) {
    const now = await node().ready('again', generation);
    await until('it has told', async () => (await story()).length === 2 * (generation + 1));
    await node().tell(now, 'watcher', 88);
  }
  await node().ready('again', 3);
  await until('it has told', async () => (await story()).length === 8);
  const lines = await story();
  t.is(lines.filter((line) => line === 'postStart').length, 4);
  t.is(lines.filter((line) => line === 'main started').length, 4);
  await node().ok('delete', 'pod', 'again', '--force', '--wait');
  t.is((await story()).length, 8);
});

test('a container is told to end with the signal of its choice, and killed if it does not', async (t) => {
  const signals = await told('signals');
  const hears = (ends: string) => `
    trap 'echo "$NAME hears SIGTERM" >> /told/story; exit 1' TERM
    trap 'echo "$NAME hears SIGUSR1" >> /told/story; ${ends}' USR1
    ${listens}`;
  const lifecycle = { stopSignal: 'SIGUSR1' };
  const polite = container('polite', hears('exit 0'), { volumeMounts, lifecycle });
  // It may be told twice: with each grace that it is given.
  const deaf = container('deaf', hears('trap : USR1'), { volumeMounts, lifecycle });
  const manifest = pod('signals', [], [polite, deaf], {
    ...withStory(signals.folder),
    os: { name: 'linux' },
  });
  await node().apply(manifest);
  const before = await node().ready('signals');
  await signals.hears('polite started', 'deaf started');
  const pid = await node().pidOf(before, 'deaf');
  const heard = ['deaf hears SIGUSR1', 'polite hears SIGUSR1'];
  await removedAfter('signals', signals, ...heard);
  t.deepEqual((await signals.story()).slice(2).toSorted(), heard);
  await t.throwsAsync(fs.access(`/proc/${String(pid)}`));
});
