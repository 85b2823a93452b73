// Whatever dies at whatever moment, the pod goes on: same sandbox, same counts, nothing done twice.
import fs from 'node:fs';
import path from 'node:path';
import { startContainerd } from '../scripts/private-containerd/start.ts';
import { connectAgent } from '../src/api/client.ts';
import { connectContainerd } from '../src/runtime/connect.ts';
import { criOver } from '../src/runtime/cri.ts';
import { blankMemory } from '../src/pod/memory.ts';
import type { Memory } from '../src/pod/memory.ts';
import { readMemory } from '../src/agent/memory-file.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, initContainer, pod, referencePod, sidecar } from './manifests.ts';
import {
  countsOf,
  generationOf,
  isReady,
  patience,
  readyIn,
  startNode,
  statusOf,
  until,
} from './node.ts';
import type { TestNode } from './node.ts';
import { timeScale } from './pace.ts';
import { testInTurn } from './turns.ts';

// Each has a containerd of its own.
const test = testInTurn(3);

function memoryOf(node: TestNode, { metadata }: V1Pod): Memory {
  return readMemory(path.join(node.dataDir, 'pods', metadata.uid)) ?? blankMemory;
}

/**
 * Who has started in each run, in the order in which they told.
 *
 * containerd gives up a start when its caller dies, and then the process may have told already: that
 * container, and no other, is made anew and starts again.
 */
async function startsOf(node: TestNode, of: V1Pod): Promise<string[][]> {
  const runs: string[][] = [[]];
  for (const line of await node.story(of)) {
    const [, name] = /^(\w+) started$/.exec(line) ?? [];
    // The main container may tell of a start that was begun again as late as that.
    const isLate = name === 'main' && runs.length > 1 && runs.at(-1)?.length === 0;
    if (name !== undefined) runs.at(isLate ? -2 : -1)?.push(name);
    else if (line === 'watcher ends with 88') runs.push([]);
  }
  return runs;
}

/** Waits until all containers have told of that run: a process starts before it speaks. */
async function haveTold(node: TestNode, of: V1Pod, generation: number): Promise<void> {
  await until(`all of run ${generation} have told`, async () => {
    const run = (await startsOf(node, of))[generation];
    return ['setup', 'watcher', 'main'].every((name) => run?.includes(name));
  });
}

async function sandboxesOf(node: TestNode, { metadata }: V1Pod): Promise<string[]> {
  const filter = `labels."io.kubernetes.pod.uid"==${metadata.uid},labels."io.cri-containerd.kind"==sandbox`;
  const ids = await node.containerd.ctr('containers', 'ls', '-q', filter);
  return ids.split('\n').filter(Boolean);
}

