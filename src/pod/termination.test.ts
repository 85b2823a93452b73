// The way out: who is stopped when, with how much grace, and what stays.
import test from 'ava';
import {
  aContainer,
  aPod,
  aSidecar,
  anInstance,
  referencePod,
  restartAllOn,
} from '../testing/builders.ts';
import type { Behaviour, Plan } from '../testing/simulated-node.ts';
import { SimulatedNode } from '../testing/simulated-node.ts';
import type { Action } from './action.ts';
import { decide } from './decide.ts';
import type { ContainerMemory, Memory } from './memory.ts';
import { blankMemory } from './memory.ts';
import type { Instance } from './observed.ts';
import type { Pod } from './pod.ts';
import { defaultSettings } from './settings.ts';

const forever: Behaviour = {};
const stubborn: Behaviour = { ignoresTerm: true };
const quick: Behaviour = { runsMs: 10, code: 0 };

/** A node on which the pod has come up. */
function up(pod: Pod, plan: Record<string, Behaviour> = {}, more: Partial<Plan> = {}) {
  const node = new SimulatedNode(pod, { behave: (name) => plan[name] ?? forever, ...more });
  node.run({ forMs: 2_000 });
  return node;
}

/** Asks for a delete and gives back what happens then, with seconds since. */
function onDelete(
  node: SimulatedNode,
  { graceSeconds, force = false }: { graceSeconds?: number; force?: boolean } = {},
): string[] {
  const [asked, from] = [node.now, node.transcript.length];
  node.request({ kind: 'delete', graceSeconds, force, at: asked });
  node.run();
  const begin = Number(/^[\d.]+/.exec(node.transcript[from] ?? '0')?.[0]);
  return node.transcript
    .slice(from)
    .filter((line) => / (stop|kill) c|ends with/.test(line) || / stop [a-z]/.test(line))
    .map((line) => {
      const [, at = '', what = ''] = /^([\d.]+) s: (.*)$/.exec(line) ?? [];
      const words = what.replace(/ \(c[^)]*\)/, '').replace(/ of generation 0/, '');
      return `${Math.round(Number(at) - begin)} s: ${words}`;
    });
}

const oneApp = (seconds: number): Pod =>
  aPod([], [aContainer('main')], { terminationGracePeriodSeconds: seconds });

const graces: Record<string, { spec: number; asked?: number; is: number }> = {
  "the pod's own grace": { spec: 30, is: 30 },
  'a shorter one that was asked for': { spec: 30, asked: 5, is: 5 },
  'a longer one that was asked for': { spec: 30, asked: 60, is: 60 },
  'never less than 2 s, asked for 0': { spec: 30, asked: 0, is: 2 },
  'never less than 2 s, asked for 1': { spec: 30, asked: 1, is: 2 },
  'never less than 2 s, asked for a negative': { spec: 30, asked: -7, is: 2 },
  "never less than 2 s, with the pod's own at 0": { spec: 0, is: 2 },
  "a negative one of the pod's": { spec: -5, is: 2 },
};
for (const [title, { spec, asked, is }] of Object.entries(graces)) {
  test(`grace: ${title}`, (t) => {
    const node = up(oneApp(spec), { main: stubborn });
    t.deepEqual(onDelete(node, { graceSeconds: asked }), [
      `0 s: stop main within ${is} s`,
      `${is} s: main ends with 137`,
      `${is} s: stop sandbox sandbox-0`,
    ]);
    t.true(node.forgotten);
    t.deepEqual(node.left, []);
  });
}

test('a second request can only shorten the grace', (t) => {
  const node = up(oneApp(30), { main: stubborn });
  node.after(10_000, () => {
    node.request({ kind: 'delete', graceSeconds: 600, force: false, at: node.now });
  });
  node.after(15_000, () => {
    node.request({ kind: 'delete', graceSeconds: 3, force: false, at: node.now });
  });
  t.deepEqual(onDelete(node), [
    '0 s: stop main within 30 s',
    '15 s: stop main within 3 s',
    '18 s: main ends with 137',
    '18 s: stop sandbox sandbox-0',
  ]);
});

