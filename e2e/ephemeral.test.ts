// Ephemeral containers look into a running pod: nothing that the pod does touches them, and they
// change nothing of it.
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { readMemory } from '../src/agent/memory-file.ts';
import { connectAgent } from '../src/api/client.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, image, initContainer, pod, referencePod } from './manifests.ts';
import { countsOf, isReady, patience, readyIn, startNode, statusOf, until } from './node.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

/** Says how often it has counted, for ever. */
const counts = 'i=0; while :; do echo $i; i=$((i + 1)); sleep 0.05; done';

async function debug(name: string, ...args: readonly string[]): Promise<string> {
  return await node().ok('debug', name, '--image', image, ...args);
}

/** What the host knows of a container's first process: when it started. */
function startOf(pid: number | undefined): string | undefined {
  return fs
    .readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    .split(') ')[1]
    ?.split(' ')[19];
}

/** The last number that it has counted to. */
async function countOf(name: string, guest: string): Promise<number> {
  // It may write on while it is read.
  return Number((await node().ok('logs', name, '-c', guest)).split('\n').at(-1));
}

const hasRun = (guest: string) => (one: V1Pod) =>
  statusOf(one, guest).state.terminated !== undefined;

test('one goes on through an in-place restart as if nothing had happened', async (t) => {
  await node().apply(referencePod('visited'));
  const first = await node().ready('visited');
  const said = await debug('visited', '-c', 'guest', '--', 'sh', '-c', counts);
  t.regex(said, /^pod\/visited: added container guest /);
  t.regex(said, /it runs; what it writes: reprise logs visited -c guest -f$/);
  await debug('visited', '-c', 'done', '--', 'sh', '-c', 'echo bye; exit 3');
  const before = await node().podThat('visited', 'has one that ended', hasRun('done'));
  const pid = await node().pidOf(before, 'guest');
  const start = startOf(pid);

  await node().tell(first, 'watcher', 88);
  const after = await node().ready('visited', 1);
  t.is(await node().pidOf(after, 'guest'), pid);
  t.is(startOf(pid), start);
  t.deepEqual(statusOf(after, 'guest'), statusOf(before, 'guest'));
  t.deepEqual(statusOf(after, 'done'), statusOf(before, 'done'));
  t.like(statusOf(after, 'done').state.terminated, { exitCode: 3, reason: 'Error' });
  t.deepEqual(countsOf(after), { setup: 1, watcher: 1, main: 1 });
  const count = await countOf('visited', 'guest');
  await until(
    `it counts on from ${count}`,
    async () => (await countOf('visited', 'guest')) > count,
  );
  // What was said last may reach the log when the end has long been told.
  await until('its last words can be read', async () => {
    return (await node().ok('logs', 'visited', '-c', 'done')) === 'bye';
  });

  const told = (await node().events('visited')).filter((event) => event.includes('Killing'));
  t.false(told.some((event) => /guest|done/.test(event)));
  t.regex(await node().ok('describe', 'pod', 'visited'), /Ephemeral Containers:\n {2}guest:/);
  const file = await node().manifest(referencePod('visited'));
  t.is(await node().ok('apply', '-f', file), 'pod/visited unchanged');
  await node().removed('visited');
  t.false(fs.existsSync(`/proc/${String(pid)}`));
});

test('one with a target sees its processes, and ends with it', async (t) => {
  await node().apply(referencePod('watched'));
  // The process to look at is there when it has told so; before, it is still the runtime's.
  await node().story(await node().ready('watched'), 3);
  const script = 'tr "\\0" " " < /proc/1/cmdline; while :; do sleep 1; done';
  await debug('watched', '-c', 'guest', '--target', 'main', '--', 'sh', '-c', script);
  // Line by line.
  await until('it has seen the script of the other one', async () => {
    return (await node().ok('logs', 'watched', '-c', 'guest')).includes('exit-$NAME');
  });
  const now = await node().pod('watched');
  const [guest, main] = await Promise.all(['guest', 'main'].map((one) => node().pidOf(now, one)));
  const namespaceOf = (pid: number | undefined) => fs.readlinkSync(`/proc/${String(pid)}/ns/pid`);
  t.is(namespaceOf(guest), namespaceOf(main));

  await node().ok('restart', 'pod', 'watched', '--wait');
  const after = await node().podThat('watched', 'has lost its guest', hasRun('guest'));
  t.like(statusOf(after, 'guest').state.terminated, { exitCode: 137 });
  t.true(isReady(await node().ready('watched', 1)));
  await node().removed('watched');
});

test('one is started while init containers run, and its target when that is there', async (t) => {
  const waits = 'while [ ! -e /shared/go ]; do sleep 0.02; done';
  await node().apply(pod('early', [initContainer('setup', waits)], [container('main')]));
  const first = await node().podThat(
    'early',
    'runs its init container',
    (one) => statusOf(one, 'setup').state.running !== undefined,
  );
  await debug('early', '-c', 'guest', '--', 'sleep', '1000');
  const refused = await node().reprise([
    'debug',
    'early',
    '--image',
    image,
    '-c',
    'later',
    '--target',
    'main',
    '--',
    'sleep',
    '1000',
  ]);
  t.is(refused.exitCode, 1);
  t.regex(refused.all, /unable to find target container main/);
  const meanwhile = await node().pod('early');
  t.is(meanwhile.status.phase, 'Pending');
  t.truthy(statusOf(meanwhile, 'guest').state.running);
  await node().put(first, 'go');
  await node().podThat(
    'early',
    'has its second guest',
    (one) => statusOf(one, 'later').state.running !== undefined,
  );
  await node().removed('early');
});

