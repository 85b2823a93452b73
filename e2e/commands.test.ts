// Every command that talks to an agent, as a user types it, with what comes of it in containerd.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { execa } from 'execa';
import type { V1Event } from '../src/api/backend.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, image, initContainer, pod, referencePod } from './manifests.ts';
import type { ManifestOf } from './manifests.ts';
import type { Place } from './node.ts';
import { countsOf, generationOf, isReady, statusOf, until } from './node.ts';
import { blink, PATIENCE_MS, timeScale } from './pace.ts';
import { sharedNode } from './shared.ts';
import { testInTurn } from './turns.ts';

const test = testInTurn(5);
const node = sharedNode();

/** For commands that give up by themselves: how long that takes is not what is tried. */
const patiently = ['--timeout', `${Math.ceil(PATIENCE_MS * timeScale)}ms`];

async function up(manifest: ManifestOf, where: Place = node()): Promise<V1Pod> {
  await where.apply(manifest);
  return await where.podThat(manifest.metadata.name, 'is ready', isReady);
}

function simple(name: string, more: Record<string, unknown> = {}): ManifestOf {
  return pod(name, [], [container('main')], more);
}

/** A command that fails: its exit code and what it says. */
async function failing(...args: string[]): Promise<Failure> {
  const { exitCode, all } = await node().reprise(args);
  return [exitCode, all];
}

type Failure = readonly [code: number | undefined, said: string];

function lines(...text: string[]): string {
  return text.join('\n');
}

/** How a table writes how long ago something was. */
const age = '\\d[\\dms]*';

interface Door extends Disposable {
  readonly env: Record<string, string>;
  /** Resolves when the agent has answered through it: a watch that was asked for has begun then. */
  readonly answered: Promise<undefined>;
}

/** Another socket of an agent, for one command: its output tells nothing of when it begins to watch. */
async function doorTo(where: Place): Promise<Door> {
  const socket = path.join(where.dir, `door-${randomUUID()}.sock`);
  const { promise: answered, resolve } = Promise.withResolvers<undefined>();
  const server = net.createServer((caller) => {
    const agent = net.connect(where.socket);
    agent.once('data', () => resolve(undefined));
    caller.pipe(agent).pipe(caller);
    // Whoever hangs up hangs up on both.
    caller.on('error', () => agent.destroy()).on('close', () => agent.destroy());
    agent.on('error', () => caller.destroy()).on('close', () => caller.destroy());
  });
  server.listen(socket).unref();
  await once(server, 'listening');
  return {
    env: { ...where.env, REPRISE_SOCKET: socket },
    answered,
    [Symbol.dispose]: () => void server.close(),
  };
}

test('apply and create: new, unchanged, there already, changed', async (t) => {
  const file = await node().manifest(simple('applied'));
  const changed = await node().manifest(simple('applied', { restartPolicy: 'Always' }));
  t.is(await node().ok('apply', '-f', file), 'pod/applied created');
  t.is(await node().ok('apply', '-f', file), 'pod/applied unchanged');
  t.deepEqual(await failing('create', '-f', file), [
    1,
    lines(
      'error: pod default/applied already exists',
      '   at: pod default/applied',
      '  try: delete it first (reprise delete pod applied), or choose another name',
    ),
  ]);
  t.deepEqual(await failing('apply', '-f', changed), [
    1,
    lines(
      'error: pod default/applied is there from a different manifest',
      '   at: pod default/applied, spec.restartPolicy',
      '  try: delete it first: reprise delete pod applied -n default',
    ),
  ]);
  t.is((await node().pod('applied')).spec.restartPolicy, 'Never');

  const two = [
    await node().manifest(simple('first-of-two')),
    await node().manifest(simple('second-of-two')),
  ];
  t.is(
    await node().ok('create', '-f', ...two.slice(0, 1), '-f', ...two.slice(1), '-o', 'name'),
    'pod/first-of-two\npod/second-of-two',
  );
  const piped = await node().reprise(['apply', '-f', '-'], {
    input: JSON.stringify(simple('piped')),
  });
  t.is(piped.all, 'pod/piped created');
  await node().ok('delete', 'pod', 'applied', 'first-of-two', 'second-of-two', 'piped');
});

