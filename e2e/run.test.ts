// `reprise run` needs nothing but containerd: it tells what happens, ends the pod when it is asked
// to, leaves nothing, and goes on where a crash has cut it off.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMemory } from '../src/agent/memory-file.ts';
import { foreground } from './foreground.ts';
import { container, initContainer, pod, referencePod } from './manifests.ts';
import type { ManifestOf } from './manifests.ts';
import type { Place } from './node.ts';
import { countsOf, isReady, until, readyIn } from './node.ts';
import { blink, napping } from './pace.ts';
import { sharedNode } from './shared.ts';
import { testInTurn } from './turns.ts';

const test = testInTurn(5);
// No agent: each test has its own, or none.
const node = sharedNode(() => Promise.resolve());

/** Folders and a socket of its own for each test: without an agent, `run` is one. */
async function place(name: string): Promise<Place> {
  return await node().beside(name);
}

function example(name: string): string {
  return fileURLToPath(new URL(`../examples/${name}.yaml`, import.meta.url));
}

/** A pod whose container writes into a folder of the host that it was asked to end. */
function politePod(name: string, folder: string, more: Record<string, unknown> = {}): ManifestOf {
  const script = `
    trap 'echo "asked to end" >> /host/said; exit 0' TERM
    echo "up" >> /host/said
    ${napping}
    while :; do nap; done`;
  const main = container('main', script, { volumeMounts: [{ name: 'host', mountPath: '/host' }] });
  return pod(name, [], [main], {
    volumes: [{ name: 'host', hostPath: { path: folder, type: 'DirectoryOrCreate' } }],
    terminationGracePeriodSeconds: 3600,
    ...more,
  });
}

/** `container: text` of the lines of a story; the time is checked and left out. */
function story(out: string): string[] {
  return out.split('\n').map((line) => {
    const [, name, text] = /^\d\d:\d\d:\d\d\.\d{3} {2}(\S+) +(.*)$/.exec(line) ?? [];
    if (name === undefined || text === undefined) throw new Error(`no line of a story: "${line}"`);
    return `${name}: ${text}`;
  });
}

function storyLines(out: string): { what: string; text: string; time: string }[] {
  return out
    .split('\n')
    .map((line) => JSON.parse(line) as { what: string; text: string; time: string });
}

/** The lines that match, in the order of the patterns; each is looked for after the one before. */
function inOrder(lines: readonly string[], patterns: readonly RegExp[]): string[] {
  let from = 0;
  return patterns.map((pattern) => {
    const at = lines.findIndex((line, index) => index >= from && pattern.test(line));
    if (at < 0) throw new Error(`no ${String(pattern)} after line ${from} of\n${lines.join('\n')}`);
    from = at + 1;
    return lines[at] ?? '';
  });
}

/** Sandbox and containers of a pod as containerd knows them. */
async function seenFrom(where: Place, name: string): Promise<Record<string, string[]>> {
  const kind = (is: string) =>
    where.containers({ 'io.kubernetes.pod.name': name, 'io.cri-containerd.kind': is });
  return { sandboxes: await kind('sandbox'), containers: await kind('container') };
}

test('the example runs, is restarted in place, and succeeds; the output tells it', async (t) => {
  const here = await place('example');
  const { code, out, err } = await foreground(here, '-f', example('ml-worker')).end();
  t.is(err, '');
  t.is(code, 0);
  const lines = story(out);
  inOrder(lines, [
    /^\(pod\): default\/ml-worker, uid [0-9a-f-]{36}$/,
    /^\(pod\): Pending$/,
    /^setup-environment: started$/,
    /^setup-environment: exited with code 0 \(Completed\)/,
    /^watcher-sidecar: started$/,
    /^main-application: started$/,
    /^watcher-sidecar: exited with code 88 \(Error\)/,
    /^\(pod\): Pending$/,
    /^main-application: exited with code 137 \(RestartingAllContainers\)/,
    /^setup-environment: started \(restart 1\)$/,
    /^watcher-sidecar: started \(restart 1\)$/,
    /^main-application: started \(restart 1\)$/,
    /^main-application: exited with code 0 \(Completed\) after \d+s$/,
    /^\(pod\): Succeeded$/,
  ]);
  const [restarting, restarted] = inOrder(lines, [
    /^\(pod\): .*watcher-sidecar.*88/,
    /^\(pod\): All containers were restarted in place in [\d.]+ ms \(generation 1\)$/,
  ]);
  t.truthy(restarting);
  t.truthy(restarted);
  t.deepEqual(await here.traces(), []);
});