test('the end of the app containers is its end', async (t) => {
  await node().apply(pod('brief', [], [container('main')]));
  const first = await node().ready('brief');
  await debug('brief', '-c', 'guest', '--', 'sleep', '1000');
  await node().tell(first, 'main', 0);
  const over = await node().podThat(
    'brief',
    'is over',
    ({ status }) => status.phase === 'Succeeded',
  );
  t.truthy(statusOf(over, 'guest').state.terminated);
  const late = await node().reprise(['debug', 'brief', '--image', image, '--', 'true']);
  t.regex(late.all, /pod brief has Succeeded/);
  t.is((await node().pod('brief')).spec.ephemeralContainers?.length, 1);
  await node().removed('brief');
});

test('what is refused leaves nothing', async (t) => {
  await node().apply(pod('firm', [], [container('main')]));
  const first = await node().ready('firm');
  for (const [args, why] of [
    [['-c', 'main'], /Duplicate value: "main"/],
    [['--target', 'nobody'], /Not found: "nobody"/],
    [['-c', 'No_Name'], /Invalid value: "No_Name"/],
  ] as const) {
    const { all, exitCode } = await node().reprise(['debug', 'firm', '--image', image, ...args]);
    t.not(exitCode, 0);
    t.regex(all, why);
  }
  const after = await node().pod('firm');
  t.is(after.spec.ephemeralContainers, undefined);
  t.is(after.status.ephemeralContainerStatuses, undefined);
  const mine = await node().containers({ 'io.kubernetes.pod.uid': first.metadata.uid });
  t.is(mine.length, 2, 'the sandbox and its one container');
  const file = path.join(node().dataDir, 'pods', first.metadata.uid, 'pod.json');
  t.false(fs.readFileSync(file, 'utf8').includes('ephemeral'));
  await node().removed('firm');
});

test('one may be privileged where nothing else of its pod is', async (t) => {
  await node().apply(pod('plain', [], [container('main')]));
  await node().ready('plain');
  const capabilities = { add: [], drop: [] };
  const guest = {
    ...{ name: 'guest', image, command: ['sh', '-c', 'grep CapEff /proc/self/status'] },
    securityContext: { privileged: true, readOnlyRootFilesystem: false, capabilities },
  };
  await connectAgent(node().socket).addEphemeralContainer('default', 'plain', guest, patience());
  const after = await node().podThat('plain', 'has one that ended', hasRun('guest'));
  t.is(statusOf(after, 'guest').state.terminated?.exitCode, 0);
  const [, effective = '0'] = (await node().ok('logs', 'plain', '-c', 'guest')).split(/\s+/);
  t.is(BigInt(`0x${effective}`) & (1n << 21n), 1n << 21n, 'CAP_SYS_ADMIN');
  await node().removed('plain');
});

test('an image that is not there keeps only its own container waiting', async (t) => {
  await node().apply(pod('calm', [], [container('main')]));
  await node().ready('calm');
  const args = ['debug', 'calm', '--image', 'localhost/none:1', '-c', 'guest', '--', 'true'];
  const { all, exitCode } = await node().reprise(args);
  t.is(exitCode, 1);
  t.regex(all, /container guest waits: (ErrImagePull|ImagePullBackOff)/);
  t.true(isReady(await node().pod('calm')));
  await node().ok('restart', 'pod', 'calm', '--wait');
  await node().removed('calm');
});

test('a name can be had for the log of a container that has one made up', async (t) => {
  await node().apply(pod('named', [], [container('main')]));
  await node().ready('named');
  const name = await debug(
    'named',
    '-o',
    'name',
    '--env',
    'WHAT=one two',
    '--',
    'sh',
    '-c',
    'echo "$WHAT"',
  );
  t.regex(name, /^debugger-[a-z0-9]{5}$/);
  await until('it can be read', async () => {
    return (await node().ok('logs', 'named', '-c', name, '-f')) === 'one two';
  });
  await node().removed('named');
});

test('an agent that is killed knows them again; without the sandbox they are not started again', async (t) => {
  await using own = await startNode();
  const { run } = await own.agent();
  await own.apply(pod('kept', [], [container('main')], { restartPolicy: 'Always' }));
  await own.ready('kept');
  await own.ok('debug', 'kept', '--image', image, '-c', 'guest', '--', 'sleep', '1000');
  const before = await own.pod('kept');
  const pid = await own.pidOf(before, 'guest');
  // What was only seen is written down a little later.
  const folder = path.join(own.dataDir, 'pods', before.metadata.uid);
  await until('its start is remembered', () =>
    Promise.resolve(readMemory(folder)?.containers['guest']?.startedAt !== undefined),
  );
  run.kill('SIGKILL');
  await run;
  await own.agent();
  const after = await own.podThat('kept', 'is taken up', readyIn(0));
  t.deepEqual(statusOf(after, 'guest'), statusOf(before, 'guest'));
  t.is(await own.pidOf(after, 'guest'), pid);
  t.deepEqual(after.spec.ephemeralContainers, before.spec.ephemeralContainers);

  const filter = `labels."io.kubernetes.pod.uid"==${before.metadata.uid},labels."io.cri-containerd.kind"==sandbox`;
  const sandbox = (await own.containerd.ctr('containers', 'ls', '-q', filter)).trim();
  const rows = (await own.containerd.ctr('tasks', 'ls')).split('\n').map((row) => row.split(/\s+/));
  process.kill(Number(rows.find(([id]) => id === sandbox)?.[1]), 'SIGKILL');
  const again = await own.podThat(
    'kept',
    'is ready in a new sandbox',
    (one) => isReady(one) && countsOf(one).main === 1,
  );
  t.truthy(statusOf(again, 'guest').state.terminated);
  t.is(await own.pidOf(again, 'guest'), undefined);
  await own.removed('kept');
  t.deepEqual(await own.traces(), []);
});