test('get: tables, names, objects, namespaces', async (t) => {
  const here = await node().beside('get');
  await here.agent();
  const labelled = { ...simple('labelled').metadata, labels: { app: 'web' } };
  await here.apply({ ...referencePod('labelled'), metadata: labelled });
  await here.apply(simple('plain'));
  const elsewhere = await here.manifest({ ...simple('elsewhere') });
  await here.ok('apply', '-n', 'other', '-f', elsewhere);
  const first = await here.podThat('labelled', 'is ready', isReady);
  await here.podThat('plain', 'is ready', isReady);
  await here.ok(
    ...['wait', 'pod', 'elsewhere', '-n', 'other', '--for=condition=Ready', ...patiently],
  );

  t.regex(
    await here.ok('get', 'pods'),
    new RegExp(
      `^NAME {7}READY {3}STATUS {4}RESTARTS {3}AGE\nlabelled {3}2/2 {5}Running {3}0 {10}${age}\nplain {6}1/1 {5}Running {3}0 {10}${age}$`,
    ),
  );
  t.regex(
    await here.ok('get', 'po', '-A', '-o', 'wide', '--no-headers'),
    new RegExp(
      `^default +labelled +2/2 +Running +0 +${age} +[\\d.]+ +test-node +0\n(.+\n)other +elsewhere +1/1 .*$`,
    ),
  );
  t.is(await here.ok('get', 'pods', '-o', 'name'), 'pod/labelled\npod/plain');
  t.is(await here.ok('get', 'pods', '-n', 'other', '-o', 'name'), 'pod/elsewhere');
  t.is(await here.ok('get', 'pods', '-l', 'app=web', '-o', 'name'), 'pod/labelled');
  t.is(await here.ok('get', 'pods', '-l', 'app!=web', '-o', 'name'), 'pod/plain');
  t.is(await here.ok('get', 'pods', '-n', 'none'), 'No resources found in none namespace.');
  t.is(
    await here.ok('get', 'pod/labelled', '-o', 'jsonpath={.status.podIP}'),
    first.status.podIP ?? 'no address',
  );
  t.deepEqual(JSON.parse(await here.ok('get', 'pod', 'labelled', '-o', 'json')), first);
  t.like(JSON.parse(await here.ok('get', 'pods', '-o', 'json')), {
    kind: 'List',
    apiVersion: 'v1',
  });
  const { stdout: list } = await here.reprise(['get', 'pods', '-o', 'yaml']);
  const back = await here.reprise(['apply', '-f', '-'], { input: list });
  t.is(back.stdout, 'pod/labelled unchanged\npod/plain unchanged');
  const yaml = await here.ok('get', 'pod', 'labelled', '-o', 'yaml');
  t.regex(yaml, /^apiVersion: v1\nkind: Pod\nmetadata:\n/);
  t.regex(yaml, new RegExp(`^  uid: ${first.metadata.uid}$`, 'm'));

  const missing = await here.reprise(['get', 'pod', 'nobody']);
  t.is(missing.exitCode, 1);
  t.is(
    missing.all,
    lines(
      'error: pods "nobody" not found',
      '   at: pod default/nobody',
      '  try: list the pods there are: reprise get pods -A',
    ),
  );
  await here.ok('delete', 'pod', 'labelled', 'plain');
  await here.ok('delete', 'pod', 'elsewhere', '-n', 'other');
  t.deepEqual(await here.traces(), []);
});