test('an agent that is killed at any moment of a restart goes on with it', async (t) => {
  await using node = await startNode();
  let { run } = await node.agent();
  await node.apply(referencePod('killed'));
  const first = await node.podThat('killed', 'is ready', readyIn(0));
  const [sandbox] = await sandboxesOf(node, first);
  const status = path.join(node.dataDir, 'pods', first.metadata.uid, 'status.json');
  const hit = { clearing: 0, starting: 0, over: 0 };
  const recorded = () => true;
  const starts = ({ restart }: Memory) => restart?.startingAt !== undefined;
  const isOver = ({ restart }: Memory) => restart === undefined;

  // On a busy machine a moment passes unseen, maybe time and again: then it is tried more often.
  const missed = () => (hit.clearing === 0 ? recorded : hit.starting === 0 ? starts : undefined);
  // Each kind of moment, and more than once where that does not take an hour.
  const rounds = timeScale >= 10 ? 3 : 12;
  let generation = 0;
  while (generation < rounds || (generation < 40 && missed() !== undefined)) {
    generation++;
    // Right after the restart was recorded, or as soon as something starts, or when it is over.
    const inTurn = [recorded, starts, isOver][generation % 3] ?? recorded;
    const come = generation <= rounds ? inTurn : (missed() ?? inTurn);
    const itIsTime = new Promise<void>((resolve) => {
      const watcher = fs.watch(path.dirname(status), () => {
        const memory = memoryOf(node, first);
        // If the moment has passed unseen, it is killed all the same.
        if (memory.generation < generation || !(come(memory) || isOver(memory))) return;
        watcher.close();
        run.kill('SIGKILL');
        resolve();
      });
    });
    await haveTold(node, first, generation - 1);
    await node.tell(first, 'watcher', 88);
    await itIsTime;
    await run;
    const { restart } = memoryOf(node, first);
    if (restart === undefined) hit.over++;
    else if (restart.startingAt === undefined) hit.clearing++;
    else hit.starting++;

    ({ run } = await node.agent());
    const after = await node.podThat('killed', 'is ready again', readyIn(generation));
    t.deepEqual(countsOf(after), { setup: generation, watcher: generation, main: generation });
    t.is(after.metadata.uid, first.metadata.uid);
    t.is(after.status.startTime, first.status.startTime);
  }
  t.log(
    `killed while clearing ${hit.clearing} times, while starting ${hit.starting}, after ${hit.over}`,
  );
  t.true(hit.clearing > 0 && hit.starting > 0);
  t.deepEqual(await sandboxesOf(node, first), [sandbox]);
  await haveTold(node, first, generation);
  const runs = await startsOf(node, first);
  t.is(runs.length, generation + 1, 'every run is complete');
  for (const run of runs) {
    const others = run.slice(run.findIndex((name) => name !== 'setup'));
    t.false(others.includes('setup'), `setup comes first: ${run.join(', ')}`);
  }
  // Whose process has been started first need not be the first to say so.
  const restarts = await connectAgent(node.socket).listRestarts('default', 'killed', patience());
  for (const { containers } of restarts) {
    const times = containers.map(({ startedAt = NaN }) => startedAt);
    const isInOrder = times.every((at, index) => index === 0 || at >= (times[index - 1] ?? NaN));
    t.true(isInOrder, JSON.stringify(containers));
  }
  const again = runs.flat().length - 3 * runs.length;
  t.true(again <= hit.starting, `${again} begun again, ${hit.starting} times killed in a start`);
});

test('an exit while the agent is down is found when it comes back', async (t) => {
  await using node = await startNode();
  const { run } = await node.agent();
  await node.apply(referencePod('missed'));
  const first = await node.podThat('missed', 'is ready', readyIn(0));
  run.kill('SIGKILL');
  await run;
  const pid = await node.pidOf(first, 'watcher');
  await node.tell(first, 'watcher', 88);
  await until('the watcher has ended', () =>
    Promise.resolve(!fs.existsSync(`/proc/${String(pid)}`)),
  );
  t.truthy(await node.pidOf(first, 'main'), 'without an agent nobody restarts anything');
  await node.agent();
  const after = await node.podThat('missed', 'was restarted in place', readyIn(1));
  t.like(statusOf(after, 'watcher').lastState.terminated, { exitCode: 88 });
});

test('an agent with many pods takes all of them up again; being stopped leaves them running', async (t) => {
  await using node = await startNode();
  const names = ['one', 'two', 'three', 'four', 'five', 'six'];
  let { run } = await node.agent();
  await Promise.all(
    names.map((name) => node.apply(pod(name, [initContainer('setup')], [container('main')]))),
  );
  const before = await Promise.all(names.map((name) => node.podThat(name, 'is ready', isReady)));
  const pids = await Promise.all(before.map((one) => node.pidOf(one, 'main')));
  t.true(pids.every((pid) => pid !== undefined));

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    run.kill(signal);
    const { exitCode } = await run;
    if (signal === 'SIGTERM') t.is(exitCode, 0);
    ({ run } = await node.agent());
    const after = await Promise.all(names.map((name) => node.podThat(name, 'is ready', isReady)));
    t.deepEqual(await Promise.all(after.map((one) => node.pidOf(one, 'main'))), pids);
    t.true(after.every((one) => Object.values(countsOf(one)).every((count) => count === 0)));
  }

  run.kill('SIGKILL');
  await run;
  const [lost, ...others] = before;
  const id = lost && statusOf(lost, 'main').containerID?.replace('containerd://', '');
  using containerd = connectContainerd(node.containerd.socket);
  await criOver(containerd).removeContainer(id ?? '', patience());
  await node.agent();
  // Nobody knows how it has ended: it starts anew, whatever the policy.
  const again = await node.podThat(
    'one',
    'is ready again',
    (one) => isReady(one) && countsOf(one).main === 1,
  );
  t.like(statusOf(again, 'main').lastState.terminated, {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container was removed by somebody else while it was running',
  });
  for (const { metadata } of others) await node.podThat(metadata.name, 'is ready', isReady);
});

