// Starts that fail in words that do not blame the container, told as stories on a simulated node.
import test from 'ava';
import { aContainer, aPod, anEphemeralContainer, restartAllOn } from '../testing/builders.ts';
import type { Behaviour } from '../testing/simulated-node.ts';
import { SimulatedNode } from '../testing/simulated-node.ts';
import type { Pod } from './pod.ts';

const givenUp: Behaviour = { startIsGivenUp: true };

/** A node on which each start is given up that comes before the one of this number, from 0. */
function nodeOf(pod: Pod, startsAt: number): SimulatedNode {
  return new SimulatedNode(pod, { behave: (_name, run) => (run < startsAt ? givenUp : {}) });
}

/** When starts were given up, in whole seconds since the first one. */
function times({ transcript }: SimulatedNode): number[] {
  const seconds = transcript.filter((line) => line.includes('is given up')).map(Number.parseFloat);
  return seconds.map((at) => Math.floor(at - (seconds[0] ?? 0)));
}

test('a start that is given up is made up for by another one a second later', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')]), 1);
  node.run();
  t.deepEqual(node.living, ['main']);
  const [main] = node.status.containerStatuses ?? [];
  t.like(main, { restartCount: 0, lastState: {} });
  t.true(node.now - node.runtime.lastStartAt < 1_000);
  t.deepEqual(node.faults, []);
});

test('what was begun of it is proven to be gone before another one takes its place', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')]), 1);
  node.run();
  const steps = node.story.filter((line) => /^(prove gone|start) /.test(line));
  t.deepEqual(steps, ['start main (c0-main-0)', 'prove gone c0-main-0', 'start main (c1-main-1)']);
});

test('while the next start is waited for, it is told why', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')]), 1);
  node.run({ forMs: 500 });
  t.like(node.status.containerStatuses?.[0]?.state.waiting, {
    reason: 'Failed',
    message: 'it was made to fail',
  });
});

test('the third in a row has failed, whatever its words are', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')]), Infinity);
  t.is(node.run(), 'at rest');
  t.deepEqual(times(node), [0, 1, 3]);
  t.is(node.status.phase, 'Failed');
  t.like(node.status.containerStatuses?.[0]?.state.terminated, {
    exitCode: 128,
    reason: 'StartError',
    message: 'it was made to fail',
  });
  t.deepEqual(node.faults, []);
});

test('one that runs meanwhile begins a new row', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main')], { restartPolicy: 'Always' }), {
    behave: (_name, run) => (run % 3 < 2 ? givenUp : { runsMs: 100, code: 0 }),
  });
  node.run({ forMs: 600_000 });
  t.true((node.status.containerStatuses?.[0]?.restartCount ?? 0) > 3);
  t.is(node.status.containerStatuses?.[0]?.lastState.terminated?.exitCode, 0);
});

test('each that follows in the row counts, and waits for the back-off', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')], { restartPolicy: 'Always' }), Infinity);
  node.run({ forMs: 60_000 });
  t.deepEqual(times(node), [0, 1, 3, 3, 13, 33]);
  t.deepEqual(node.faults, []);
});

test('rules see it', (t) => {
  const node = nodeOf(aPod([], [aContainer('main', restartAllOn(128))]), 3);
  node.run();
  t.is(node.memory.generation, 1);
  t.deepEqual(node.living, ['main']);
});

test('a start that an agent was killed at does not count, and is made up for at once', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main')]), {
    behave: () => ({}),
    latencyMs: ({ kind }) => (kind === 'start-container' ? 100 : 1),
  });
  for (let kills = 0; kills < 5; kills++) {
    while (!node.story.at(-1)?.startsWith('start main')) node.run({ steps: 1 });
    node.crashAgent(200);
  }
  const from = node.now;
  node.run();
  t.deepEqual(node.living, ['main']);
  t.true(node.runtime.lastStartAt - from < 1_000);
});

test('an ephemeral container is given up with its third start', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main')]), {
    behave: (name) => (name === 'debugger' ? givenUp : {}),
  });
  node.run();
  node.debug(anEphemeralContainer('debugger'));
  node.run();
  t.deepEqual(times(node), [0, 1, 3]);
  t.like(node.status.ephemeralContainerStatuses?.[0]?.state.terminated, {
    exitCode: 128,
    reason: 'StartError',
  });
  t.deepEqual(node.living, ['main']);
});
