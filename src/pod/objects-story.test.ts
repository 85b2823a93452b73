// What becomes of a pod when the objects change that it is filled from, told on a simulated node.
import test from 'ava';
import { aContainer, aPod, aSidecar, referencePod, restartAllOn } from '../testing/builders.ts';
import type { Behaviour } from '../testing/simulated-node.ts';
import { SimulatedNode } from '../testing/simulated-node.ts';
import { lackingInputs } from './inputs.ts';

const soonDone: Record<string, Behaviour> = { setup: { runsMs: 10, code: 0 } };

/** The reference pod at rest, with standbys; `main` takes something from objects. */
function atRest(): SimulatedNode {
  const node = new SimulatedNode(referencePod(), { behave: (name) => soonDone[name] ?? {} });
  node.changeObjects({ main: 'old' });
  node.run();
  return node;
}

/** What is told from now on. */
function storySince(node: SimulatedNode, happens: () => void): string[] {
  const before = node.story.length;
  happens();
  node.run();
  return node.story.slice(before);
}

function restart(node: SimulatedNode): void {
  node.request({ kind: 'restart', by: 'root', at: node.now });
}

test('a standby made from what an object held before is thrown away and made anew', (t) => {
  const node = atRest();
  const story = storySince(node, () => node.changeObjects({ main: 'new' }));
  t.deepEqual(node.faults, []);
  t.deepEqual(
    story.map((line) => line.replace(/ \(.*\)/, '')),
    ['remove main', 'lend', 'create main 1 of generation 1'],
  );
  const then = storySince(node, () => restart(node));
  t.deepEqual(node.faults, []);
  t.false(then.includes('create main 2 of generation 1'), 'the new one is used');
  t.is(node.memory.generation, 1);
});

test('a restart right after a change does not wait, and does not use the old standby', (t) => {
  const node = atRest();
  const story = storySince(node, () => {
    node.changeObjects({ main: 'new' });
    restart(node);
  });
  t.deepEqual(node.faults, []);
  t.deepEqual(
    story.filter((line) => line.startsWith('start main')),
    story.filter((line) => /^start main \(c\d+-main-2\)/.test(line)),
  );
  t.true(story.includes('create main 2 of generation 1'));
  // Those that took nothing from it are used.
  t.false(story.some((line) => /^create (setup|watcher) \d of generation 1/.test(line)));
});

test('a change while a standby is being made leads to another one', (t) => {
  const node = new SimulatedNode(referencePod(), {
    behave: (name) => soonDone[name] ?? {},
    latencyMs: (action) => (action.kind === 'create-container' ? 100 : 1),
  });
  node.changeObjects({ main: 'old' });
  while (!node.story.includes('create main 1 of generation 1')) node.run({ steps: 1 });
  node.after(70, () => node.changeObjects({ main: 'new' }));
  node.run();
  t.is(node.story.filter((line) => line === 'create main 1 of generation 1').length, 2);
  restart(node);
  node.run();
  t.deepEqual(node.faults, []);
});

test('an agent that was killed after a change knows which standby is old', (t) => {
  const node = atRest();
  node.crashAgent(10);
  node.changeObjects({ main: 'new' });
  node.run();
  restart(node);
  node.run();
  t.deepEqual(node.faults, []);
  t.is(node.memory.generation, 1);
});

test('a container waits for what it lacks, and starts by itself when it is there', (t) => {
  const pod = aPod([], [aContainer('main'), aContainer('other')], { restartPolicy: 'Always' });
  const node = new SimulatedNode(pod, { behave: () => ({}) });
  node.changeObjects({ main: lackingInputs });
  node.run({ forMs: 200_000 });
  t.is(node.status.phase, 'Pending');
  t.deepEqual(
    node.status.containerStatuses?.map(({ name, state }) => [name, Object.keys(state)[0]]),
    [
      ['main', 'waiting'],
      ['other', 'running'],
    ],
  );
  t.deepEqual(node.status.containerStatuses?.[0]?.state.waiting, {
    reason: 'CreateContainerConfigError',
    message: 'configmap "settings" not found',
  });
  const before = node.now;
  node.changeObjects({ main: 'here' });
  node.run({ forMs: 100 });
  t.is(node.status.phase, 'Running');
  t.true(node.now <= before + 100, 'without the wait that follows many failures');
  t.deepEqual(node.faults, []);
});

