// What a user reads of each container, moment by moment.
import test from 'ava';
import { aContainer, aPod, aSidecar, referencePod, restartAllOn } from '../testing/builders.ts';
import type { Behaviour, Plan } from '../testing/simulated-node.ts';
import { SimulatedNode, containerStatuses } from '../testing/simulated-node.ts';
import type { Pod } from './pod.ts';
import type { V1ContainerState } from './pod-status.ts';

const forever: Behaviour = {};
const quick: Behaviour = { runsMs: 10, code: 0 };

function nodeOf(pod: Pod, plan: Record<string, readonly Behaviour[]>, more: Partial<Plan> = {}) {
  return new SimulatedNode(pod, {
    behave: (name, run) => plan[name]?.[run] ?? plan[name]?.at(-1) ?? forever,
    ...more,
  });
}

function inWords({ waiting, running, terminated }: V1ContainerState): string {
  if (waiting !== undefined) return `waiting ${waiting.reason ?? ''}`;
  if (running !== undefined) return 'running';
  if (terminated === undefined) return '-';
  return `${terminated.exitCode} ${terminated.reason ?? ''}`;
}

/** All a container went through: state, what it was before, how often restarted. */
function story(node: SimulatedNode, name: string): string[] {
  const all = node.statuses.map((status) => {
    const one = containerStatuses(status).find((each) => each.name === name);
    if (one === undefined) return 'no status';
    return `${inWords(one.state)}, before: ${inWords(one.lastState)}, ${one.restartCount}`;
  });
  return all.filter((value, index) => value !== all[index - 1]);
}

function statusOf(node: SimulatedNode, name: string) {
  const one = containerStatuses(node.status).find((each) => each.name === name);
  if (one === undefined) throw new Error(`${name} has no status`);
  return one;
}

// pod-level Never; the trigger, one that runs, one that has completed, one that has failed.
const mixed = aPod(
  [aContainer('setup'), aSidecar('watcher', restartAllOn(88))],
  [aContainer('completed'), aContainer('failed'), aContainer('main')],
);
const throughRestart: Record<string, string[]> = {
  setup: [
    'waiting PodInitializing, before: -, 0',
    'running, before: -, 0',
    '0 Completed, before: -, 0',
    'waiting PodInitializing, before: 0 Completed, 1',
    'running, before: 0 Completed, 1',
    '0 Completed, before: 0 Completed, 1',
  ],
  watcher: [
    'waiting PodInitializing, before: -, 0',
    'running, before: -, 0',
    '88 Error, before: -, 0',
    'waiting PodInitializing, before: 88 Error, 1',
    'running, before: 88 Error, 1',
  ],
  completed: [
    'waiting PodInitializing, before: -, 0',
    'running, before: -, 0',
    '0 Completed, before: -, 0',
    'waiting PodInitializing, before: 0 Completed, 1',
    'running, before: 0 Completed, 1',
  ],
  failed: [
    'waiting PodInitializing, before: -, 0',
    'running, before: -, 0',
    '7 Error, before: -, 0',
    'waiting PodInitializing, before: 7 Error, 1',
    'running, before: 7 Error, 1',
  ],
  main: [
    'waiting PodInitializing, before: -, 0',
    'running, before: -, 0',
    'waiting RestartingAllContainers, before: 137 RestartingAllContainers, 0',
    'waiting PodInitializing, before: 137 RestartingAllContainers, 1',
    'running, before: 137 RestartingAllContainers, 1',
  ],
};
for (const [name, expected] of Object.entries(throughRestart)) {
  test(`through an in-place restart: ${name}`, (t) => {
    const node = nodeOf(mixed, {
      setup: [quick],
      watcher: [{ runsMs: 500, code: 88 }, forever],
      completed: [{ runsMs: 100, code: 0 }, forever],
      failed: [{ runsMs: 100, code: 7 }, forever],
    });
    node.run();
    t.deepEqual(node.faults, []);
    t.deepEqual(story(node, name), expected);
  });
}