test('a pod as JSON is a v1 Pod with its whole status', async (t) => {
  await up(referencePod('whole'));
  const shown = JSON.parse(await node().ok('get', 'pod', 'whole', '-o', 'json')) as V1Pod;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
  const { metadata, spec, status } = shown;
  t.is(shown.apiVersion, 'v1');
  t.is(shown.kind, 'Pod');
  t.like(metadata, { name: 'whole', namespace: 'default' });
  t.regex(metadata.uid, /^[0-9a-f-]{36}$/);
  t.regex(metadata.resourceVersion, /^\d+$/);
  t.regex(metadata.creationTimestamp, time);
  t.like(spec, { nodeName: 'test-node', restartPolicy: 'Never', terminationGracePeriodSeconds: 2 });
  t.like(status, { phase: 'Running', qosClass: 'BestEffort' });
  t.regex(status.startTime ?? '', time);
  t.deepEqual(status.podIPs, [{ ip: status.podIP ?? '' }]);
  t.deepEqual(status.hostIPs?.[0], { ip: status.hostIP ?? '' });

  const conditions = Object.fromEntries(status.conditions.map((one) => [one.type, one.status]));
  t.deepEqual(conditions, {
    PodReadyToStartContainers: 'True',
    Initialized: 'True',
    Ready: 'True',
    ContainersReady: 'True',
    PodScheduled: 'True',
    AllContainersRestarting: 'False',
  });
  for (const { lastTransitionTime } of status.conditions) t.regex(lastTransitionTime, time);

  t.deepEqual(
    status.initContainerStatuses?.map(({ name }) => name),
    ['setup', 'watcher'],
  );
  t.deepEqual(
    status.containerStatuses?.map(({ name }) => name),
    ['main'],
  );
  for (const name of ['setup', 'watcher', 'main']) {
    const one = statusOf(shown, name);
    t.like(one, { image, ready: true, restartCount: 0, lastState: {} });
    t.regex(one.containerID ?? '', /^containerd:\/\/[0-9a-f]{64}$/);
    t.regex(one.imageID, /sha256:[0-9a-f]{64}$/);
  }
  t.is(statusOf(shown, 'setup').started, false);
  t.is(statusOf(shown, 'main').started, true);
  t.like(statusOf(shown, 'setup').state.terminated, { exitCode: 0, reason: 'Completed' });
  t.regex(statusOf(shown, 'main').state.running?.startedAt ?? '', time);
  await node().ok('delete', 'pod', 'whole');
});

test('get -w shows a pod from its first state to its last', async (t) => {
  using door = await doorTo(node());
  const run = node().reprise(
    ['get', 'pods', '-w', '-o', 'json', '--output-watch-events', '-n', 'watched'],
    { buffer: false, env: door.env },
  );
  const seen: { readonly type: string; readonly object: V1Pod }[] = [];
  const following = (async () => {
    for await (const line of run.iterable()) {
      const change = JSON.parse(line) as { type: string; object: V1Pod };
      seen.push(change);
      if (change.type === 'DELETED') run.kill('SIGINT');
    }
  })();
  await door.answered;
  const file = await node().manifest(pod('watched', [initContainer('setup')], [container('main')]));
  await node().ok('apply', '-n', 'watched', '-f', file);
  const running = await until('it is seen to run', () =>
    Promise.resolve(seen.find(({ object }) => object.status.phase === 'Running')?.object),
  );
  await node().tell(running, 'main', 0);
  await node().ok(
    ...['wait', 'pod', 'watched', '-n', 'watched', '--for=jsonpath={.status.phase}=Succeeded'],
    ...patiently,
  );
  await node().ok('delete', 'pod', 'watched', '-n', 'watched');
  await following;
  const told = seen.map(({ type, object }) => `${type} ${object.status.phase}`);
  t.deepEqual(
    told.filter((line, index) => line !== told[index - 1]),
    [
      'ADDED Pending',
      'MODIFIED Pending',
      'MODIFIED Running',
      'MODIFIED Succeeded',
      'DELETED Succeeded',
    ],
  );
});

test('delete: politely, with less grace, at once, without waiting', async (t) => {
  const stubborn = (name: string) =>
    pod(name, [], [container('main', "trap '' TERM; echo up; while :; do sleep 1; done")], {
      terminationGracePeriodSeconds: 3600,
    });
  for (const [name, args] of [
    ['less-grace', ['--grace-period', '1']],
    ['now', ['--now']],
    ['forced', ['--force']],
  ] as const) {
    await up(stubborn(name));
    t.is(await node().ok('delete', 'pod', name, ...args), `pod "${name}" deleted`);
    t.is((await failing('get', 'pod', name))[0], 1);
  }

  await up(stubborn('asked'));
  t.is(await node().ok('delete', 'pod', 'asked', '--wait=false'), 'pod "asked" deleted');
  const ending = await node().podThat(
    'asked',
    'is being deleted',
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
  );
  t.is(ending.metadata.deletionGracePeriodSeconds, 3600);
  t.regex(await node().ok('get', 'pods'), /\nasked +1\/1 +Terminating /);
  const [code, said] = await failing('delete', 'pod', 'asked', '--timeout', '1s');
  t.is(code, 1);
  t.regex(said, /^error: timed out after 1s: the pod is not gone yet\n/);
  t.is(await node().ok('delete', 'pod', 'asked', '--force'), 'pod "asked" deleted');

  t.is((await failing('delete', 'pod', 'asked'))[0], 1);
  t.is(await node().ok('delete', 'pod', 'asked', '--ignore-not-found'), '');
  const file = await node().manifest(simple('by-file'));
  await node().ok('apply', '-f', file);
  t.is(await node().ok('delete', '-f', file), 'pod "by-file" deleted');
  const all = await node().containers({ 'io.kubernetes.pod.name': 'by-file' });
  t.deepEqual(all, []);
});