test('containers go on without containerd, and restarts go on when it is back', async (t) => {
  await using node = await startNode();
  await node.agent();
  await node.apply(referencePod('outlives'));
  const first = await node.podThat('outlives', 'is ready', readyIn(0));
  const pids = await Promise.all(['watcher', 'main'].map((name) => node.pidOf(first, name)));
  await node.apply(pod('leaves', [], [container('main')]));
  await node.ready('leaves');
  const { pid, dir } = node.containerd;

  process.kill(pid, 'SIGKILL');
  await until('containerd is dead', () => Promise.resolve(!fs.existsSync(`/proc/${pid}`)));
  t.true(pids.every((one) => fs.existsSync(`/proc/${String(one)}`)));
  await node.ok('delete', 'pod', 'leaves', '--no-wait');
  await node.podThat(
    'leaves',
    'leaves',
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
  );
  await until('it is told why the other pod does not leave', async () => {
    const events = (await node.events('leaves')).join('\n');
    return (
      /^Warning FailedKillPod: error killing pod: /m.test(events) &&
      /^Warning FailedSync: error determining status: /m.test(events)
    );
  });
  await startContainerd(dir, { outbound: false });
  await until(
    'the other pod is gone',
    async () => !(await node.ok('get', 'pods')).includes('leaves'),
  );
  const back = await node.podThat('outlives', 'is still ready', readyIn(0));
  t.deepEqual(await Promise.all(['watcher', 'main'].map((name) => node.pidOf(back, name))), pids);

  await node.tell(first, 'watcher', 88);
  const after = await node.podThat('outlives', 'was restarted in place', readyIn(1));
  t.deepEqual(countsOf(after), { setup: 1, watcher: 1, main: 1 });
});

test('an exit while containerd is down is dealt with when it is back', async (t) => {
  await using node = await startNode();
  await node.agent();
  const rule = {
    restartPolicyRules: [
      { action: 'RestartAllContainers', exitCodes: { operator: 'NotIn', values: [0] } },
    ],
  };
  // NotIn [0]: from 1.7 on containerd does not know the true code of such an exit any more.
  const manifest = pod('unseen', [sidecar('watcher', rule)], [container('main')]);
  await node.apply(manifest);
  const first = await node.podThat('unseen', 'is ready', readyIn(0));
  const pid = await node.pidOf(first, 'watcher');

  const { pid: daemon } = node.containerd;
  process.kill(daemon, 'SIGKILL');
  await until('containerd is dead', () => Promise.resolve(!fs.existsSync(`/proc/${daemon}`)));
  await node.tell(first, 'watcher', 88);
  await until('the watcher has ended', () =>
    Promise.resolve(!fs.existsSync(`/proc/${String(pid)}`)),
  );
  await startContainerd(node.containerd.dir, { outbound: false });
  const after = await node.podThat('unseen', 'was restarted in place', readyIn(1));
  t.deepEqual(countsOf(after), { watcher: 1, main: 1 });
});

test('without standbys containers are created when they are needed', async (t) => {
  await using node = await startNode();
  await node.agent('--no-standbys');
  await node.apply(referencePod('bare'));
  const { metadata } = await node.podThat('bare', 'is ready', readyIn(0));
  for (const generation of [1, 2]) {
    await node.reprise(['restart', 'pod', 'bare', '--wait']);
    await node.podThat('bare', 'was restarted in place', readyIn(generation));
  }
  const record = readMemory(path.join(node.dataDir, 'pods', metadata.uid))?.restarts.at(-1);
  const { recordedAt = NaN, containers = [] } = record ?? {};
  t.is(containers.length, 3);
  for (const { name, createdAt = NaN } of containers) t.true(createdAt > recordedAt, name);
});

