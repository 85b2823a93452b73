// Hooks at real containers: who did what and when is read from the story that they tell themselves.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { connectAgent } from '../src/api/client.ts';
import { container, initContainer, pod, restartAllOn, sidecar } from './manifests.ts';
import { statusOf, until } from './node.ts';
import { blink } from './pace.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

function script(text: string): Record<string, unknown> {
  return { exec: { command: ['sh', '-c', text] } };
}

/** Tells of SIGTERM, too. */
const tellsAll = `
  trap 'echo "$NAME is told to end" >> /told/story; exit 0' TERM
  echo "$NAME started" >> /told/story
  while :; do sleep ${blink}; done`;

/** A folder on the node, since the story is read after the pod is gone. */
async function told(name: string): Promise<{ folder: string; story: () => Promise<string[]> }> {
  const folder = path.join(node().dir, `told-${name}`);
  await fs.mkdir(folder);
  const story = async () => {
    const text = await fs.readFile(path.join(folder, 'story'), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean);
  };
  return { folder, story };
}

function withStory(folder: string): Record<string, unknown> {
  return {
    terminationGracePeriodSeconds: 30,
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

test('postStart comes before everything that follows, preStop before every stop signal', async (t) => {
  const { folder, story } = await told('order');
  // As long as the file is missing, the hook waits: what comes later has had its chance to come first.
  const waits = (name: string) =>
    script(`
    echo "postStart of ${name}" >> /told/story
    until [ -e /told/go-${name} ]; do sleep ${blink}; done
    echo "postStart of ${name} is done" >> /told/story`);
  const leaves = (name: string) => script(`echo "preStop of ${name}" >> /told/story; sleep 1`);
  const proxy = tells(
    'proxy',
    { postStart: waits('proxy'), preStop: leaves('proxy') },
    { restartPolicy: 'Always' },
  );
  const first = tells('first', { postStart: waits('first'), preStop: leaves('first') });
  const second = tells('second', { preStop: { sleep: { seconds: 1 } } });
  await node().apply(pod('order', [proxy], [first, second], withStory(folder)));
  for (const name of ['proxy', 'first']) {
    await until(`the hook of ${name} runs`, async () =>
      (await story()).includes(`postStart of ${name}`),
    );
    const waiting = statusOf(await node().pod('order'), name).state.waiting;
    t.is(waiting?.reason, 'PodInitializing');
    await fs.writeFile(path.join(folder, `go-${name}`), '');
  }
  await node().ready('order');
  await until('the last one has told', async () => (await story()).includes('second started'));
  const up = await story();
  const position = (line: string) => up.indexOf(line);
  t.true(position('postStart of proxy is done') < position('first started'));
  t.true(position('postStart of first is done') < position('second started'));

  await node().removed('order');
  const down = (await story()).slice(up.length);
  const begun = ['preStop of first', 'preStop of proxy'];
  t.deepEqual(down.slice(0, 2).toSorted(), begun);
  t.deepEqual(down.slice(2, 4).toSorted(), ['first is told to end', 'second is told to end']);
  t.deepEqual(down.slice(4), ['proxy is told to end']);
});

test('postStart can ask a server of the pod, and can pass time, before the next one starts', async (t) => {
  const { folder, story } = await told('asks');
  const serve = `
    mkdir -p /www/cgi-bin
    printf '#!/bin/sh\\necho; echo "asked by $HTTP_USER_AGENT for $QUERY_STRING" >> /told/story\\n' > /www/cgi-bin/up
    chmod +x /www/cgi-bin/up
    httpd -p 8080 -h /www
    ${tellsAll}`;
  const server = container('server', serve, {
    volumeMounts,
    restartPolicy: 'Always',
    startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 100 },
  });
  const asks = tells('asks', {
    postStart: { httpGet: { path: '/cgi-bin/up?name=asks', port: 8080 } },
  });
  const sleeps = tells('sleeps', { postStart: { sleep: { seconds: 2 } } });
  const says = `date +%s > /told/last-began; ${tellsAll}`;
  const last = container('last', says, { volumeMounts });
  await node().apply(pod('asks', [server], [asks, sleeps, last], withStory(folder)));
  const one = await node().ready('asks');
  await until('the last one has told', async () => (await story()).includes('last started'));
  const up = await story();
  const asked = up.findIndex((line) => /^asked by kube-lifecycle\/\S+ for name=asks$/.test(line));
  t.true(asked >= 0 && asked < up.indexOf('sleeps started'), up.join('\n'));
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
    echo "$NAME started" >> /told/story
    while :; do sleep ${blink}; done`;
  const one = (name: string, more = {}) => container(name, slow, { volumeMounts, ...more });
  const always = { restartPolicy: 'Always' };
  const sidecars = ['first', 'second', 'third'].map((name) => one(name, always));
  await node().apply(pod('backwards', sidecars, [one('main')], withStory(folder)));
  await node().ready('backwards');
  await until('all have told', async () => (await story()).length === 4);
  await node().removed('backwards');
  const down = ['main', 'third', 'second', 'first'].map((name) => `${name} has ended`);
  t.deepEqual((await story()).slice(4), down);
});

test('a hook that fails after the start stops its container, which starts again', async (t) => {
  const { folder, story } = await told('fails');
  const once = script('if [ ! -e /told/once ]; then : > /told/once; echo no >&2; exit 7; fi');
  const main = tells('main', { postStart: once }, { restartPolicy: 'Always' });
  await node().apply(pod('fails', [], [main], withStory(folder)));
  const after = await node().ready('fails');
  t.is(statusOf(after, 'main').restartCount, 1);
  await until('it has told', async () => (await story()).length === 3);
  t.deepEqual(await story(), ['main started', 'main is told to end', 'main started']);
  const events = (await node().events('fails')).join('\n');
  t.regex(events, /FailedPostStartHook: PostStartHook failed: command '.*' exited with 7: no/s);
  t.regex(events, /Killing: FailedPostStartHook/);
  await node().removed('fails');
});

test('a hook over HTTP, whatever is answered, and one that fails do not keep a pod from ending', async (t) => {
  const { folder, story } = await told('http');
  const serve = `
    mkdir -p /www/cgi-bin
    printf '#!/bin/sh\\necho "Status: 500 No"; echo; echo "asked to drain" >> /told/story\\n' > /www/cgi-bin/drain
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
  const watching = new AbortController();
  const seen: string[] = [];
  const query = { namespace: 'default', name: 'http' };
  const watch = (async () => {
    const events = await connectAgent(node().socket).watchEvents(query, watching.signal);
    for await (const { object } of events) seen.push(`${object.reason}: ${object.message}`);
  })().catch((error: unknown) => {
    if (!watching.signal.aborted) throw error;
  });
  await node().removed('http');
  watching.abort();
  await watch;
  const down = (await story()).slice(2);
  t.true(down.indexOf('asked to drain') < down.indexOf('web is told to end'));
  t.true(down.includes('asked to drain') && down.includes('other is told to end'));
  t.true(seen.some((line) => line.startsWith('FailedPreStopHook: PreStopHook failed: command')));
  t.false(seen.some((line) => line.includes('drain')));
});

test('when the grace is over, a hook is waited for no longer', async (t) => {
  const { folder, story } = await told('late');
  const main = tells('main', { preStop: script('echo "preStop" >> /told/story; sleep 1000') });
  const manifest = pod('late', [], [main], {
    ...withStory(folder),
    terminationGracePeriodSeconds: 2,
  });
  await node().apply(manifest);
  const pid = await node().pidOf(await node().ready('late'), 'main');
  await until('it has told', async () => (await story()).length === 1);
  await node().removed('late');
  t.deepEqual(await story(), ['main started', 'preStop', 'main is told to end']);
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
  const { folder, story } = await told('signals');
  const hears = (ends: string) => `
    trap 'echo "$NAME hears SIGTERM" >> /told/story; exit 1' TERM
    trap 'echo "$NAME hears SIGUSR1" >> /told/story; ${ends}' USR1
    echo "$NAME started" >> /told/story
    while :; do sleep ${blink}; done`;
  const lifecycle = { stopSignal: 'SIGUSR1' };
  const polite = container('polite', hears('exit 0'), { volumeMounts, lifecycle });
  const deaf = container('deaf', hears(':'), { volumeMounts, lifecycle });
  const manifest = pod('signals', [], [polite, deaf], {
    ...withStory(folder),
    terminationGracePeriodSeconds: 3,
    os: { name: 'linux' },
  });
  await node().apply(manifest);
  const before = await node().ready('signals');
  await until('both have told', async () => (await story()).length === 2);
  const pid = await node().pidOf(before, 'deaf');
  await node().removed('signals');
  t.deepEqual((await story()).slice(2).toSorted(), ['deaf hears SIGUSR1', 'polite hears SIGUSR1']);
  await t.throwsAsync(fs.access(`/proc/${String(pid)}`));
});