test('pods ask the name servers of the file that is named, and nobody if there is to be none', async (t) => {
  const here = await place('resolver');
  const file = path.join(here.dir, 'resolv.conf');
  await fs.promises.writeFile(file, 'nameserver 192.0.2.53\nsearch lab.test\noptions ndots:2\n');
  const main = container('main', 'cat /etc/resolv.conf > /host/seen', {
    volumeMounts: [{ name: 'host', mountPath: '/host' }],
  });
  const manifest = await here.manifest(
    pod('asks', [], [main], {
      volumes: [{ name: 'host', hostPath: { path: here.dir } }],
      restartPolicy: 'Never',
    }),
  );
  const { code, err } = await foreground(here, '--resolv-conf', file, '-f', manifest).end();
  t.is(code, 0, err);
  t.is(
    fs.readFileSync(path.join(here.dir, 'seen'), 'utf8'),
    'search lab.test\nnameserver 192.0.2.53\noptions ndots:2\n',
  );

  const { code: unnamed } = await foreground(here, '--resolv-conf', '', '-f', manifest).end();
  t.is(unnamed, 0);
  const seen = fs.readFileSync(path.join(here.dir, 'seen'), 'utf8');
  t.regex(seen, /^search \.\n(nameserver (127\.0\.0\.1|::1)\n)+$/);

  const none = `${file}.none`;
  const missing = await foreground(here, '--resolv-conf', none, '-f', manifest).end();
  t.is(missing.code, 2);
  t.regex(missing.err, /--resolv-conf.*cannot be read.*ENOENT/);
});

test('-o json tells the same as JSON lines', async (t) => {
  const here = await place('json');
  const { code, out } = await foreground(here, '-f', example('hello'), '-o', 'json').end();
  t.is(code, 0);
  const lines = storyLines(out);
  t.deepEqual(
    lines.map(({ what }) => what).filter((what) => what !== 'phase'),
    ['accepted', 'started', 'exited'],
  );
  t.like(lines.at(0), { what: 'accepted', namespace: 'default', name: 'hello' });
  t.like(
    lines.find(({ what }) => what === 'exited'),
    {
      container: 'hello',
      exitCode: 0,
      reason: 'Completed',
    },
  );
  t.like(lines.at(-1), { what: 'phase', phase: 'Succeeded' });
  for (const { time } of lines) t.is(new Date(time).toISOString(), time);
});

const fails = pod(
  'fails',
  [initContainer('setup')],
  [container('main', 'for i in $(seq 1 30); do echo "line $i"; done; exit 7')],
);

test('a pod that fails: exit code 1, and which container with what code and last words', async (t) => {
  const here = await place('fails');
  const { code, out, err } = await foreground(here, '-f', await here.manifest(fails)).end();
  t.is(code, 1);
  inOrder(story(out), [/^main: exited with code 7 \(Error\)( after \d+s)?$/, /^\(pod\): Failed$/]);
  t.deepEqual(err.split('\n'), [
    'container main has failed: exit code 7 (Error)',
    '  the end of its log:',
    ...Array.from({ length: 10 }, (_, index) => `    line ${index + 21}`),
  ]);
  t.deepEqual(await here.traces(), []);
});