test('what containerd had half made when it died is made anew', async (t) => {
  await using node = await startNode();
  await node.agent();
  await node.apply(referencePod('half-made'));
  const first = await node.podThat('half-made', 'is ready', readyIn(0));
  const standbys = () =>
    node.containers({
      'io.kubernetes.pod.uid': first.metadata.uid,
      'reprise.dev/generation': '1',
    });
  await until('standbys are there', async () => (await standbys()).length === 3);
  const { pid, dir } = node.containerd;
  const broken = await standbys();
  process.kill(pid, 'SIGKILL');
  await until('containerd is dead', () => Promise.resolve(!fs.existsSync(`/proc/${pid}`)));
  // As it is until the call that creates a container is nearly over.
  const folder = path.join(dir, 'root/io.containerd.grpc.v1.cri/containers');
  for (const id of broken) fs.rmSync(path.join(folder, id, 'status'), { force: true });
  await startContainerd(dir, { outbound: false });
  await until('sound ones are there', async () => {
    const now = await standbys();
    return now.length === 3 && now.every((id) => !broken.includes(id));
  });
  await node.tell(first, 'watcher', 88);
  const after = await node.podThat('half-made', 'was restarted in place', readyIn(1));
  t.deepEqual(countsOf(after), { setup: 1, watcher: 1, main: 1 });
  t.is(after.metadata.uid, first.metadata.uid);
});

test('a lost status file costs nothing that runs', async (t) => {
  await using node = await startNode();
  let { run } = await node.agent();
  await node.apply(referencePod('forgetful'));
  const first = await node.podThat('forgetful', 'is ready', readyIn(0));
  await node.tell(first, 'watcher', 88);
  const second = await node.podThat('forgetful', 'is ready again', readyIn(1));
  run.kill('SIGKILL');
  await run;
  const pid = await node.pidOf(second, 'main');
  fs.rmSync(path.join(node.dataDir, 'pods', first.metadata.uid, 'status.json'));
  ({ run } = await node.agent());
  const after = await node.podThat('forgetful', 'is still in its generation', readyIn(1));
  t.is(await node.pidOf(after, 'main'), pid);
});

test('a pod that cannot be taken up is left alone, and the others go on', async (t) => {
  await using node = await startNode();
  const names = ['confused', 'unreadable', 'whole'] as const;
  let { run } = await node.agent();
  await Promise.all(names.map((name) => node.apply(pod(name, [], [container('main')]))));
  const [confused, unreadable, whole] = await Promise.all([
    node.podThat('confused', 'is ready', isReady),
    node.podThat('unreadable', 'is ready', isReady),
    node.podThat('whole', 'is ready', isReady),
  ]);
  const pidsOf = () =>
    Promise.all([confused, unreadable, whole].map((one) => node.pidOf(one, 'main')));
  const pids = await pidsOf();
  const damage = async (): Promise<() => void> => {
    run.kill('SIGKILL');
    await run;
    const files = [
      path.join(node.dataDir, 'pods', confused.metadata.uid, 'status.json'),
      path.join(node.dataDir, 'pods', unreadable.metadata.uid, 'pod.json'),
    ] as const;
    const texts = files.map((file) => fs.readFileSync(file, 'utf8'));
    fs.writeFileSync(files[0], '{"memory":{"startTime":1,"containers":null}}');
    fs.writeFileSync(files[1], '{"metadata":');
    return () => files.forEach((file, index) => fs.writeFileSync(file, texts[index] ?? ''));
  };
  const mend = await damage();

  ({ run } = await node.agent());
  await node.podThat('whole', 'is ready', isReady);
  t.like(await node.pod('confused'), { status: { phase: 'Unknown', reason: 'NotTakenUp' } });
  t.regex(await node.ok('get', 'pods'), /confused +0\/1 +NotTakenUp/);
  const refused = await node.reprise(['delete', 'pod', 'confused']);
  t.is(refused.exitCode, 1);
  t.regex(refused.all, /could not be taken up[^]*remove .*\/pod\.json/);
  t.deepEqual(await pidsOf(), pids);

  run.kill('SIGKILL');
  const { all } = await run;
  t.regex(all, /could not take up this pod; its containers are left alone/);
  t.regex(all, /a saved pod cannot be read/);
  mend();
  await node.agent();
  for (const name of names) await node.podThat(name, 'is ready', isReady);
  t.deepEqual(await pidsOf(), pids);
});