test('delete: several at once, of which none waits for another one', async (t) => {
  const volumes = [{ name: 'told', hostPath: { path: node().dir, type: 'Directory' } }];
  const volumeMounts = [{ name: 'told', mountPath: '/told' }];
  const ends = (name: string, script: string) => {
    const main = container('main', script, { volumeMounts });
    return pod(name, [], [main], { volumes, terminationGracePeriodSeconds: 3600 });
  };
  // Without a handler the signal would be lost: it is set when this file is there.
  const loop = (name: string) => `: > /told/${name}-is-up; while :; do sleep 1; done`;
  const last = `trap 'until [ -e /told/first-ends ]; do sleep 1; done; exit' TERM; ${loop('last')}`;
  await up(ends('last', last));
  await up(ends('first', `trap ': > /told/first-ends; exit' TERM; ${loop('first')}`));
  await until('both obey', () =>
    Promise.resolve(
      ['last', 'first'].every((name) => fs.existsSync(path.join(node().dir, `${name}-is-up`))),
    ),
  );
  t.deepEqual((await node().ok('delete', 'pod', 'last', 'first')).split('\n').toSorted(), [
    'pod "first" deleted',
    'pod "last" deleted',
  ]);

  const [code, said] = await failing('delete', 'pod', 'absent', 'missing');
  t.is(code, 1);
  t.regex(said, /pods "absent" not found\n.*\n.*\n\nerror: pods "missing" not found\n/);
});

test('logs: of a container, the last lines, with times, of all', async (t) => {
  const says = 'echo "$NAME: one"; echo "$NAME: two"; echo "$NAME: three"';
  const stays = `${says}; while :; do sleep 1; done`;
  await up(
    pod(
      'logs',
      [initContainer('setup', says)],
      [container('main', stays), container('second', stays)],
    ),
  );
  const three = (name: string) => lines(`${name}: one`, `${name}: two`, `${name}: three`);
  await until('all have spoken', async () => {
    const texts = [
      await node().ok('logs', 'logs', '-c', 'setup'),
      await node().ok('logs', 'logs', '-c', 'main'),
      await node().ok('logs', 'logs', '-c', 'second'),
    ];
    return texts.every((text) => text.endsWith('three'));
  });
  t.is(await node().ok('logs', 'logs', '-c', 'second'), three('second'));
  t.is(await node().ok('logs', 'logs', 'setup'), three('setup'));
  t.is(
    await node().ok('logs', 'pod/logs'),
    lines('Defaulted container "main" out of: setup, main, second', three('main')),
  );
  t.is(await node().ok('logs', 'logs', '-c', 'main', '--tail', '1'), 'main: three');
  t.is(await node().ok('logs', 'logs', '-c', 'main', '--tail', '0'), '');
  t.regex(
    await node().ok('logs', 'logs', '-c', 'main', '--tail', '1', '--timestamps'),
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S* main: three$/,
  );
  const all = await node().ok('logs', 'logs', '--all-containers', '--prefix');
  t.is(all.split('\n').length, 9);
  t.is(all.split('\n')[8], '[pod/logs/second] second: three');
  const [code, said] = await failing('logs', 'logs', '-c', 'third');
  t.is(code, 1);
  t.regex(
    said,
    /^error: container third is not valid for pod logs, choose one of: \[setup main second\]\n/,
  );
  await node().ok('delete', 'pod', 'logs', '--force');
});

test('logs -f goes on to the very last line, through the life of one container', async (t) => {
  // Less than 4 KiB: of more than that containerd 1.6 itself loses the end now and then.
  const script = `echo 0; while [ ! -e /shared/go ]; do sleep ${blink}; done; seq 1 500`;
  const talks = await up(pod('follow', [], [container('main', script)]));
  const follower = node().reprise(['logs', 'follow', '-f']);
  await once(follower.stdout, 'data');
  fs.writeFileSync(path.join(node().volume(talks), 'go'), '');
  const { exitCode, all } = await follower;
  t.is(exitCode, 0);
  t.deepEqual(
    all.split('\n'),
    Array.from({ length: 501 }, (_, index) => `${index}`),
  );
  await node().ok('delete', 'pod', 'follow');
});

