// Conditions and phase, moment by moment (pod lives on the simulated node).
import test from 'ava';
import { aContainer, aPod, aSidecar, referencePod, restartAllOn } from '../testing/builders.ts';
import type { Behaviour, Plan } from '../testing/simulated-node.ts';
import { SimulatedNode } from '../testing/simulated-node.ts';
import type { Pod } from './pod.ts';
import { ownConditions } from './readiness-gates.ts';

const forever: Behaviour = {};
const quick: Behaviour = { runsMs: 10, code: 0 };

function nodeOf(pod: Pod, plan: Record<string, readonly Behaviour[]>, more: Partial<Plan> = {}) {
  return new SimulatedNode(pod, {
    behave: (name, run) => plan[name]?.[run] ?? plan[name]?.at(-1) ?? forever,
    ...more,
  });
}

/** Every value a condition went through: status, reason and message. */
function story(node: SimulatedNode, type: string): string[] {
  const all = node.statuses.map(({ conditions }) => {
    const one = conditions.find((condition) => condition.type === type);
    if (one === undefined) return '-';
    return [one.status, one.reason, one.message].filter((part) => part !== undefined).join(' | ');
  });
  return all.filter((value, index) => value !== all[index - 1]);
}

function phases(node: SimulatedNode): string[] {
  const all = node.statuses.map(({ phase }) => phase);
  return all.filter((value, index) => value !== all[index - 1]);
}

test('without init containers a pod is initialized from the start', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')]), {});
  node.run();
  t.deepEqual(story(node, 'Initialized'), ['True']);
});

test('Initialized names what is not done: init containers until they end, sidecars until they run', (t) => {
  const pod = aPod(
    [aContainer('first'), aSidecar('side'), aContainer('last')],
    [aContainer('main')],
  );
  const node = nodeOf(pod, {
    first: [{ runsMs: 1_000, code: 0 }],
    last: [{ runsMs: 1_000, code: 0 }],
  });
  node.run();
  t.deepEqual(story(node, 'Initialized'), [
    'False | ContainersNotInitialized | containers with incomplete status: [first side last]',
    'False | ContainersNotInitialized | containers with incomplete status: [side last]',
    'False | ContainersNotInitialized | containers with incomplete status: [last]',
    'True',
  ]);
});

test('Initialized stays True through an in-place restart', (t) => {
  const node = nodeOf(referencePod(), {
    setup: [quick],
    watcher: [{ runsMs: 500, code: 88 }, forever],
  });
  node.run();
  t.is(node.memory.generation, 1);
  t.deepEqual(story(node, 'Initialized').slice(-1), ['True']);
  t.is(story(node, 'Initialized').filter((value) => value === 'True').length, 1);
});

test('Ready and ContainersReady name what does not run, and are False throughout a restart', (t) => {
  const node = nodeOf(referencePod(), {
    setup: [quick],
    watcher: [{ runsMs: 500, code: 88 }, forever],
  });
  node.run();
  const all = 'False | ContainersNotReady | containers with unready status: [watcher main]';
  const main = 'False | ContainersNotReady | containers with unready status: [main]';
  t.deepEqual(story(node, 'Ready'), [all, main, 'True', all, main, 'True']);
  t.deepEqual(story(node, 'ContainersReady'), story(node, 'Ready'));
});

test('a pod that ends well says PodCompleted, one that fails says PodFailed', (t) => {
  for (const [code, phase, reason] of [
    [0, 'Succeeded', 'PodCompleted'],
    [3, 'Failed', 'PodFailed'],
  ] as const) {
    const node = nodeOf(referencePod(), { setup: [quick], main: [{ runsMs: 500, code }] });
    node.run();
    t.is(node.status.phase, phase);
    t.is(story(node, 'Ready').at(-1), `False | ${reason}`);
    t.is(story(node, 'ContainersReady').at(-1), `False | ${reason}`);
    t.is(story(node, 'AllContainersRestarting').at(-1), `False | ${reason}`);
    t.is(story(node, 'Initialized').at(-1), phase === 'Succeeded' ? 'True | PodCompleted' : 'True');
  }
});