test('a second request that would leave more than is left changes nothing', (t) => {
  const node = up(oneApp(30), { main: stubborn });
  node.after(20_000, () => {
    node.request({ kind: 'delete', graceSeconds: 15, force: false, at: node.now });
  });
  t.deepEqual(onDelete(node), [
    '0 s: stop main within 30 s',
    '30 s: main ends with 137',
    '30 s: stop sandbox sandbox-0',
  ]);
});

test('force kills all at once, sidecars too, also while they are being stopped', (t) => {
  const pod = aPod([aSidecar('side')], [aContainer('main')]);
  const all = { side: stubborn, main: stubborn };
  const node = up(pod, all);
  t.deepEqual(onDelete(node, { force: true }), [
    '0 s: kill c0-side-0 c1-main-0',
    '0 s: side ends with 137',
    '0 s: main ends with 137',
    '0 s: stop sandbox sandbox-0',
  ]);
  const later = up(pod, all);
  later.after(10_000, () => {
    later.request({ kind: 'delete', force: true, at: later.now });
  });
  t.deepEqual(onDelete(later).slice(0, 3), [
    '0 s: stop main within 30 s',
    '10 s: kill c0-side-0 c1-main-0',
    '10 s: side ends with 137',
  ]);
});

const threeSidecars = aPod(
  [aSidecar('a'), aSidecar('b'), aSidecar('c')],
  [aContainer('x'), aContainer('y')],
);

test('sidecars wait for all app containers, and each for those after it in the list', (t) => {
  t.deepEqual(
    onDelete(up(threeSidecars)).filter((line) => line.includes('ends')),
    ['x', 'y', 'c', 'b', 'a'].map((name) => `0 s: ${name} ends with 143`),
  );
});

test('all share one window: when it is over, those that waited get 2 s together', (t) => {
  const node = up(threeSidecars, { x: stubborn, c: stubborn });
  t.deepEqual(onDelete(node), [
    '0 s: stop x within 30 s',
    '0 s: stop y within 30 s',
    '0 s: y ends with 143',
    '30 s: stop a within 2 s',
    '30 s: stop b within 2 s',
    '30 s: stop c within 2 s',
    '30 s: x ends with 137',
    '30 s: a ends with 143',
    '30 s: b ends with 143',
    '32 s: c ends with 137',
    '32 s: stop sandbox sandbox-0',
  ]);
});

test('a sidecar gets what the others left of the window', (t) => {
  const pod = aPod([aSidecar('side')], [aContainer('main')], { terminationGracePeriodSeconds: 10 });
  const node = new SimulatedNode(pod, {
    behave: (name) => (name === 'main' ? { runsMs: 6_000, code: 0, ignoresTerm: true } : stubborn),
  });
  node.run({ forMs: 2_000 });
  t.deepEqual(onDelete(node).slice(1), [
    '4 s: main ends with 0',
    '4 s: stop side within 6 s',
    '10 s: side ends with 137',
    '10 s: stop sandbox sandbox-0',
  ]);
});

test('an init container is stopped like an app container', (t) => {
  const pod = aPod([aSidecar('side'), aContainer('setup')], [aContainer('main')]);
  t.deepEqual(
    onDelete(up(pod)).filter((line) => line.includes('ends')),
    ['0 s: setup ends with 143', '0 s: side ends with 143'],
  );
});

test('rules and policies do not count any more', (t) => {
  const pod = aPod([aSidecar('side', restartAllOn(143))], [aContainer('main', restartAllOn(143))], {
    restartPolicy: 'Always',
  });
  const node = up(pod, { main: stubborn });
  onDelete(node, { graceSeconds: 5 });
  t.is(node.memory.generation, 0);
  t.deepEqual([...node.runtime.starts.values()], [1, 1]);
});