test('logs -p shows the run before a restart', async (t) => {
  const script = `
    echo x >> /shared/runs
    echo "run $(wc -l < /shared/runs)"
    trap 'exit 143' TERM
    while :; do sleep ${blink}; done`;
  await up(pod('previous', [], [container('main', script)]));
  const [code, said] = await failing('logs', 'previous', '-p');
  t.is(code, 1);
  t.regex(said, /^error: previous terminated container "main" in pod "previous" not found\n/);
  await until('it has spoken', async () => (await node().ok('logs', 'previous')) === 'run 1');
  const follower = node().reprise(['logs', 'previous', '-f']);
  // Before it has said something it may have asked for nothing yet.
  await once(follower.stdout, 'data');
  await node().ok('restart', 'pod', 'previous', '--wait');
  t.is((await follower).all, 'run 1', 'another container is another log');
  await until('it has spoken again', async () => (await node().ok('logs', 'previous')) === 'run 2');
  t.is(await node().ok('logs', 'previous', '-p'), 'run 1');
  await node().ok('delete', 'pod', 'previous');
});

test('events: as a table, as JSON, as they come', async (t) => {
  // What has happened twice is listed once: only who watches from the beginning sees it all.
  using door = await doorTo(node());
  const watching = node().reprise(['events', 'eventful', '-w', '-o', 'json'], {
    buffer: false,
    env: door.env,
  });
  const seen: V1Event[] = [];
  const following = (async () => {
    for await (const line of watching.iterable()) {
      const event = JSON.parse(line) as V1Event;
      seen.push(event);
      if (event.reason === 'RestartedAllContainers') watching.kill('SIGINT');
    }
  })();
  await door.answered;
  await up(referencePod('eventful'));
  await node().ok('restart', 'pod', 'eventful', '--wait');
  await following;
  const told = seen.map(({ reason, involvedObject }) =>
    `${reason} ${involvedObject.fieldPath ?? ''}`.trim(),
  );
  const expected = [
    'Started spec.initContainers{setup}',
    'Started spec.initContainers{watcher}',
    'Started spec.containers{main}',
    'RestartingAllContainers',
    'Started spec.initContainers{setup}',
    'Started spec.initContainers{watcher}',
    'Started spec.containers{main}',
    'RestartedAllContainers',
  ];
  let from = 0;
  for (const one of expected) {
    const at = told.indexOf(one, from);
    t.true(at >= from, `${one} in ${told.join(', ')}`);
    from = at + 1;
  }
  for (const event of seen) {
    t.like(event, {
      kind: 'Event',
      apiVersion: 'v1',
      involvedObject: { kind: 'Pod', name: 'eventful' },
    });
  }
  const table = await node().ok('events', 'eventful');
  t.regex(table, /^LAST SEEN +TYPE +REASON +OBJECT +CONTAINER +MESSAGE\n/);
  t.regex(table, new RegExp(`\\n${age} +Normal +Started +pod/eventful +main +Container started`));
  const list = JSON.parse(await node().ok('events', 'eventful', '-o', 'json')) as {
    items: V1Event[];
  };
  t.true(list.items.some(({ reason }) => reason === 'RestartedAllContainers'));
  t.is(await node().ok('events', 'eventful', '-n', 'other'), 'No events found');
  await node().ok('delete', 'pod', 'eventful');
});

test('wait: for conditions, values and the end, but not for ever', async (t) => {
  const here = node();
  const file = await here.manifest(referencePod('awaited'));
  const created = here.ok('wait', 'pod', 'awaited', '--for=create', ...patiently);
  await here.ok('apply', '-f', file);
  t.is(await created, 'pod/awaited condition met');
  t.is(
    await here.ok('wait', 'pod', 'awaited', '--for=condition=Ready', ...patiently),
    'pod/awaited condition met',
  );
  t.is(
    await here.ok('wait', 'pod/awaited', '--for=jsonpath={.status.phase}=Running', ...patiently),
    'pod/awaited condition met',
  );
  t.deepEqual(await failing('wait', 'pod', 'awaited', '--for=delete', '--timeout=200ms'), [
    1,
    lines(
      'error: timed out after 200ms: waiting for delete',
      '   at: pod default/awaited',
      '  try: look with "reprise describe pod", or allow more with --timeout',
    ),
  ]);
  // A state that lasts for milliseconds only.
  using door = await doorTo(here);
  const restarting = here.reprise(
    ['wait', 'pod', 'awaited', '--for=condition=AllContainersRestarting', ...patiently],
    { env: door.env },
  );
  await door.answered;
  const over = here.ok('wait', 'pod', 'awaited', '--for=delete', ...patiently);
  await here.ok('restart', 'pod', 'awaited', '--wait');
  t.is((await restarting).all, 'pod/awaited condition met');
  await here.ok('delete', 'pod', 'awaited');
  t.is(await over, 'pod/awaited condition met');
  t.is((await failing('wait', 'pod', 'awaited', '--for=condition=Ready', ...patiently))[0], 1);
  t.is(
    await here.ok('wait', 'pod', 'awaited', '--for=delete', ...patiently),
    'pod/awaited condition met',
  );
});