test('a pod that fails, for programs', async (t) => {
  const here = await place('fails-json');
  const { code, out, err } = await foreground(
    here,
    ...['-f', await here.manifest(fails), '-o', 'json'],
  ).end();
  t.is(code, 1);
  t.is(err, '');
  t.like(
    storyLines(out).find(({ what }) => what === 'failure'),
    {
      container: 'main',
      exitCode: 7,
      reason: 'Error',
    },
  );
});

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends the pod politely`, async (t) => {
    const here = await place(signal.toLowerCase());
    const host = path.join(here.dir, 'host');
    const file = await here.manifest(politePod(`polite-${signal.toLowerCase()}`, host));
    const run = foreground(here, '-f', file);
    await run.hears(/main +started/);
    const said = () => fs.readFileSync(path.join(host, 'said'), 'utf8');
    await until('it is up', () =>
      Promise.resolve(fs.existsSync(path.join(host, 'said')) && said() === 'up\n'),
    );
    run.send(signal);
    const { code, out, err } = await run.end();
    t.is(code, exitCode);
    t.is(said(), 'up\nasked to end\n');
    t.is(err, 'deleting the pod; once more kills it at once');
    inOrder(story(out), [/^\(pod\): is being deleted, within 3600s$/, /^main: exited with code 0/]);
    t.deepEqual(await here.traces(), []);
  });
}

test('a second Ctrl-C does not wait for anybody', async (t) => {
  const here = await place('twice');
  const stubborn = container('main', "trap '' TERM; while :; do sleep 1; done");
  const manifest = pod('stubborn', [], [stubborn], { terminationGracePeriodSeconds: 3600 });
  const run = foreground(here, '-f', await here.manifest(manifest));
  await run.hears(/main +started/);
  run.send('SIGINT');
  await run.hears(/is being deleted, within 3600s/);
  run.send('SIGINT');
  const { code, out, err } = await run.end();
  t.is(code, 130);
  t.is(err, 'deleting the pod; once more kills it at once\nkilling the pod');
  inOrder(story(out), [/^main: exited with code 137/]);
  t.deepEqual(await here.traces(), []);
});

test('Ctrl-C before there is a pod leaves nothing', async (t) => {
  const here = await place('at-once');
  const run = foreground(here, '-f', await here.manifest(referencePod('at-once')));
  await until('the data directory is there', () => Promise.resolve(fs.existsSync(here.dataDir)));
  run.send('SIGINT');
  t.is((await run.end()).code, 130);
  t.deepEqual(await here.traces(), []);
});

test('where an agent runs, run is its client', async (t) => {
  const here = await place('client');
  await here.agent();
  await here.apply(pod('other', [], [container('main')]));
  const run = foreground(here, '-f', await here.manifest(referencePod('guest')));
  const first = await run.podThat('guest', 'is ready', isReady);
  t.is(await here.ok('get', 'pods', '-o', 'name'), 'pod/guest\npod/other');

  // Somebody else's pod is not taken up.
  const again = await foreground(here, '-f', await here.manifest(referencePod('guest'))).end();
  t.is(again.code, 1);
  t.is(
    again.err,
    [
      'error: pod default/guest already exists',
      '   at: pod default/guest',
      '  try: delete it first (reprise delete pod guest), or choose another name',
    ].join('\n'),
  );

  await here.tell(first, 'main', 0);
  const { code } = await run.end();
  t.is(code, 0);
  t.is(await here.ok('get', 'pods', '-o', 'name'), 'pod/other');
  await here.ok('delete', 'pod', 'other');
  t.deepEqual(await here.traces(), []);
});

test('a run in the foreground answers to the other commands', async (t) => {
  const here = await place('answers');
  const run = foreground(here, '-f', await here.manifest(referencePod('answers')));
  await run.podThat('answers', 'is ready', isReady);
  t.is(fs.statSync(here.socket).mode & 0o777, 0o600);
  t.regex(await here.ok('get', 'pods'), /^NAME +READY +STATUS.*\nanswers +2\/2 +Running +0 /);
  t.regex(
    await here.ok('restart', 'pod', 'answers', '--wait'),
    /^pod\/answers: All containers were restarted in place in [\d.]+ ms \(generation 1\)$/,
  );
  await run.hears(/\(pod\) .*restarted in place/);
  t.regex(await here.ok('events', 'answers'), /RestartedAllContainers/);
  t.is(await here.ok('logs', 'answers', '-c', 'main'), '');

  // It is an agent for this pod and no other.
  const other = await here.reprise(['apply', '-f', await here.manifest(referencePod('other'))]);
  t.is(other.exitCode, 1);
  t.is(
    other.all,
    [
      'error: this agent runs only the pod default/answers',
      '   at: pod default/other',
      '  try: start "reprise agent" for many pods, or give this one its own --data-dir and --socket',
    ].join('\n'),
  );

  // A delete from elsewhere ends it as Ctrl-C does.
  await here.ok('delete', 'pod', 'answers');
  const { code } = await run.end();
  t.is(code, 1);
  t.deepEqual(await here.traces(), []);
});

test('killed while the pod runs, it goes on with it', async (t) => {
  const here = await place('killed');
  const file = await here.manifest(referencePod('killed'));
  const first = foreground(here, '-f', file);
  const before = await first.podThat('killed', 'is ready', isReady);
  // The containers for the next restart are made ahead; only then nothing changes by itself.
  await until('standbys are there', async () => {
    const { containers } = await seenFrom(here, 'killed');
    return containers?.length === 6;
  });
  const seen = await seenFrom(here, 'killed');
  first.send('SIGKILL');
  await first.end();
  t.deepEqual(await seenFrom(here, 'killed'), seen);

  const second = foreground(here, '-f', file);
  await second.hears(/^pod default\/killed is still there from an earlier run; going on with it$/);
  const after = await second.podThat('killed', 'is still ready', readyIn(0));
  t.is(after.metadata.uid, before.metadata.uid);
  t.deepEqual(after.status, before.status);
  t.deepEqual(await seenFrom(here, 'killed'), seen);

  await here.tell(after, 'watcher', 88);
  const restarted = await second.podThat('killed', 'is restarted in place', readyIn(1));
  t.deepEqual(countsOf(restarted), { setup: 1, watcher: 1, main: 1 });
  t.deepEqual((await seenFrom(here, 'killed')).sandboxes, seen.sandboxes);
  second.send('SIGINT');
  t.is((await second.end()).code, 130);
  t.deepEqual(await here.traces(), []);
});

test('killed while an init container runs, it waits for the same run of it', async (t) => {
  const here = await place('killed-in-init');
  const waits = `
    echo "$NAME started" >> /shared/story
    while [ ! -e /shared/go ]; do sleep ${blink}; done`;
  const manifest = pod('killed-in-init', [initContainer('setup', waits)], [container('main')]);
  const file = await here.manifest(manifest);
  const first = foreground(here, '-f', file);
  await first.hears(/setup +started/);
  const before = await here.pod('killed-in-init');
  const seen = await seenFrom(here, 'killed-in-init');
  t.is(seen.containers?.length, 1);
  first.send('SIGKILL');
  await first.end();

  const second = foreground(here, '-f', file);
  await second.hears(/still there from an earlier run/);
  fs.writeFileSync(path.join(here.volume(before), 'go'), '');
  const after = await second.podThat('killed-in-init', 'is ready', isReady);
  t.is(after.metadata.uid, before.metadata.uid);
  t.deepEqual(countsOf(after), { setup: 0, main: 0 });
  t.deepEqual((await seenFrom(here, 'killed-in-init')).sandboxes, seen.sandboxes);
  t.deepEqual(await here.story(after, 2), ['setup started', 'main started']);
  await here.tell(after, 'main', 0);
  t.is((await second.end()).code, 0);
});

test('killed in the middle of an in-place restart, it finishes it', async (t) => {
  const here = await place('killed-in-restart');
  const file = await here.manifest(referencePod('killed-in-restart'));
  const first = foreground(here, '-f', file);
  const before = await first.podThat('killed-in-restart', 'is ready', isReady);
  const seen = await seenFrom(here, 'killed-in-restart');
  const folder = path.join(here.dataDir, 'pods', before.metadata.uid);
  const recorded = new Promise<void>((resolve) => {
    const watcher = fs.watch(folder, () => {
      if ((readMemory(folder)?.generation ?? 0) === 0) return;
      first.send('SIGKILL');
      watcher.close();
      resolve();
    });
  });
  await here.tell(before, 'watcher', 88);
  await recorded;
  await first.end();

  const second = foreground(here, '-f', file);
  const after = await second.podThat('killed-in-restart', 'is restarted in place', readyIn(1));
  t.is(after.metadata.uid, before.metadata.uid);
  t.is(after.status.startTime, before.status.startTime);
  t.deepEqual(countsOf(after), { setup: 1, watcher: 1, main: 1 });
  t.deepEqual((await seenFrom(here, 'killed-in-restart')).sandboxes, seen.sandboxes);
  await here.tell(after, 'main', 0);
  t.is((await second.end()).code, 0);
  t.deepEqual(await here.traces(), []);
});

test('an end that nobody saw is told by the next run', async (t) => {
  const here = await place('unseen');
  const file = await here.manifest(pod('unseen', [], [container('main')]));
  const first = foreground(here, '-f', file);
  const before = await first.podThat('unseen', 'is ready', isReady);
  const pid = await here.pidOf(before, 'main');
  first.send('SIGKILL');
  await first.end();
  await here.tell(before, 'main', 5);
  await until('it has ended', () => Promise.resolve(!fs.existsSync(`/proc/${String(pid)}`)));

  const { code, out, err } = await foreground(here, '-f', file).end();
  t.is(code, 1);
  inOrder(story(out), [/^main: exited with code 5/, /^\(pod\): Failed$/]);
  t.regex(err, /^container main has failed: exit code 5 \(Error\)$/m);
  t.deepEqual(await here.traces(), []);
});

test('killed while the pod is being deleted, the next run starts it anew', async (t) => {
  const here = await place('deleting');
  const slow = container(
    'main',
    `trap 'while [ ! -e /shared/go ]; do sleep ${blink}; done; exit 0' TERM
    echo "$NAME obeys" >> /shared/story
    while :; do sleep ${blink}; done`,
  );
  const manifest = pod('deleting', [], [slow], { terminationGracePeriodSeconds: 3600 });
  const file = await here.manifest(manifest);
  const first = foreground(here, '-f', file);
  const before = await first.podThat('deleting', 'is ready', isReady);
  await here.story(before, 1);
  first.send('SIGINT');
  await first.hears(/is being deleted/);
  first.send('SIGKILL');
  await first.end();

  const second = foreground(here, '-f', file);
  await second.hears(/^pod default\/deleting is deleted first; Ctrl-C kills it at once$/);
  await here.put(before, 'go');
  const after = await second.podThat(
    'deleting',
    'is a new one',
    (one) => isReady(one) && one.metadata.uid !== before.metadata.uid,
  );
  t.deepEqual(countsOf(after), { main: 0 });
  await here.story(after, 1);
  await here.put(after, 'go');
  second.send('SIGINT');
  t.is((await second.end()).code, 130);
  t.deepEqual(await here.traces(), []);
});

test('other objects beside the same pod are not passed over', async (t) => {
  const here = await place('beside');
  const settings = (color: string) =>
    here.manifest(
      `{ apiVersion: v1, kind: ConfigMap, metadata: { name: settings }, data: { color: ${color} } }`,
    );
  const pods = ['-f', await here.manifest(pod('beside', [], [container('main')]))];
  const blue = ['-f', await settings('blue')];
  const first = foreground(here, ...pods, ...blue);
  const before = await first.podThat('beside', 'is ready', isReady);
  first.send('SIGKILL');
  await first.end();

  const refused = await foreground(here, ...pods, '-f', await settings('red')).end();
  t.is(refused.code, 1);
  t.regex(refused.err, /\n {3}at: pod default\/beside, uid \S+, ConfigMap settings\n/);

  const second = foreground(here, ...pods, ...blue);
  await second.hears(/still there from an earlier run/);
  const after = await second.podThat('beside', 'is still ready', isReady);
  t.is(after.metadata.uid, before.metadata.uid);
  second.send('SIGINT');
  t.is((await second.end()).code, 130);
  t.deepEqual(await here.traces(), []);
});

test('another manifest of the same name is not mixed up with what runs', async (t) => {
  const here = await place('another');
  const old = await here.manifest(referencePod('another'));
  const first = foreground(here, '-f', old);
  const before = await first.podThat('another', 'is ready', isReady);
  first.send('SIGKILL');
  await first.end();

  const changed = await here.manifest(
    referencePod('another', { terminationGracePeriodSeconds: 1 }),
  );
  const refused = await foreground(here, '-f', changed).end();
  t.is(refused.code, 1);
  t.is(
    refused.err,
    [
      'error: pod default/another is left from an earlier run with a different manifest',
      `   at: pod default/another, uid ${before.metadata.uid}, spec.terminationGracePeriodSeconds`,
      '  try: use --replace to delete it first, or run its own manifest again',
    ].join('\n'),
  );
  t.truthy(await here.pidOf(before, 'main'), 'what runs is left alone');

  const second = foreground(here, '-f', changed, '--replace');
  const after = await second.podThat(
    'another',
    'is a new one',
    (one) => isReady(one) && one.metadata.uid !== before.metadata.uid,
  );
  t.is(after.spec.terminationGracePeriodSeconds, 1);
  second.send('SIGTERM');
  t.is((await second.end()).code, 143);
  t.deepEqual(await here.traces(), []);
});

test('Ctrl-C while the earlier pod still goes kills that, and starts nothing', async (t) => {
  const here = await place('goes-slowly');
  const stubborn = container('main', "trap '' TERM; while :; do sleep 1; done");
  const more = { terminationGracePeriodSeconds: 3600 };
  const file = await here.manifest(pod('goes-slowly', [], [stubborn], more));
  const first = foreground(here, '-f', file);
  await first.podThat('goes-slowly', 'is ready', isReady);
  first.send('SIGKILL');
  await first.end();

  const second = foreground(here, '-f', file, '--replace');
  await second.hears(/^pod default\/goes-slowly is deleted first; Ctrl-C kills it at once$/);
  second.send('SIGINT');
  const { code, out } = await second.end();
  t.is(code, 130);
  t.is(out, '');
  t.deepEqual(await here.traces(), []);
});