test('a restart under way is given up', (t) => {
  const node = new SimulatedNode(referencePod(), {
    behave: (name, run) =>
      name === 'watcher'
        ? { runsMs: 100, code: 88 }
        : name === 'setup' && run < 2
          ? quick
          : forever,
  });
  while (node.memory.generation < 2) node.run({ steps: 1 });
  const starts = node.story.length;
  node.request({ kind: 'delete', force: false, at: node.now });
  node.run();
  t.false(node.story.slice(starts).some((line) => line.includes('runs in')));
  t.true(node.forgotten);
  t.deepEqual(node.left, []);
});

test('a pod that is finished keeps its records until it is deleted, then goes at once', (t) => {
  const node = up(oneApp(30), { main: quick });
  t.is(node.status.phase, 'Succeeded');
  t.deepEqual(node.left, ['sandbox-0', 'main 0']);
  t.deepEqual(onDelete(node), []);
  t.true(node.forgotten);
  t.is(node.status.phase, 'Succeeded');
});

test('a failed pod stops in order, with its own grace', (t) => {
  const pod = aPod([aSidecar('side')], [aContainer('x'), aContainer('y')], {
    activeDeadlineSeconds: 60,
    terminationGracePeriodSeconds: 7,
  });
  const node = up(pod, { x: stubborn });
  node.run();
  t.deepEqual(
    node.story.filter((line) => line.startsWith('stop ')),
    [
      'stop x (c1-x-0) within 7 s',
      'stop y (c2-y-0) within 7 s',
      'stop side (c0-side-0) within 2 s',
      'stop sandbox sandbox-0',
    ],
  );
  t.is(node.status.phase, 'Failed');
  t.is(node.status.reason, 'DeadlineExceeded');
});

test('the grace goes on counting while the agent is down', (t) => {
  const node = up(oneApp(30), { main: stubborn }, {});
  node.after(10_000, () => {
    node.crashAgent(12_000);
  });
  t.deepEqual(onDelete(node), [
    '0 s: stop main within 30 s',
    '22 s: stop main within 8 s',
    '30 s: main ends with 137',
    '30 s: stop sandbox sandbox-0',
  ]);
});

test('a stop that fails is tried again', (t) => {
  let failures = 3;
  const node = up(
    oneApp(30),
    {},
    { fails: ({ kind }) => kind === 'stop-container' && failures-- > 0 },
  );
  t.deepEqual(
    onDelete(node).filter((line) => line.includes('stop main')),
    [
      '0 s: stop main within 30 s',
      '1 s: stop main within 29 s',
      '3 s: stop main within 27 s',
      '7 s: stop main within 23 s',
    ],
  );
  t.true(node.forgotten);
});

/** Of which containers it was told that they are stopped, by name. */
function toldStops({ events }: SimulatedNode): string[] {
  return events
    .flatMap((line) => /^Killing: Stopping container (.*)$/.exec(line)?.[1] ?? [])
    .toSorted();
}

test('one event per container says that it is stopped, sidecars that wait included', (t) => {
  const node = up(threeSidecars, { x: stubborn, c: stubborn });
  node.after(1_000, () => {
    t.deepEqual(toldStops(node), ['a', 'b', 'c', 'x', 'y']);
  });
  onDelete(node);
  t.deepEqual(toldStops(node), ['a', 'b', 'c', 'x', 'y']);
});

test('it is told once, however often the stop fails, and whatever happens to the agent', (t) => {
  let failures = 3;
  const node = up(
    oneApp(30),
    { main: stubborn },
    { fails: ({ kind }) => kind === 'stop-container' && failures-- > 0 },
  );
  node.after(5_000, () => {
    node.crashAgent(1_000);
  });
  onDelete(node);
  t.true(node.forgotten);
  t.deepEqual(toldStops(node), ['main']);
});

test('it is told of those that are killed without a grace', (t) => {
  const node = up(threeSidecars);
  onDelete(node, { force: true });
  t.deepEqual(toldStops(node), ['a', 'b', 'c', 'x', 'y']);
});

test('it is told of those whose sandbox is lost, and again of the next run', (t) => {
  const pod = aPod([aSidecar('side')], [aContainer('main')], { restartPolicy: 'Always' });
  const node = up(pod);
  node.killSandbox();
  node.run();
  t.deepEqual(toldStops(node), ['main', 'side']);
  onDelete(node);
  t.deepEqual(toldStops(node), ['main', 'main', 'side', 'side']);
});