test('describe tells it all', async (t) => {
  const here = await up(referencePod('told'));
  await node().tell(here, 'watcher', 88);
  await node().podThat('told', 'is ready again', (one) => isReady(one) && generationOf(one) === 1);
  await until('its restart is told of', async () =>
    (await node().events('told')).some((line) => line.includes(' RestartedAllContainers: ')),
  );
  const text = await node().ok('describe', 'pod', 'told');
  for (const pattern of [
    /^Name: +told$/m,
    new RegExp(`^UID: +${here.metadata.uid}$`, 'm'),
    /^Node: +test-node\/[\d.]+$/m,
    /^Status: +Running$/m,
    /^In-place Restarts: +1$/m,
    /^Last In-place Restart: +[-\dT:]+Z, watcher exited with code 88, took \d+ ms$/m,
    /^ {2}watcher:$/m,
    /^ {4}Restart Rule 0: +RestartAllContainers if exit code In \[88\]$/m,
    /^ {4}Last State: +Terminated\n {6}Reason: +Error\n {6}Exit Code: +88$/m,
    /^ {4}Last State: +Terminated\n {6}Reason: +RestartingAllContainers\n/m,
    /^ {2}Ready +True /m,
    /^ {2}shared: +emptyDir$/m,
    new RegExp(
      `^ {2}${age} +Normal +RestartedAllContainers +All containers were restarted in place`,
      'm',
    ),
  ]) {
    t.regex(text, pattern);
  }
  await node().ok('delete', 'pod', 'told');
});

test('restart: of what runs, but not of what has ended', async (t) => {
  const first = await up(simple('again'));
  t.is(await node().ok('restart', 'pod', 'again'), 'pod/again restarts in place (generation 1)');
  const second = await node().podThat(
    'again',
    'is ready again',
    (one) => isReady(one) && generationOf(one) === 1,
  );
  t.deepEqual(countsOf(second), { main: 1 });
  t.is(second.status.podIP, first.status.podIP);
  t.regex(
    await node().ok('restart', 'again', '--wait'),
    /^pod\/again: All containers were restarted in place in [\d.]+ ms \(generation 2\)$/,
  );
  const third = await node().pod('again');
  await node().tell(third, 'main', 0);
  await node().podThat('again', 'has succeeded', ({ status }) => status.phase === 'Succeeded');
  t.deepEqual(await failing('restart', 'pod', 'again'), [
    1,
    lines(
      'error: pod default/again has Succeeded and cannot be restarted',
      '   at: pod default/again',
      '  try: delete it and create it again',
    ),
  ]);
  await node().ok('delete', 'pod', 'again');
  t.is((await failing('restart', 'pod', 'again'))[0], 1);
});

test('validate and version need no agent, but version finds one', async (t) => {
  const good = await node().manifest(simple('good'));
  const bad = await node().manifest(simple('Bad'));
  const { exitCode, stdout, stderr } = await node().reprise(['validate', '-f', good, '-f', bad]);
  t.is(exitCode, 2);
  t.is(stdout, `${good}: pod default/good is valid`);
  t.regex(stderr, /^error: Invalid value: "Bad": .*\n {3}at: .*:\d+, metadata\.name/);
  t.regex(
    await node().ok('version'),
    /^reprise \d+\.\d+\.\d+ on Node\.js 24\..*\nagent: v1\.\d+\.0-reprise\.\d+\.\d+\.\d+$/,
  );
});

