// Ephemeral containers in the life of a pod, told as stories on a simulated node.
import test from 'ava';
import {
  aContainer,
  aPod,
  aSidecar,
  anEphemeralContainer,
  referencePod,
  restartAllOn,
} from '../testing/builders.ts';
import type { Behaviour, Plan } from '../testing/simulated-node.ts';
import { SimulatedNode } from '../testing/simulated-node.ts';
import { adopt } from './adopt.ts';
import { EPHEMERAL_GENERATION } from './instances.ts';
import { blankMemory } from './memory.ts';
import type { Pod } from './pod.ts';

const forever: Behaviour = {};
const quick: Behaviour = { runsMs: 10, code: 0 };

/** The last behaviour of a list holds for all later runs. */
function play(
  pod: Pod,
  runs: Readonly<Record<string, readonly Behaviour[]>> = {},
  plan: Partial<Plan> = {},
): SimulatedNode {
  const behave: Plan['behave'] = (name, run) => runs[name]?.[run] ?? runs[name]?.at(-1) ?? forever;
  return new SimulatedNode(pod, { behave, settings: { standbys: false }, ...plan });
}

/** What is told of containers of that name. */
function told(node: SimulatedNode, name = 'debugger'): string[] {
  return node.story.filter((line) => line.split(/\W/).includes(name));
}

function statusOf(node: SimulatedNode, name = 'debugger') {
  return node.status.ephemeralContainerStatuses?.find((one) => one.name === name);
}