test('it is not told of what is stopped already for another reason', (t) => {
  const exec = { command: ['check'] };
  const each = { timeoutSeconds: 1, periodSeconds: 1, successThreshold: 1, failureThreshold: 1 };
  const main = aContainer('main', { livenessProbe: { exec, ...each } });
  const pod = aPod([], [main], { restartPolicy: 'Always' });
  const node = new SimulatedNode(pod, { behave: () => stubborn, probe: () => 'failure' });
  node.run({ forMs: 5_000 });
  onDelete(node);
  t.true(node.events.includes('Killing: Container main failed liveness probe, will be restarted'));
  t.deepEqual(toldStops(node), []);
});

test('a pod that is deleted while its sandbox is being made waits for it, to remove it', (t) => {
  const node = new SimulatedNode(referencePod(), {
    behave: () => forever,
    latencyMs: ({ kind }) => (kind === 'run-sandbox' ? 4_000 : 1),
  });
  node.after(1_000, () => {
    node.request({ kind: 'delete', force: true, at: node.now });
  });
  node.run();
  t.true(node.forgotten);
  t.deepEqual(node.left, []);
});

/** The first action of a look at a pod that is deleted with 5 s left, and what is remembered then. */
function atDeletion(known: Partial<ContainerMemory>, instance: Partial<Instance>) {
  const begun = { attempt: 0, generation: 0, sandboxAttempt: 0, restartCount: 0 };
  const memory: Memory = {
    ...blankMemory,
    ...{ sandboxAttempt: 0, initialized: true },
    containers: { main: { ...begun, containerId: 'c1', startedAt: 1, ...known } },
    ending: { cause: 'deleted', at: 10, graceSeconds: 5, force: false, deletedAt: 10 },
  };
  const observed = {
    sandboxes: [{ id: 's', attempt: 0, ready: true, ips: [] }],
    instances: [anInstance(instance)],
    ...{ failures: {}, requests: [], busy: false },
  };
  return decide(oneApp(30), observed, memory, 10, defaultSettings);
}

test('a stop signal is sent once, whoever has sent it, and the grace may still get shorter', (t) => {
  const stop = { kind: 'stop-container', id: 'c1', name: 'main', graceSeconds: 5 } as const;
  t.deepEqual(atDeletion({}, {}).actions, [stop]);
  const again = [{ ...stop, isSignalled: true }];
  const { actions, memory } = atDeletion({}, { isSignalled: true, stopBy: 30_000 });
  t.deepEqual(actions, again);
  t.true(memory.containers.main?.isSignalled);
  // An agent that was started meanwhile knows it from the memory alone.
  t.deepEqual(atDeletion({ isSignalled: true }, {}).actions, again);
});

test('the next run of a container gets a signal of its own', (t) => {
  const instance = { id: 'c2', attempt: 1, isSignalled: undefined };
  const { actions } = atDeletion({ isSignalled: true }, instance);
  t.deepEqual(actions, [{ kind: 'stop-container', id: 'c2', name: 'main', graceSeconds: 5 }]);
});

test('a sandbox whose network could not be taken down is stopped again before the pod is over', (t) => {
  let tries = 0;
  const fails = ({ kind }: Action): boolean => kind === 'stop-sandbox' && ++tries < 3;
  const node = up(
    aPod([], [aContainer('main')], { restartPolicy: 'Never' }),
    { main: quick },
    { fails },
  );
  node.run();
  t.is(tries, 3);
  t.is(node.statuses.at(-1)?.phase, 'Succeeded');
  t.deepEqual(node.faults, []);
});

test('so is one that was lost under a pod that is not started again', (t) => {
  const node = up(aPod([], [aContainer('main')], { restartPolicy: 'Never' }));
  node.killSandbox();
  node.run();
  t.is(node.statuses.at(-1)?.phase, 'Failed');
  t.true(node.transcript.some((line) => line.includes('stop sandbox sandbox-0')));
  t.deepEqual(node.faults, []);
});