test('a second agent on the same data directory is refused, whatever its socket', async (t) => {
  const here = await node().beside('same');
  await here.agent();
  const other = path.join(here.dir, 'other.sock');
  for (const [args, says] of [
    [
      ['agent', '--socket', other],
      /error: process \d+ uses this data directory\n {3}at: \S+\/same\/data\n {2}try: talk to the agent that runs there, or choose another --data-dir$/,
    ],
    [
      ['agent', '--data-dir', path.join(here.dir, 'other')],
      /error: another agent is listening\n {3}at: \S+\/same\/reprise\.sock\n {2}try: stop it, or give this one its own --socket and --data-dir$/,
    ],
  ] as const) {
    const { exitCode, stderr } = await here.reprise(args);
    t.is(exitCode, 1);
    t.regex(stderr, says);
  }
  t.is(
    await here.ok('get', 'pods'),
    'No resources found in default namespace.',
    'the first goes on',
  );
});

test('two agents on one containerd do not touch each other', async (t) => {
  const [one, two] = [await node().beside('one'), await node().beside('two')];
  let [{ run: oneRuns }] = await Promise.all([one.agent(), two.agent()]);
  // The same name, twice.
  const inOne = await up(referencePod('twin'), one);
  const inTwo = await up(referencePod('twin'), two);
  t.not(inOne.metadata.uid, inTwo.metadata.uid);
  t.not(inOne.status.podIP, inTwo.status.podIP);

  const untouched = async (): Promise<void> => {
    t.deepEqual((await two.pod('twin')).status, inTwo.status);
  };
  await one.ok('restart', 'pod', 'twin', '--wait');
  await untouched();
  oneRuns.kill('SIGKILL');
  await oneRuns;
  ({ run: oneRuns } = await one.agent());
  await one.podThat('twin', 'is ready', isReady);
  await untouched();
  await one.ok('delete', 'pod', 'twin');
  await untouched();
  t.deepEqual(await one.traces(), []);

  // An agent that has lost its memory removes what is its own, and nothing else.
  const lost = await up(simple('lost'), one);
  // Its last word: whatever it writes while its folder is removed would be in the way.
  await one.story(lost, 1);
  oneRuns.kill('SIGKILL');
  await oneRuns;
  fs.rmSync(path.join(one.dataDir, 'pods'), { recursive: true });
  await one.agent();
  await until(
    'its orphan is removed',
    async () => (await node().containers({ 'io.kubernetes.pod.name': 'lost' })).length === 0,
  );
  await untouched();
  await two.ok('delete', 'pod', 'twin');
  t.deepEqual(await two.traces(), []);
});

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: unknown;
}

/** What kubectl and other programs see. */
async function askOf(socket: string, request: string, ...more: string[]): Promise<Answer> {
  const [method = '', url = ''] = request.split(' ');
  const { stdout } = await execa('curl', [
    ...['--silent', '--show-error', '--unix-socket', socket, '--request', method],
    ...['--write-out', '\n%{http_code} %{content_type}', ...more, `http://localhost${url}`],
  ]);
  const [, body = '', code = '', type = ''] = /^(.*?)\n?\n(\d+) (.*)$/s.exec(stdout) ?? [];
  return { code: Number(code), type, body: type === 'application/json' ? JSON.parse(body) : body };
}