test('one is started as soon as it is added, and only once', (t) => {
  const node = play(aPod([], [aContainer('main')]), { debugger: [{ runsMs: 1_000, code: 3 }] });
  node.run();
  node.debug(anEphemeralContainer('debugger'));
  node.run();
  t.deepEqual(node.faults, []);
  t.deepEqual(told(node), [
    'debugger is asked for',
    'create debugger 0 beside all generations',
    'start debugger (c1-debugger-0)',
    'debugger runs beside all generations',
    'debugger ends with 3',
  ]);
  t.is(node.status.phase, 'Running');
  t.true(node.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'));
  t.like(statusOf(node), { restartCount: 0, ready: false, state: { terminated: { exitCode: 3 } } });
});

test('init containers do not keep one waiting, nor is it waited for', (t) => {
  const pod = aPod([aContainer('setup')], [aContainer('main')]);
  const node = play(pod, { setup: [{ runsMs: 60_000, code: 0 }] });
  node.run({ forMs: 1_000 });
  node.debug(anEphemeralContainer('debugger'));
  node.run({ forMs: 1_000 });
  t.deepEqual(node.living, ['setup', 'debugger']);
  t.is(node.status.phase, 'Pending');
  node.run();
  t.deepEqual(node.living, ['debugger', 'main']);
});

test('an in-place restart leaves it as it is, running or ended', (t) => {
  const node = play(referencePod(), {
    setup: [quick],
    watcher: [{ runsMs: 5_000, code: 88 }, forever],
    debugger: [forever],
    ended: [quick],
  });
  node.run({ forMs: 1_000 });
  node.debug(anEphemeralContainer('debugger'));
  node.debug(anEphemeralContainer('ended'));
  node.run({ forMs: 1_000 });
  const before = node.status.ephemeralContainerStatuses;
  t.is(node.run(), 'at rest');
  t.deepEqual(node.faults, []);
  t.is(node.memory.generation, 1);
  t.deepEqual(node.status.ephemeralContainerStatuses, before);
  t.is(told(node).at(-1), 'debugger runs beside all generations');
  t.is(told(node, 'ended').at(-1), 'ended ends with 0');
  t.true(node.left.includes('ended 0'));
  t.false(node.events.some((event) => /Killing.*(debugger|ended)/.test(event)));
});

test('one that is added while a restart waits is started at once', (t) => {
  const pod = aPod([aSidecar('watcher', restartAllOn(88))], [aContainer('main')]);
  const node = play(pod, { watcher: [{ runsMs: 1_000, code: 88 }] });
  // The second restart in a row is held back for a second.
  while (node.memory.restart?.startNotBefore === undefined) node.run({ steps: 1 });
  node.debug(anEphemeralContainer('debugger'));
  node.run({ forMs: 100 });
  t.deepEqual(node.living, ['debugger']);
});

test('one with a target waits until that runs, and says so', (t) => {
  const pod = aPod([aContainer('setup')], [aContainer('main')]);
  const node = play(pod, { setup: [{ runsMs: 60_000, code: 0 }] });
  node.run({ forMs: 1_000 });
  node.debug(anEphemeralContainer('debugger', { targetContainerName: 'main' }));
  node.run({ forMs: 1_000 });
  t.deepEqual(told(node), ['debugger is asked for']);
  t.deepEqual(statusOf(node)?.state, {
    waiting: {
      reason: 'CreateContainerConfigError',
      message: 'unable to find target container main',
    },
  });
  node.run();
  t.deepEqual(node.living, ['main', 'debugger']);
});

test('one whose target has ended waits, too', (t) => {
  const pod = aPod([], [aContainer('main'), aContainer('other')]);
  const node = play(pod, { main: [quick] });
  node.run();
  node.debug(anEphemeralContainer('debugger', { targetContainerName: 'main' }));
  node.run();
  t.like(statusOf(node)?.state.waiting, {
    reason: 'CreateContainerError',
    message: 'target container main is not running',
  });
});

test('where containers see one another there is no target to wait for', (t) => {
  const pod = aPod([], [aContainer('main'), aContainer('other')], { shareProcessNamespace: true });
  const node = play(pod, { main: [quick] });
  node.run();
  node.debug(anEphemeralContainer('debugger', { targetContainerName: 'main' }));
  node.run();
  t.deepEqual(node.living, ['other', 'debugger']);
});

test('one dies with its target, as it is a guest in its namespace, and is not started again', (t) => {
  const node = play(referencePod(), {
    setup: [quick],
    watcher: [{ runsMs: 5_000, code: 88 }, forever],
  });
  node.run({ forMs: 1_000 });
  node.debug(anEphemeralContainer('debugger', { targetContainerName: 'main' }));
  t.is(node.run(), 'at rest');
  t.deepEqual(node.faults, []);
  t.deepEqual(node.living, ['watcher', 'main']);
  t.like(statusOf(node)?.state.terminated, { exitCode: 137, reason: 'Error' });
});

test('what was made for a target that has ended meanwhile is made anew for the next one', (t) => {
  const node = play(
    referencePod(),
    { setup: [quick], watcher: [{ runsMs: 5_000, code: 88 }, forever] },
    // It is created while the target lives, and known of when that is gone.
    { latencyMs: ({ kind }) => (kind === 'create-container' ? 400 : 1) },
  );
  while (!node.living.includes('main')) node.run({ steps: 1 });
  node.run({ forMs: 4_350 });
  node.debug(anEphemeralContainer('debugger', { targetContainerName: 'main' }));
  t.is(node.run(), 'at rest');
  t.deepEqual(node.faults, []);
  t.true(node.living.includes('debugger'));
  t.deepEqual(
    told(node).filter((line) => /^(create|start|remove) /.test(line)),
    [
      'create debugger 0 beside all generations',
      'create debugger 1 beside all generations',
      'remove debugger (c3-debugger-0)',
      'start debugger (c7-debugger-1)',
    ],
  );
});

test('what cannot be pulled is tried again, as for any container', (t) => {
  let failures = 2;
  const node = play(
    aPod([], [aContainer('main')]),
    {},
    {
      fails: (action) => {
        const isIt = action.kind === 'create-container' && action.name === 'debugger';
        return isIt && failures-- > 0 && { reason: 'ErrImagePull', message: 'no such image' };
      },
    },
  );
  node.run();
  node.debug(anEphemeralContainer('debugger'));
  node.run({ forMs: 500 });
  t.like(statusOf(node)?.state.waiting, { reason: 'ErrImagePull', message: 'no such image' });
  node.run({ forMs: 5_000 });
  t.like(statusOf(node)?.state.waiting, { reason: 'ImagePullBackOff' });
  t.is(node.status.phase, 'Running');
  node.run();
  t.deepEqual(node.living, ['main', 'debugger']);
});

test('the end of the app containers is its end', (t) => {
  const node = play(aPod([], [aContainer('main')]), { main: [{ runsMs: 5_000, code: 0 }] });
  node.run({ forMs: 1_000 });
  node.debug(anEphemeralContainer('debugger'));
  t.is(node.run(), 'at rest');
  t.is(node.status.phase, 'Succeeded');
  t.deepEqual(node.living, []);
  t.like(statusOf(node)?.state.terminated, { exitCode: 143 });
});

test('a deleted pod stops it at once, and no sidecar waits for it', (t) => {
  const pod = aPod([aSidecar('watcher')], [aContainer('main')]);
  const node = play(pod, { debugger: [{ ignoresTerm: true }] });
  node.run();
  node.debug(anEphemeralContainer('debugger'));
  node.run();
  node.request({ kind: 'delete', force: false, at: node.now });
  t.is(node.run(), 'at rest');
  t.true(node.forgotten);
  t.deepEqual(
    node.story.filter((line) => line.includes('ends with')),
    [
      'main of generation 0 ends with 143',
      'watcher of generation 0 ends with 143',
      'debugger ends with 137',
    ],
  );
});

test('it ends with its sandbox, and is not started in the next one', (t) => {
  const node = play(aPod([], [aContainer('main', { restartPolicy: 'Always' })]));
  node.run();
  node.debug(anEphemeralContainer('debugger'));
  node.run();
  node.killSandbox();
  t.is(node.run(), 'at rest');
  t.deepEqual(node.faults, []);
  t.deepEqual(node.living, ['main']);
  t.like(statusOf(node)?.state.terminated, { exitCode: 143 });
});

for (const steps of Array.from({ length: 12 }, (_, index) => index)) {
  test(`a crash of the agent ${steps} steps after it was added changes nothing`, (t) => {
    const node = play(aPod([], [aContainer('main')]));
    node.run();
    node.debug(anEphemeralContainer('debugger'));
    node.run({ steps });
    node.crashAgent();
    node.run();
    t.deepEqual(node.faults, []);
    t.deepEqual(node.living, ['main', 'debugger']);
    t.is(node.runtime.starts.get('debugger'), 1);
  });
}

test('one that the memory has lost is known again by what the runtime has', (t) => {
  const pod = aPod([], [aContainer('main')], {
    ephemeralContainers: [anEphemeralContainer('debugger')],
  });
  const common = { attempt: 0, sandboxAttempt: 0, specHash: '', gone: false, startedAt: 1 };
  const adopted = adopt(
    pod,
    {
      sandboxes: [{ id: 'sandbox', attempt: 0, ready: true, ips: [] }],
      instances: [
        { ...common, id: 'm', name: 'main', generation: 2, state: 'running' },
        {
          ...common,
          id: 'd',
          name: 'debugger',
          generation: EPHEMERAL_GENERATION,
          state: 'running',
        },
      ],
      failures: {},
      requests: [],
      busy: false,
    },
    blankMemory,
  );
  t.is(adopted.generation, 2);
  t.like(adopted.containers.debugger, { containerId: 'd', generation: EPHEMERAL_GENERATION });
});