test('one that was killed tells when it ran, and in which container', (t) => {
  const node = nodeOf(referencePod(), {
    setup: [quick],
    watcher: [{ runsMs: 5_000, code: 88 }, forever],
  });
  node.run();
  t.deepEqual(statusOf(node, 'main').lastState.terminated, {
    exitCode: 137,
    reason: 'RestartingAllContainers',
    message: 'The container was killed because all containers of the pod are restarted in place',
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:05Z',
    containerID: 'containerd://c2-main-0',
  });
  t.is(statusOf(node, 'main').containerID, 'containerd://c5-main-1');
});

test('one that ends by itself after the trigger keeps its own story', (t) => {
  const node = nodeOf(
    referencePod(),
    {
      setup: [quick],
      watcher: [{ runsMs: 500, code: 88 }, forever],
      main: [{ runsMs: 520, code: 5 }, forever],
    },
    { latencyMs: ({ kind }) => (kind === 'kill-containers' ? 100 : 1) },
  );
  node.run();
  t.true(node.story.includes('kill c2-main-0'));
  t.is(inWords(statusOf(node, 'main').lastState), '5 Error');
});

test('without init containers a container waits with ContainerCreating', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')]), {});
  t.deepEqual((node.run(), story(node, 'main')), [
    'waiting ContainerCreating, before: -, 0',
    'running, before: -, 0',
  ]);
});

test('while the back-off of in-place restarts is waited for, everything is in CrashLoopBackOff', (t) => {
  const node = nodeOf(referencePod(), { setup: [quick], watcher: [{ runsMs: 100, code: 88 }] });
  while (node.memory.generation < 2 || node.memory.restart?.deadAt === undefined) {
    node.run({ steps: 1 });
  }
  for (const name of ['setup', 'watcher', 'main']) {
    t.deepEqual(statusOf(node, name).state.waiting, {
      reason: 'CrashLoopBackOff',
      message: 'container "watcher" exited with code 88 (restartPolicyRules[0]); back-off 1s',
    });
    t.is(statusOf(node, name).restartCount, 2);
  }
  t.is(node.status.phase, 'Pending');
});

test('a container that waited before an in-place restart goes on waiting, and was not restarted', (t) => {
  const pod = aPod(
    [aSidecar('watcher', restartAllOn(88))],
    [aContainer('stuck'), aContainer('main')],
  );
  const node = nodeOf(
    pod,
    { watcher: [{ runsMs: 500, code: 88 }, forever] },
    { fails: (action) => action.kind === 'create-container' && action.name === 'stuck' },
  );
  node.run({ forMs: 60_000 });
  t.is(node.memory.generation, 1);
  t.deepEqual(story(node, 'stuck'), [
    'waiting PodInitializing, before: -, 0',
    'waiting Failed, before: -, 0',
  ]);
});

test('a container that cannot be made for an in-place restart says why', (t) => {
  const pod = aPod([aSidecar('watcher', restartAllOn(88))], [aContainer('main')]);
  const node = nodeOf(
    pod,
    { watcher: [{ runsMs: 500, code: 88 }, forever], main: [forever] },
    {
      settings: { standbys: false },
      fails: (action) =>
        action.kind === 'create-container' && action.name === 'main' && action.generation === 1,
    },
  );
  node.run({ forMs: 60_000 });
  t.is(node.memory.generation, 1);
  t.is(story(node, 'main').at(-1), 'waiting Failed, before: 137 RestartingAllContainers, 1');
});

test('an ordinary restart: running, ended, CrashLoopBackOff, running', (t) => {
  const pod = aPod([], [aContainer('main')], { restartPolicy: 'Always' });
  const node = nodeOf(pod, { main: [{ runsMs: 100, code: 1 }, { runsMs: 100, code: 2 }, forever] });
  node.run();
  t.deepEqual(story(node, 'main'), [
    'waiting ContainerCreating, before: -, 0',
    'running, before: -, 0',
    '1 Error, before: -, 0',
    'waiting ContainerCreating, before: 1 Error, 1',
    'running, before: 1 Error, 1',
    'waiting CrashLoopBackOff, before: 2 Error, 1',
    'waiting ContainerCreating, before: 2 Error, 2',
    'running, before: 2 Error, 2',
  ]);
  t.deepEqual(
    node.statuses.flatMap(
      ({ containerStatuses: all }) => all?.[0]?.state.waiting?.message ?? [],
    )[0],
    'back-off 10s restarting failed container=main pod=pod_default(00000000-0000-4000-8000-000000000001)',
  );
  t.true(
    node.events.includes(
      'BackOff: Back-off restarting failed container main in pod pod_default(00000000-0000-4000-8000-000000000001)',
    ),
  );
});