test('AllContainersRestarting is there from the first status on, if there is such a rule', (t) => {
  const node = nodeOf(referencePod(), {
    setup: [quick],
    watcher: [{ runsMs: 500, code: 88 }, forever],
  });
  node.run();
  t.deepEqual(story(node, 'AllContainersRestarting'), [
    'False',
    'True | ContainerExited | container "watcher" exited with code 88 (restartPolicyRules[0])',
    'False',
  ]);
  const without = nodeOf(aPod([], [aContainer('main')]), {});
  without.run();
  t.deepEqual(story(without, 'AllContainersRestarting'), ['-']);
});

test('a condition moves its time only when its status changes', (t) => {
  const node = nodeOf(referencePod(), { setup: [{ runsMs: 5_000, code: 0 }] });
  node.run();
  const first = node.statuses[0]?.conditions.find(({ type }) => type === 'Ready');
  const later = node.statuses
    .flatMap(({ conditions }) => conditions)
    .filter(({ type, status }) => type === 'Ready' && status === 'False');
  t.true(new Set(later.map(({ message }) => message)).size > 1);
  t.deepEqual(
    [...new Set(later.map(({ lastTransitionTime }) => lastTransitionTime))],
    [first?.lastTransitionTime],
  );
});

test('PodReadyToStartContainers follows the sandbox', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')], { restartPolicy: 'Always' }), {});
  node.run();
  t.deepEqual(story(node, 'PodReadyToStartContainers'), ['False', 'True']);
  node.killSandbox();
  node.run();
  t.deepEqual(story(node, 'PodReadyToStartContainers'), ['False', 'True', 'False', 'True']);
  node.request({ kind: 'delete', force: false, at: node.now });
  node.run();
  t.is(story(node, 'PodReadyToStartContainers').at(-1), 'False');
});

const lives: Record<string, { pod: Pod; plan: Record<string, Behaviour[]>; phases: string[] }> = {
  'Pending until all app containers have run, then Running': {
    pod: aPod([aContainer('setup')], [aContainer('main')]),
    plan: { setup: [{ runsMs: 1_000, code: 0 }] },
    phases: ['Pending', 'Running'],
  },
  'Running while one of two app containers has ended': {
    pod: aPod([], [aContainer('a'), aContainer('b')]),
    plan: { a: [quick] },
    phases: ['Pending', 'Running'],
  },
  'Succeeded when all have ended with 0': {
    pod: aPod([], [aContainer('a'), aContainer('b')]),
    plan: { a: [quick], b: [{ runsMs: 1_000, code: 0 }] },
    phases: ['Pending', 'Running', 'Succeeded'],
  },
  'Failed when one of them has not, and nothing restarts it': {
    pod: aPod([], [aContainer('a'), aContainer('b')]),
    plan: { a: [{ runsMs: 10, code: 1 }], b: [{ runsMs: 1_000, code: 0 }] },
    phases: ['Pending', 'Running', 'Failed'],
  },
  'Running while a container waits for its next start': {
    pod: aPod([], [aContainer('a')], { restartPolicy: 'OnFailure' }),
    plan: { a: [{ runsMs: 10, code: 1 }, { runsMs: 10, code: 1 }, quick] },
    phases: ['Pending', 'Running', 'Succeeded'],
  },
  'exit codes of sidecars do not count': {
    pod: aPod([aSidecar('side')], [aContainer('a')]),
    plan: { side: [{ runsMs: 100, code: 9 }], a: [{ runsMs: 60_000, code: 0 }] },
    phases: ['Pending', 'Running', 'Succeeded'],
  },
  'Failed as soon as an init container has failed for good, without having run': {
    pod: aPod([aContainer('setup')], [aContainer('a')]),
    plan: { setup: [{ runsMs: 10, code: 1 }] },
    phases: ['Pending', 'Failed'],
  },
  'Pending while an init container is tried again': {
    pod: aPod([aContainer('setup')], [aContainer('a')], { restartPolicy: 'OnFailure' }),
    plan: { setup: [{ runsMs: 10, code: 1 }, { runsMs: 10, code: 1 }, quick] },
    phases: ['Pending', 'Running'],
  },
  'Pending during an in-place restart, until the init containers are done': {
    pod: referencePod(),
    plan: { setup: [quick], watcher: [{ runsMs: 500, code: 88 }, forever] },
    phases: ['Pending', 'Running', 'Pending', 'Running'],
  },
  'an in-place restart on the way up changes nothing': {
    pod: aPod([aContainer('setup', restartAllOn(42))], [aContainer('a')]),
    plan: { setup: [{ runsMs: 10, code: 42 }, quick] },
    phases: ['Pending', 'Running'],
  },
};
for (const [title, { pod, plan, phases: expected }] of Object.entries(lives)) {
  test(`phase: ${title}`, (t) => {
    const node = nodeOf(pod, plan);
    node.run();
    t.deepEqual(node.faults, []);
    t.deepEqual(phases(node), expected);
  });
}