test('the API has the shapes of Kubernetes', async (t) => {
  // Its own agent: of what happens to many pods an agent forgets the beginning.
  const here = await node().beside('api');
  await here.agent();
  const ask = (request: string, ...more: string[]): Promise<Answer> =>
    askOf(here.socket, request, ...more);
  const pods = '/api/v1/namespaces/rest/pods';
  const manifest = {
    ...referencePod('raw'),
    metadata: { name: 'raw', namespace: 'rest', labels: { app: 'raw' } },
  };
  const json = ['--header', 'content-type: application/json'];

  const created = await ask(`POST ${pods}`, ...json, '--data', JSON.stringify(manifest));
  t.is(created.code, 201);
  const { uid, resourceVersion } = (created.body as V1Pod).metadata;
  t.like(created.body, { kind: 'Pod', apiVersion: 'v1', status: { phase: 'Pending' } });
  t.like(await ask(`POST ${pods}`, ...json, '--data', JSON.stringify(manifest)), {
    code: 409,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'AlreadyExists',
      code: 409,
    },
  });
  const invalid = { ...manifest, spec: { containers: [{ name: 'main', image: 'a', imge: 'b' }] } };
  t.like(await ask(`POST ${pods}`, ...json, '--data', JSON.stringify(invalid)), {
    code: 422,
    body: { reason: 'Invalid', details: { causes: [{ field: 'spec.containers[0].imge' }] } },
  });

  await here.ok('wait', 'pod', 'raw', '-n', 'rest', '--for=condition=Ready', ...patiently);
  const one = await ask(`GET ${pods}/raw`);
  t.like(one, {
    code: 200,
    body: { kind: 'Pod', metadata: { uid }, status: { phase: 'Running' } },
  });
  const list = await ask(`GET ${pods}`);
  t.like(list, { code: 200, body: { kind: 'PodList', apiVersion: 'v1' } });
  const { items, metadata } = list.body as {
    items: V1Pod[];
    metadata: { resourceVersion: string };
  };
  t.deepEqual(items, [one.body]);
  t.true(Number(metadata.resourceVersion) >= Number((one.body as V1Pod).metadata.resourceVersion));
  t.like(await ask('GET /api/v1/pods?labelSelector=app%3Draw'), {
    body: { items: [{ metadata: { uid } }] },
  });
  t.like(await ask(`GET ${pods}?fieldSelector=status.phase%3DFailed`), {
    code: 200,
    body: { items: { length: 0 } },
  });

  const table = await ask(
    `GET ${pods}`,
    '--header',
    'accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
  );
  t.like(table.body, { kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
  const { columnDefinitions, rows } = table.body as {
    columnDefinitions: { name: string }[];
    rows: { cells: unknown[] }[];
  };
  t.deepEqual(
    columnDefinitions.slice(0, 5).map(({ name }) => name),
    ['Name', 'Ready', 'Status', 'Restarts', 'Age'],
  );
  t.deepEqual(rows[0]?.cells.slice(0, 3), ['raw', '2/2', 'Running']);

  // A watch from a version on tells all that has happened since.
  const since = await execa('curl', [
    ...['--silent', '--show-error', '--unix-socket', here.socket],
    `http://localhost${pods}?watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`,
  ]);
  const events = since.stdout
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; object: V1Pod });
  t.true(events.every(({ type }) => type === 'MODIFIED'));
  t.like(events.at(-1)?.object, { metadata: { uid }, status: { phase: 'Running' } });

  t.like(await ask(`GET ${pods}/raw/log?container=main`), {
    code: 200,
    type: 'text/plain; charset=utf-8',
    body: '',
  });
  t.like(await ask(`GET ${pods}/raw/log`), { code: 400, body: { reason: 'BadRequest' } });
  t.like(await ask('GET /api/v1/namespaces/rest/events?fieldSelector=involvedObject.name%3Draw'), {
    code: 200,
    body: { kind: 'EventList' },
  });
  t.like(await ask(`GET ${pods}/nobody`), {
    code: 404,
    body: { kind: 'Status', reason: 'NotFound', message: 'pods "nobody" not found' },
  });
  t.like(await ask('GET /api/v1/namespaces/rest/nodes'), { code: 404, body: { kind: 'Status' } });
  t.like(await ask(`PUT ${pods}/raw`), { code: 405, body: { reason: 'MethodNotAllowed' } });
  t.like(await ask('GET /version'), { code: 200, body: { major: '1' } });
  t.like(await ask('GET /healthz'), { code: 200, body: 'ok' });
  t.like(await ask('GET /api'), { code: 200, body: { kind: 'APIVersions', versions: ['v1'] } });
  t.like(await ask('GET /apis'), { code: 200, body: { kind: 'APIGroupList' } });
  t.like(await ask('GET /api/v1'), {
    code: 200,
    body: { kind: 'APIResourceList', groupVersion: 'v1' },
  });

  const options = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds: 1,
    preconditions: { uid: 'other' },
  };
  t.like(await ask(`DELETE ${pods}/raw`, ...json, '--data', JSON.stringify(options)), {
    code: 409,
    body: { reason: 'Conflict' },
  });
  const right = { ...options, preconditions: { uid } };
  t.like(await ask(`DELETE ${pods}/raw`, ...json, '--data', JSON.stringify(right)), {
    code: 200,
    body: { metadata: { uid, deletionGracePeriodSeconds: 1 } },
  });
  await here.ok('wait', 'pod', 'raw', '-n', 'rest', '--for=delete', ...patiently);
});