test('an image that cannot be pulled: ErrImagePull and ImagePullBackOff in turn', (t) => {
  const pod = aPod([], [aContainer('main', { image: 'absent:1' })]);
  let pulls = 0;
  const node = nodeOf(
    pod,
    {},
    {
      fails: ({ kind }) =>
        kind === 'create-container' &&
        ++pulls <= 2 && { reason: 'ErrImagePull', message: 'not found' },
    },
  );
  node.run();
  t.deepEqual(story(node, 'main'), [
    'waiting ContainerCreating, before: -, 0',
    'waiting ErrImagePull, before: -, 0',
    'waiting ImagePullBackOff, before: -, 0',
    'waiting ErrImagePull, before: -, 0',
    'waiting ImagePullBackOff, before: -, 0',
    'waiting ContainerCreating, before: -, 0',
    'running, before: -, 0',
  ]);
  const messages = node.statuses.flatMap(
    ({ containerStatuses: all }) => all?.[0]?.state.waiting ?? [],
  );
  t.deepEqual(
    messages.find(({ reason }) => reason === 'ImagePullBackOff')?.message,
    'Back-off pulling image "absent:1": ErrImagePull: not found',
  );
  t.deepEqual(messages.find(({ reason }) => reason === 'ErrImagePull')?.message, 'not found');
  t.deepEqual([...new Set(node.statuses.map(({ phase }) => phase))], ['Pending', 'Running']);
});

test('a container that vanished waits for its next start', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')], { restartPolicy: 'Always' }), {});
  node.run();
  node.crashAgent(1_000);
  node.runtime.removeContainers('main');
  node.run();
  t.deepEqual(story(node, 'main').slice(2), [
    'waiting ContainerCreating, before: 137 ContainerStatusUnknown, 0',
    'waiting ContainerCreating, before: 137 ContainerStatusUnknown, 1',
    'running, before: 137 ContainerStatusUnknown, 1',
  ]);
});

test('a start that fails is told as such, with its code, then as any crash', (t) => {
  const pod = aPod([], [aContainer('main')], { restartPolicy: 'OnFailure' });
  const node = nodeOf(pod, { main: [{ cannotStart: true }, { cannotStart: true }, forever] });
  node.run();
  t.deepEqual(story(node, 'main'), [
    'waiting ContainerCreating, before: -, 0',
    'waiting RunContainerError, before: 128 StartError, 0',
    'waiting ContainerCreating, before: 128 StartError, 1',
    'waiting RunContainerError, before: 128 StartError, 1',
    'waiting CrashLoopBackOff, before: 128 StartError, 1',
    'waiting ContainerCreating, before: 128 StartError, 2',
    'running, before: 128 StartError, 2',
  ]);
});

test('what is said of a start that fails is what the runtime said', (t) => {
  const pod = aPod([aContainer('setup')], [aContainer('main')], { restartPolicy: 'Always' });
  const node = nodeOf(pod, { setup: [{ cannotStart: true }, quick] });
  node.run();
  const [first] = node.statuses.flatMap(({ initContainerStatuses: all }) => {
    const { state, lastState } = all?.[0] ?? {};
    return state?.waiting?.reason === 'RunContainerError' ? [{ state, lastState }] : [];
  });
  const message = 'it cannot be started';
  t.like(first, {
    state: { waiting: { message } },
    lastState: { terminated: { exitCode: 128, message } },
  });
});

test('a start that fails is an end where none follows', (t) => {
  const node = nodeOf(aPod([], [aContainer('main')]), { main: [{ cannotStart: true }] });
  node.run();
  t.deepEqual(story(node, 'main'), [
    'waiting ContainerCreating, before: -, 0',
    '128 StartError, before: -, 0',
  ]);
});