test('a container in its back-off is made from what there is when that is over', (t) => {
  const pod = aPod([], [aContainer('main')], { restartPolicy: 'Always' });
  const crash = { runsMs: 1_000, code: 1 };
  const node = new SimulatedNode(pod, { behave: (_, run) => (run < 2 ? crash : {}) });
  node.changeObjects({ main: 'old' });
  node.run({ steps: 10 });
  const reason = () => node.status.containerStatuses?.[0]?.state.waiting?.reason;
  while (reason() !== 'CrashLoopBackOff') node.run({ steps: 1 });
  node.run({ forMs: 1_000 });
  const story = storySince(node, () => {
    node.changeObjects({ main: lackingInputs });
    node.run({ forMs: 1_000 });
    t.is(reason(), 'CrashLoopBackOff');
    node.changeObjects({ main: 'new' });
    node.run({ forMs: 1_000 });
  });
  t.deepEqual(
    story.map((line) => line.replace(/ \(.*\)/, '')),
    [
      'remove main',
      'lend',
      'create main 2 of generation 0',
      'lend',
      'start main',
      'main runs in generation 0',
      'prove gone c1-main-1',
      'remove main',
    ],
  );
  t.deepEqual(node.faults, []);
});

test('no standby is tried that lacks something, and one is made as soon as it does not', (t) => {
  const node = atRest();
  const lacking = storySince(node, () => node.changeObjects({ main: lackingInputs }));
  t.deepEqual(
    lacking.map((line) => line.replace(/ \(.*\)/, '')),
    ['remove main', 'lend'],
  );
  const back = storySince(node, () => node.changeObjects({ main: 'old' }));
  t.deepEqual(back.toSorted(), ['create main 1 of generation 1', 'lend']);
});

test('a pod whose volume lacks something waits, and starts by itself when it is there', (t) => {
  let isThere = false;
  const node = new SimulatedNode(aPod([], [aContainer('main')]), {
    behave: () => ({}),
    fails: ({ kind }) =>
      kind === 'lend' && !isThere && { reason: 'FailedMount', message: 'configmap not found' },
  });
  node.run({ forMs: 200_000 });
  t.is(node.status.containerStatuses?.[0]?.state.waiting?.reason, 'ContainerCreating');
  t.deepEqual(node.sandboxIds, []);
  isThere = true;
  node.changeObjects({});
  node.run({ forMs: 100 });
  t.is(node.status.phase, 'Running');
  t.deepEqual(node.faults, []);
});

test('what comes while volumes are being filled is not missed', (t) => {
  let isThere = false;
  const node = new SimulatedNode(aPod([], [aContainer('main')]), {
    behave: () => ({}),
    latencyMs: ({ kind }) => (kind === 'lend' ? 100 : 1),
    fails: ({ kind }) => kind === 'lend' && !isThere && { reason: 'FailedMount', message: 'none' },
  });
  node.after(50, () => {
    isThere = true;
    node.changeObjects({});
  });
  node.run({ forMs: 500 });
  t.is(node.status.phase, 'Running', 'the second try comes at once');
});

test('volumes of a running pod are filled again beside everything else', (t) => {
  const pod = aPod([aSidecar('watcher', restartAllOn(88))], [aContainer('main')]);
  const node = new SimulatedNode(pod, {
    behave: () => ({}),
    latencyMs: ({ kind }) => (kind === 'lend' ? 10_000 : 1),
  });
  node.run();
  const began = node.now;
  node.changeObjects({});
  restart(node);
  node.run({ forMs: 1_000 });
  t.is(node.status.phase, 'Running');
  t.is(node.memory.restarts.length, 1, 'the restart did not wait for it');
  t.true(node.now - began <= 1_000);
  node.run();
  t.deepEqual(node.faults, []);
});

test('a refill that fails is tried again, and keeps nothing from running', (t) => {
  let tries = 0;
  const node = new SimulatedNode(aPod([], [aContainer('main')]), {
    behave: () => ({}),
    fails: ({ kind }) =>
      kind === 'lend' && tries++ > 0 && tries < 4 && { reason: 'FailedMount', message: 'full' },
  });
  node.run();
  const story = storySince(node, () => node.changeObjects({}));
  t.deepEqual(story, ['lend', 'lend', 'lend']);
  t.is(node.status.phase, 'Running');
  t.deepEqual(node.faults, []);
});