/** Where containerd looks for the shim of a sandbox when it starts another of its containers. */
function shimSocketOf(node: TestNode, sandbox: string): string {
  const bundle = path.join(
    node.containerd.dir,
    'state/io.containerd.runtime.v2.task/k8s.io',
    sandbox,
  );
  // From 2.0 on it is the second one that tells.
  const files = ['address', 'bootstrap.json'].map((name) => path.join(bundle, name));
  const texts = files.filter((file) => fs.existsSync(file)).map((file) => fs.readFileSync(file));
  const [, socket] = /unix:\/\/([^"\s]+)/.exec(texts.join('\n')) ?? [];
  if (socket === undefined) throw new Error(`no address of a shim in ${bundle}`);
  return socket;
}

test('a start for which there is no shim is made up for by another one', async (t) => {
  await using node = await startNode();
  await node.agent();
  await node.apply(referencePod('lacks-shim'));
  const first = await node.podThat('lacks-shim', 'is ready', readyIn(0));
  const [sandbox = ''] = await sandboxesOf(node, first);
  const socket = shimSocketOf(node, sandbox);
  const aside = `${socket}.aside`;
  fs.renameSync(socket, aside);
  // Neither can be bound to nor removed.
  fs.mkdirSync(socket);
  fs.writeFileSync(path.join(socket, 'file'), '');
  try {
    await node.tell(first, 'watcher', 88);
    await until('a start has failed', async () =>
      (await node.events('lacks-shim')).some((event) => event.includes('failed to start shim')),
    );
  } finally {
    fs.rmSync(socket, { recursive: true });
    fs.renameSync(aside, socket);
  }
  const after = await node.podThat('lacks-shim', 'was restarted in place', readyIn(1));
  t.deepEqual(countsOf(after), { setup: 1, watcher: 1, main: 1 });
  t.deepEqual(await sandboxesOf(node, after), [sandbox]);
});

test('the loss of the sandbox brings the pod up in a new one', async (t) => {
  await using node = await startNode();
  await node.agent();
  const manifest = pod('new-sandbox', [initContainer('setup')], [container('main')], {
    restartPolicy: 'Always',
  });
  await node.apply(manifest);
  const first = await node.podThat('new-sandbox', 'is ready', isReady);
  const [sandbox] = await sandboxesOf(node, first);
  const rows = (await node.containerd.ctr('tasks', 'ls'))
    .split('\n')
    .map((row) => row.split(/\s+/));
  process.kill(Number(rows.find(([id]) => id === sandbox)?.[1]), 'SIGKILL');

  const after = await node.podThat(
    'new-sandbox',
    'is ready in a new sandbox',
    (one) => isReady(one) && countsOf(one).main === 1,
  );
  t.deepEqual(countsOf(after), { setup: 1, main: 1 });
  t.is(generationOf(after), 0);
  t.is(after.metadata.uid, first.metadata.uid);
  t.true(
    (await node.events('new-sandbox')).includes(
      'Normal SandboxChanged: Pod sandbox changed, it will be killed and re-created.',
    ),
  );
  await until('the old sandbox is removed', async () => {
    const now = await sandboxesOf(node, after);
    return now.length === 1 && now[0] !== sandbox;
  });
});

test('a pod that never restarts has failed when somebody kills its process', async (t) => {
  await using node = await startNode();
  await node.agent();
  await node.apply(pod('over', [], [container('main')]));
  const first = await node.podThat('over', 'is ready', isReady);
  process.kill(Number(await node.pidOf(first, 'main')), 'SIGKILL');
  const after = await node.podThat('over', 'has failed', ({ status }) => status.phase === 'Failed');
  t.like(statusOf(after, 'main').state.terminated, { exitCode: 137, reason: 'Error' });
});