test('a start that the runtime was not even asked for is told while it waits', (t) => {
  let starts = 0;
  const message = 'device example.com/gpu=0 is gone';
  const node = nodeOf(
    aPod([], [aContainer('main')]),
    {},
    {
      fails: ({ kind }) =>
        kind === 'start-container' && ++starts <= 2 && { reason: 'PreStartHookError', message },
    },
  );
  node.run();
  t.deepEqual(story(node, 'main'), [
    'waiting ContainerCreating, before: -, 0',
    'waiting PreStartHookError, before: -, 0',
    'running, before: -, 0',
  ]);
});

test('started and ready: init containers while running and when done, others while running', (t) => {
  const pod = aPod([aContainer('setup'), aSidecar('side')], [aContainer('main')]);
  const node = nodeOf(pod, { setup: [{ runsMs: 5_000, code: 0 }] });
  const flags = () =>
    containerStatuses(node.status).map(
      ({ name, started, ready }) => `${name}${started ? ' started' : ''}${ready ? ' ready' : ''}`,
    );
  node.run({ forMs: 2_000 });
  t.deepEqual(flags(), ['setup started', 'side', 'main']);
  node.run();
  t.deepEqual(flags(), ['setup ready', 'side started ready', 'main started ready']);
});

const ends: Record<
  string,
  { pod: Pod; plan: Record<string, Behaviour[]>; is: Record<string, string> }
> = {
  'a sidecar that was stopped at the end shows how it ended': {
    pod: aPod([aSidecar('side')], [aContainer('main')]),
    plan: { main: [{ runsMs: 100, code: 0 }] },
    is: { side: '143 Error', main: '0 Completed' },
  },
  'after a failed init container, what was never reached goes on waiting': {
    pod: aPod([aContainer('setup'), aSidecar('side')], [aContainer('main')]),
    plan: { setup: [{ runsMs: 100, code: 3 }] },
    is: { setup: '3 Error', side: 'waiting PodInitializing', main: 'waiting PodInitializing' },
  },
  'after an in-place restart whose init container fails, what had run is lost': {
    pod: referencePod(),
    plan: { setup: [quick, { runsMs: 100, code: 3 }], watcher: [{ runsMs: 500, code: 88 }] },
    is: {
      setup: '3 Error',
      watcher: '137 ContainerStatusUnknown',
      main: '137 ContainerStatusUnknown',
    },
  },
};
for (const [title, { pod, plan, is }] of Object.entries(ends)) {
  test(`at the end: ${title}`, (t) => {
    const node = nodeOf(pod, plan);
    t.is(node.run(), 'at rest');
    const states = containerStatuses(node.status).map(({ name, state }) => [name, inWords(state)]);
    t.deepEqual(Object.fromEntries(states), is);
  });
}

test('a container that waits for its restart has ended when the pod is deleted', (t) => {
  const pod = aPod([], [aContainer('main')], { restartPolicy: 'Always' });
  const node = nodeOf(pod, { main: [{ runsMs: 100, code: 1 }] });
  node.run({ forMs: 25_000 });
  t.is(inWords(statusOf(node, 'main').state), 'waiting CrashLoopBackOff');
  node.request({ kind: 'delete', force: false, at: node.now });
  t.is(inWords(statusOf(node, 'main').state), '1 Error');
});

test('addresses stay in the final status', (t) => {
  const node = nodeOf(referencePod(), { setup: [quick], main: [quick] });
  node.run();
  t.is(node.status.phase, 'Succeeded');
  t.is(node.status.podIP, '10.0.0.2');
  t.deepEqual(node.status.podIPs, [{ ip: '10.0.0.2' }]);
});

test('app containers are told by name, init containers in the order of the list', (t) => {
  const pod = aPod([aContainer('z'), aSidecar('a')], [aContainer('y'), aContainer('b')]);
  const node = nodeOf(pod, {});
  node.run();
  t.deepEqual(
    containerStatuses(node.status).map(({ name }) => name),
    ['z', 'a', 'b', 'y'],
  );
});