test('the phase stays Running when the sandbox of a pod without init containers is replaced', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')], { restartPolicy: 'Always' }), {});
  node.run();
  node.killSandbox();
  node.run();
  t.deepEqual(node.living, ['main']);
  t.deepEqual(phases(node), ['Pending', 'Running']);
});

test('a terminal phase is not told before nothing lives any more', (t) => {
  const node = nodeOf(
    referencePod(),
    { setup: [quick], watcher: [{ ignoresTerm: true }], main: [quick] },
    {},
  );
  node.run({ forMs: 20_000 });
  t.is(node.status.phase, 'Running');
  t.deepEqual(node.living, ['watcher']);
  node.run();
  t.is(node.status.phase, 'Succeeded');
});

test('a deleted pod that always restarts has succeeded if its processes ended with 0', (t) => {
  for (const [code, phase] of [
    [0, 'Succeeded'],
    [1, 'Failed'],
  ] as const) {
    const node = nodeOf(aPod([], [aContainer('main')], { restartPolicy: 'Always' }), {
      main: [{ runsMs: 10, code }],
    });
    node.run({ forMs: 30_000 });
    node.request({ kind: 'delete', force: false, at: node.now });
    node.run();
    t.is(node.status.phase, phase);
  }
});

test('a pod that is deleted before anything ran has failed', (t) => {
  const node = nodeOf(referencePod(), { setup: [forever] });
  node.run({ forMs: 1_000 });
  node.request({ kind: 'delete', force: false, at: node.now });
  node.run();
  t.is(node.status.phase, 'Failed');
});

test('what others have set for a readiness gate outlasts restarts in place and crashes of the agent', (t) => {
  const plain = referencePod();
  const readinessGates = [{ conditionType: 'warm' }];
  const node = nodeOf(
    { ...plain, spec: { ...plain.spec, readinessGates } },
    {
      setup: [quick],
      watcher: [{ runsMs: 5_000, code: 88 }, forever],
    },
  );
  node.run({ forMs: 1_000 });
  const waits =
    'False | ReadinessGatesNotReady | corresponding condition of pod readiness gate "warm" does not exist.';
  t.is(story(node, 'ContainersReady').at(-1), 'True');
  t.is(story(node, 'Ready').at(-1), waits);
  node.request({ kind: 'gates', changes: { warm: { status: 'True' } }, at: node.now });
  node.crashAgent(100);
  node.run();
  t.is(node.memory.generation, 1);
  const own = Object.keys(node.memory.conditions);
  t.deepEqual(
    own.filter((type) => !ownConditions.has(type)),
    [],
  );
  t.deepEqual(story(node, 'warm'), ['-', 'True']);
  const unready = (names: string): string =>
    `False | ContainersNotReady | containers with unready status: [${names}]`;
  const ready = story(node, 'Ready');
  t.deepEqual(ready.slice(ready.indexOf(waits)), [
    waits,
    'True',
    unready('watcher main'),
    unready('main'),
    'True',
  ]);
});
