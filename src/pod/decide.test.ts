// Whole lives of pods, told as stories on a simulated node.
import test from 'ava';
import {
  aContainer,
  aPod,
  aSidecar,
  referencePod,
  restartAllOn,
  restartOn,
} from '../testing/builders.ts';
import type { Behaviour, Plan } from '../testing/simulated-node.ts';
import { SimulatedNode, containerStatuses } from '../testing/simulated-node.ts';
import type { Action } from './action.ts';
import { decide } from './decide.ts';
import type { Memory } from './memory.ts';
import { blankMemory } from './memory.ts';
import type { Observed, Request } from './observed.ts';
import type { Pod, RestartRule } from './pod.ts';
import { defaultSettings } from './settings.ts';

const forever: Behaviour = {};

/** Behaviours by container and run; the last one of a list holds for all later runs. */
function behave(plan: Record<string, readonly Behaviour[]>): Pick<Plan, 'behave'> {
  return { behave: (name, run) => plan[name]?.[Math.min(run, plan[name].length - 1)] ?? forever };
}

/** The processes of a story, without the actions that led to them. */
function processes(node: SimulatedNode): string[] {
  return node.story.filter((line) => / (runs in|ends with|of generation \d+ ends)/.test(line));
}

const quick: Behaviour = { runsMs: 10, code: 0 };

test('an in-place restart runs everything again, in order, in the same sandbox', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({
      setup: [quick],
      watcher: [{ runsMs: 5_000, code: 88 }, forever],
      main: [forever, { runsMs: 1_000, code: 0 }],
    }),
    settings: { standbys: false },
  });
  t.is(node.run(), 'at rest');
  t.deepEqual(node.faults, []);
  t.deepEqual(processes(node), [
    'setup runs in generation 0',
    'setup of generation 0 ends with 0',
    'watcher runs in generation 0',
    'main runs in generation 0',
    'watcher of generation 0 ends with 88',
    'main of generation 0 ends with 137',
    'setup runs in generation 1',
    'setup of generation 1 ends with 0',
    'watcher runs in generation 1',
    'main runs in generation 1',
    'main of generation 1 ends with 0',
    'watcher of generation 1 ends with 143',
  ]);
  t.is(node.status.phase, 'Succeeded');
  t.deepEqual(node.sandboxIds, ['sandbox-0']);
  t.deepEqual(
    [...(node.status.initContainerStatuses ?? []), ...(node.status.containerStatuses ?? [])].map(
      ({ name, restartCount, lastState }) => [
        name,
        restartCount,
        lastState.terminated?.exitCode,
        lastState.terminated?.reason,
      ],
    ),
    [
      ['setup', 1, 0, 'Completed'],
      ['watcher', 1, 88, 'Error'],
      ['main', 1, 137, 'RestartingAllContainers'],
    ],
  );
});

test('the phase is Pending from the first kill until the init containers are done', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 5_000, code: 88 }, forever] }),
  });
  node.run();
  const phases = node.statuses.map(
    ({ phase, conditions }) =>
      `${phase} ${conditions.find(({ type }) => type === 'AllContainersRestarting')?.status ?? ''}`,
  );
  t.deepEqual(
    phases.filter((phase, index) => phase !== phases[index - 1]),
    ['Pending False', 'Running False', 'Pending True', 'Pending False', 'Running False'],
  );
  const restarting = node.statuses
    .flatMap(({ conditions }) => conditions)
    .find(({ type, status }) => type === 'AllContainersRestarting' && status === 'True');
  t.is(restarting?.reason, 'ContainerExited');
  t.is(restarting?.message, 'container "watcher" exited with code 88 (restartPolicyRules[0])');
  t.is(node.statuses.filter(({ startTime }) => startTime !== node.status.startTime).length, 0);
});

test('standbys of the next generation are created ahead and used', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 5_000, code: 88 }, forever] }),
  });
  node.run();
  t.deepEqual(node.faults, []);
  const exit = node.story.indexOf('watcher of generation 0 ends with 88');
  const created = ['setup', 'watcher', 'main'].map((name) =>
    node.story.indexOf(`create ${name} 1 of generation 1`),
  );
  t.true(created.every((position) => position > -1 && position < exit));
  t.is(node.status.phase, 'Running');
});

test('a container with variables out of a file is made when it starts, after those that write it', (t) => {
  const fileKeyRef = { volumeName: 'v', path: 'env', key: 'A' };
  const env = [{ name: 'A', valueFrom: { fileKeyRef } }];
  const pod = aPod(
    [aContainer('setup'), aSidecar('watcher', restartAllOn(88))],
    [aContainer('main', { env })],
  );
  const node = new SimulatedNode(pod, {
    ...behave({ setup: [quick], watcher: [{ runsMs: 5_000, code: 88 }, forever] }),
  });
  node.run();
  t.deepEqual(node.faults, []);
  const at = (words: string) => node.story.findIndex((line) => line.startsWith(words));
  t.true(at('create setup 1 of generation 1') < at('watcher of generation 0 ends'));
  t.true(at('create main 1 of generation 1') > at('setup of generation 1 ends'));
  t.is(node.status.phase, 'Running');
});

test('without a rule that matches, a failing app container fails a pod that never restarts', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], main: [{ runsMs: 50, code: 3 }] }),
  });
  t.is(node.run(), 'at rest');
  t.is(node.status.phase, 'Failed');
  t.is(node.memory.generation, 0);
  t.deepEqual(node.living, []);
});

test('two triggers at once make one restart', (t) => {
  const pod = aPod(
    [aSidecar('a', restartAllOn(88)), aSidecar('b', restartAllOn(88))],
    [aContainer('main')],
  );
  const node = new SimulatedNode(pod, {
    ...behave({
      a: [{ runsMs: 1_000, code: 88 }, forever],
      b: [{ runsMs: 999, code: 88 }, forever],
    }),
  });
  node.run();
  t.deepEqual(node.faults, []);
  t.is(node.memory.generation, 1);
});

for (const kind of ['init', 'sidecar', 'app'] as const) {
  test(`the trigger may be an exit of an ${kind} container`, (t) => {
    const rule = { restartPolicy: 'Never' as const, ...restartAllOn(42) };
    const pod = aPod(
      [
        aContainer('setup', kind === 'init' ? rule : {}),
        aSidecar('side', kind === 'sidecar' ? restartAllOn(42) : {}),
      ],
      [aContainer('main', kind === 'app' ? rule : {})],
    );
    const trigger = { init: 'setup', sidecar: 'side', app: 'main' }[kind];
    const node = new SimulatedNode(pod, {
      behave: (name, run) =>
        name === trigger && run === 0
          ? { runsMs: 100, code: 42 }
          : name === 'setup'
            ? quick
            : forever,
    });
    node.run();
    t.deepEqual(node.faults, []);
    t.is(node.memory.generation, 1);
    t.is(node.status.phase, 'Running');
  });
}

test('in-place restarts that follow each other closely are spaced 0, 1, 2, 4 ... seconds', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 100, code: 88 }] }),
  });
  node.run({ forMs: 60_000 });
  const starts = node.memory.restarts.map(({ trigger, startingAt = NaN }) =>
    trigger.kind === 'exit' ? Math.round((startingAt - trigger.exitedAt) / 1000) : -1,
  );
  t.deepEqual(starts.slice(0, 5), [0, 1, 2, 4, 8]);
});

test('a setting of 0 turns the back-off of in-place restarts off', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 100, code: 88 }] }),
    settings: { inPlaceBackoffMaxMs: 0 },
  });
  node.run({ forMs: 10_000 });
  t.true(node.memory.generation > 20);
  t.deepEqual(node.faults, []);
});

test('a container that keeps failing waits 0, 10, 20, 40 ... seconds', (t) => {
  const pod = aPod([], [aContainer('main')], { restartPolicy: 'Always' });
  const node = new SimulatedNode(pod, behave({ main: [{ runsMs: 100, code: 1 }] }));
  node.run({ forMs: 400_000 });
  const times = [0, 10, 30, 70, 150, 310].map((seconds) => seconds);
  t.is(node.status.containerStatuses?.[0]?.restartCount, times.length);
  t.is(node.status.containerStatuses?.[0]?.state.waiting?.reason, 'CrashLoopBackOff');
  t.regex(
    node.status.containerStatuses?.[0]?.state.waiting?.message ?? '',
    /^back-off 5m0s restarting failed container=main pod=pod_default\(/,
  );
  t.is(node.status.phase, 'Running');
});

test('a Restart rule restarts its container alone', (t) => {
  const pod = aPod(
    [],
    [aContainer('main', { restartPolicy: 'Never', ...restartOn(5) }), aContainer('other')],
  );
  const node = new SimulatedNode(pod, behave({ main: [{ runsMs: 100, code: 5 }, forever] }));
  node.run();
  t.deepEqual(node.living, ['other', 'main']);
  t.is(node.memory.generation, 0);
  t.is(node.status.containerStatuses?.find(({ name }) => name === 'main')?.restartCount, 1);
});

test('a failing init container fails a pod that never restarts, also after an in-place restart', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({
      setup: [quick, { runsMs: 10, code: 7 }],
      watcher: [{ runsMs: 1_000, code: 88 }, forever],
    }),
  });
  t.is(node.run(), 'at rest');
  t.is(node.status.phase, 'Failed');
  t.is(node.memory.generation, 1);
  t.deepEqual(node.living, []);
});

test('completed and failed app containers are started again', (t) => {
  const pod = aPod(
    [aSidecar('watcher', restartAllOn(88))],
    [aContainer('completes'), aContainer('fails'), aContainer('runs')],
  );
  const node = new SimulatedNode(pod, {
    behave: (name, run) =>
      run > 0
        ? forever
        : ({
            watcher: { runsMs: 5_000, code: 88 },
            completes: { runsMs: 100, code: 0 },
            fails: { runsMs: 100, code: 9 },
          }[name] ?? forever),
  });
  node.run();
  t.deepEqual(node.living.toSorted(), ['completes', 'fails', 'runs', 'watcher']);
  t.deepEqual(
    node.status.containerStatuses?.map(({ lastState }) => lastState.terminated?.exitCode),
    [0, 9, 137],
  );
});

test('a user can ask for a restart, without any rule', (t) => {
  const pod = aPod([], [aContainer('main')]);
  const node = new SimulatedNode(pod, behave({}));
  node.after(5_000, () => {
    node.request({ kind: 'restart', by: 'root', at: node.now });
  });
  node.run();
  t.is(node.memory.generation, 1);
  t.is(node.status.containerStatuses?.[0]?.restartCount, 1);
  const seen = node.statuses.flatMap(({ conditions }) => conditions);
  t.true(
    seen.some(
      ({ reason, message }) => reason === 'RequestedByUser' && message === 'root asked for it',
    ),
  );
});

test('deleting stops app containers first, then sidecars in reverse order, and leaves nothing', (t) => {
  const pod = aPod([aSidecar('first'), aSidecar('second')], [aContainer('main')]);
  const node = new SimulatedNode(pod, behave({}));
  node.after(5_000, () => {
    node.request({ kind: 'delete', force: false, at: node.now });
  });
  t.is(node.run(), 'at rest');
  t.deepEqual(
    processes(node).filter((line) => line.includes('ends')),
    ['main', 'second', 'first'].map((name) => `${name} of generation 0 ends with 143`),
  );
  t.true(node.forgotten);
  t.deepEqual(node.left, []);
});

test('what ignores SIGTERM is killed when its grace is over; a forced delete does not wait', (t) => {
  for (const force of [false, true]) {
    const node = new SimulatedNode(aPod([], [aContainer('main')]), {
      behave: () => ({ ignoresTerm: true }),
    });
    node.run({ forMs: 1_000 });
    const asked = node.now;
    node.request({ kind: 'delete', force, at: asked });
    node.run();
    t.true(node.forgotten);
    t.is(node.now - asked > 29_000, !force);
  }
});

test('exits while the agent is down are found when it comes back', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 5_000, code: 88 }, forever] }),
  });
  node.after(4_000, () => {
    node.crashAgent(10_000);
  });
  node.run();
  t.deepEqual(node.faults, []);
  t.is(node.memory.generation, 1);
  t.is(node.status.phase, 'Running');
});

test('after the loss of its memory the agent adopts what runs', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 5_000, code: 88 }, forever] }),
  });
  node.run();
  const before = node.story.length;
  node.memory = {
    ...node.memory,
    generation: 0,
    containers: {},
    initialized: false,
    sandboxAttempt: -1,
  };
  node.crashAgent();
  node.run();
  t.deepEqual(node.faults, []);
  t.is(node.memory.generation, 1);
  t.false(node.story.slice(before).some((line) => line.includes('runs in')));
});

test('after a reboot a pod that restarts comes up in a new sandbox, init containers first', (t) => {
  const pod = aPod([aContainer('setup')], [aContainer('main')], { restartPolicy: 'Always' });
  const node = new SimulatedNode(pod, behave({ setup: [quick] }));
  node.run({ forMs: 5_000 });
  node.crashMachine();
  node.run({ forMs: 60_000 });
  t.deepEqual(node.faults, []);
  t.is(node.status.phase, 'Running');
  t.deepEqual(node.living, ['main']);
  t.is(node.memory.sandboxAttempt, 1);
});

test('after a reboot a pod that never restarts has failed', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main')]), behave({}));
  node.run({ forMs: 5_000 });
  node.crashMachine();
  t.is(node.run(), 'at rest');
  t.is(node.status.phase, 'Failed');
});

test('a start that fails counts as an exit with 128', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main')]), {
    behave: () => ({ cannotStart: true }),
  });
  t.is(node.run(), 'at rest');
  t.is(node.status.phase, 'Failed');
  t.is(node.status.containerStatuses?.[0]?.state.terminated?.exitCode, 128);
  t.is(node.status.containerStatuses?.[0]?.state.terminated?.reason, 'StartError');
});

test('activeDeadlineSeconds ends the pod', (t) => {
  const pod = aPod([], [aContainer('main')], { activeDeadlineSeconds: 60 });
  const node = new SimulatedNode(pod, behave({}));
  t.is(node.run(), 'at rest');
  t.is(node.status.phase, 'Failed');
  t.is(node.status.reason, 'DeadlineExceeded');
});

test('a restart that has to wait for an image sleeps meanwhile', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 5_000, code: 88 }, forever] }),
    latencyMs: (action) => (action.kind === 'create-container' && action.attempt > 0 ? 20_000 : 1),
    settings: { standbys: false },
  });
  t.is(node.run(), 'at rest');
  t.deepEqual(node.faults, []);
  t.is(node.memory.generation, 1);
});

test('standbys that could not be made do not hold the restart back', (t) => {
  const exitsAt = 900_000;
  const node: SimulatedNode = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: exitsAt, code: 88 }, forever] }),
    fails: (action) =>
      action.kind === 'create-container' && action.generation > node.memory.generation,
  });
  node.run();
  t.is(node.memory.generation, 1);
  const [restart] = node.memory.restarts;
  t.true((restart?.completedAt ?? Infinity) - (restart?.recordedAt ?? 0) < 1_000);
});

test('after a crash nothing is created before the loan is known again', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 5_000, code: 88 }, forever] }),
    settings: { standbys: false },
  });
  node.after(4_000, () => {
    node.crashAgent(10_000);
  });
  node.run();
  t.deepEqual(node.faults, []);
  t.is(node.memory.generation, 1);
});

test('what ordinary restarts leave over is removed, when no process of it is left', (t) => {
  const pod = aPod([], [aContainer('main')], { restartPolicy: 'Always' });
  const node = new SimulatedNode(pod, behave({ main: [{ runsMs: 100, code: 1, lingersMs: 500 }] }));
  node.run({ forMs: 3_600_000 });
  t.deepEqual(node.faults, []);
  const attempt = node.memory.containers.main?.attempt ?? -1;
  t.deepEqual(node.left, ['sandbox-0', `main ${attempt}`, `main ${attempt + 1}`]);
});

test('a container that cannot be created does not keep the others from being tidied', (t) => {
  const pod = aPod([], [aContainer('absent'), aContainer('main')], { restartPolicy: 'Always' });
  const node = new SimulatedNode(pod, {
    ...behave({ main: [{ runsMs: 100, code: 1 }] }),
    fails: (action) => action.kind === 'create-container' && action.name === 'absent',
  });
  node.run({ forMs: 3_600_000 });
  t.deepEqual(node.faults, []);
  const attempt = node.memory.containers.main?.attempt ?? -1;
  t.deepEqual(node.left, ['sandbox-0', `main ${attempt}`, `main ${attempt + 1}`]);
});

for (const [standbys, isAhead] of [
  [true, true],
  [false, false],
] as const) {
  test(`the next run of a container that is held back is ${isAhead ? 'created meanwhile' : 'created then, without standbys'}`, (t) => {
    const pod = aPod([], [aContainer('main')], { restartPolicy: 'Always' });
    const node = new SimulatedNode(pod, {
      ...behave({ main: [{ runsMs: 100, code: 1 }] }),
      settings: { standbys },
    });
    // The first restart comes at once, the second one after 10 s.
    node.run({ forMs: 5_000 });
    t.is(node.memory.containers.main?.restartCount, 1);
    t.is(node.left.includes('main 2'), isAhead);
    node.run({ forMs: 10_000 });
    t.deepEqual(node.faults, []);
    t.is(node.memory.containers.main?.restartCount, 2);
    t.is(node.memory.containers.main?.attempt, 2);
  });
}

test('old generations are removed while the back-off holds the next start back', (t) => {
  const pod = aPod(
    [aSidecar('side'), aContainer('setup', { restartPolicy: 'Never', ...restartAllOn(42) })],
    [aContainer('main')],
  );
  const node = new SimulatedNode(pod, {
    ...behave({ setup: [{ runsMs: 0, code: 42 }] }),
    eventDelayMs: () => 0,
  });
  node.run({ forMs: 1_800_000 });
  t.deepEqual(node.faults, []);
  t.true(node.memory.generation > 30);
  t.true(node.left.length <= 7, node.left.join(', '));
});

test('a start that a killed agent had asked for cannot land in a later generation', (t) => {
  let isFirst = true;
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 50, code: 88 }, forever] }),
    latencyMs: (action) => {
      if (action.kind !== 'start-container' || action.name !== 'main' || !isFirst) return 1;
      isFirst = false;
      return 260;
    },
    landsLate: () => true,
  });
  node.after(40, () => {
    node.crashAgent(100);
  });
  node.run();
  t.deepEqual(node.faults, []);
  t.is(node.memory.generation, 1);
  t.deepEqual(node.living.toSorted(), ['main', 'watcher']);
});

for (const [when, isThen] of Object.entries({
  'while the old generation is being killed': ({ restart }: Memory) => restart !== undefined,
  'while the back-off is waited for': ({ restart }: Memory) => restart?.deadAt !== undefined,
})) {
  test(`a user who asks for a restart ends the back-off: ${when}`, (t) => {
    const again = { runsMs: 100, code: 88 };
    const node = new SimulatedNode(referencePod(), {
      ...behave({ setup: [quick], watcher: [again, again, forever] }),
    });
    const isBackingOff = () => node.memory.restart?.startNotBefore !== undefined;
    while (!isBackingOff() || !isThen(node.memory)) node.run({ steps: 1 });
    const asked = node.now;
    node.request({ kind: 'restart', by: 'root', at: asked });
    node.run({ forMs: 500 });
    t.is(node.memory.generation, 2);
    t.is(node.status.phase, 'Running');
    t.is(node.memory.restarts.at(-1)?.backoffEndedAt, asked);
  });
}

test('an ended pod keeps the last instance of each container, and nothing made ahead', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], main: [{ runsMs: 10_000, code: 0 }] }),
  });
  t.is(node.run(), 'at rest');
  t.is(node.status.phase, 'Succeeded');
  t.deepEqual(node.left, ['sandbox-0', 'setup 0', 'watcher 0', 'main 0']);
});

for (const restartPolicy of ['Always', 'Never'] as const) {
  test(`a container removed behind our back is started anew: ${restartPolicy}`, (t) => {
    const node = new SimulatedNode(
      aPod([aContainer('setup')], [aContainer('main', restartAllOn(137))], { restartPolicy }),
      behave({ setup: [quick] }),
    );
    node.run();
    node.crashAgent(1_000);
    node.runtime.removeContainers('main');
    node.run();
    t.deepEqual(node.faults, []);
    t.deepEqual(node.living, ['main']);
    t.is(node.memory.generation, 0);
    const [main] = node.status.containerStatuses ?? [];
    t.is(main?.restartCount, 1);
    t.like(main?.lastState.terminated, { exitCode: 137, reason: 'ContainerStatusUnknown' });
  });
}

const notOnZero: RestartRule = {
  action: 'RestartAllContainers',
  exitCodes: { operator: 'NotIn', values: [0] },
};
const lostTrackOf: Record<string, readonly [pod: Pod, name: string, word?: string]> = {
  'that is always started again': [
    aPod([], [aContainer('main')], { restartPolicy: 'Always' }),
    'main',
  ],
  'that is never started again after its end': [aPod([], [aContainer('main')]), 'main'],
  'with a rule for every failure': [
    aPod([], [aContainer('main', { restartPolicyRules: [notOnZero] })]),
    'main',
  ],
  'that is a sidecar with such a rule': [
    aPod([aSidecar('watcher', { restartPolicyRules: [notOnZero] })], [aContainer('main')]),
    'watcher',
    'Init container',
  ],
};
for (const [title, [pod, name, word = 'Container']] of Object.entries(lostTrackOf)) {
  test(`a container that the runtime lost track of is replaced: one ${title}`, (t) => {
    const node = new SimulatedNode(
      { ...pod, spec: { ...pod.spec, terminationGracePeriodSeconds: 7 } },
      { ...behave({}), settings: { standbys: false } },
    );
    node.run();
    const before = node.living;
    node.runtime.loseTrackOf(name);
    node.crashAgent();
    node.run();
    t.deepEqual(node.faults, []);
    t.true(node.story.includes(`stop ${name} (c0-${name}-0) within 7 s`));
    t.deepEqual(node.living.toSorted(), before.toSorted());
    t.is(node.memory.generation, 0);
    t.is(containerStatuses(node.status).find((one) => one.name === name)?.restartCount, 1);
    t.deepEqual(
      node.events.filter((line) => line.startsWith('Killing')),
      [`Killing: ${word} is in "unknown" state, try killing it before restart`],
    );
  });
}

test('an init container that the runtime lost track of has failed, if it is not started again', (t) => {
  const node = new SimulatedNode(aPod([aContainer('setup')], [aContainer('main')]), behave({}));
  node.run();
  node.runtime.loseTrackOf('setup');
  node.crashAgent();
  node.run();
  t.deepEqual(node.faults, []);
  t.is(node.status.phase, 'Failed');
});

for (const [restartPolicy, phase, runs] of [
  ['Never', 'Failed', 1],
  ['OnFailure', 'Succeeded', 2],
] as const) {
  test(`an init container that was cut off has not done its work, whatever its code: ${restartPolicy}`, (t) => {
    const pod = aPod([aContainer('setup')], [aContainer('main')], { restartPolicy });
    const node = new SimulatedNode(pod, behave({ setup: [{ termCode: 0 }, quick], main: [quick] }));
    node.run();
    node.runtime.loseTrackOf('setup');
    node.crashAgent();
    node.run();
    t.deepEqual(node.faults, []);
    t.is(node.status.phase, phase);
    t.is(node.runtime.runs.filter(({ name }) => name === 'setup').length, runs);
  });
}

test('an init container that is stopped with its lost sandbox leaves the pod uninitialized', (t) => {
  const pod = aPod([aContainer('setup')], [aContainer('main')], { restartPolicy: 'Always' });
  const node = new SimulatedNode(
    pod,
    behave({ setup: [{ termCode: 0 }, { runsMs: 9_000, code: 0 }] }),
  );
  node.run({ forMs: 2_000 });
  node.killSandbox();
  node.run({ forMs: 5_000 });
  const initialized = node.statuses.map(
    ({ conditions }) => conditions.find(({ type }) => type === 'Initialized')?.status,
  );
  t.false(initialized.includes('True'));
  node.run();
  t.is(node.status.conditions.find(({ type }) => type === 'Initialized')?.status, 'True');
  t.deepEqual(node.faults, []);
});

test('a deadline is kept by the turn that begins a restart, too', (t) => {
  const pod = aPod([], [aContainer('main')], { activeDeadlineSeconds: 60 });
  const request: Request = { kind: 'restart', by: 'root', at: 10_000 };
  const memory: Memory = { ...blankMemory, startTime: 0, sandboxAttempt: 0 };
  const observed: Observed = {
    sandboxes: [{ id: 'sandbox', attempt: 0, ready: true, ips: [] }],
    instances: [],
    failures: {},
    requests: [request],
    // Something is under way, so there is nothing else to look for.
    busy: true,
  };
  const { lookAgainAt } = decide(pod, observed, memory, 10_000, defaultSettings);
  t.true(lookAgainAt !== undefined && lookAgainAt <= 60_000);
});

test('the deadline is told as an event, once', (t) => {
  const pod = aPod([], [aContainer('main')], { activeDeadlineSeconds: 60 });
  const node = new SimulatedNode(pod, { behave: () => ({ ignoresTerm: true }) });
  node.run();
  t.deepEqual(
    node.events.filter((line) => line.startsWith('DeadlineExceeded')),
    ['DeadlineExceeded: Pod was active on the node longer than the specified deadline'],
  );
});

test('each ended container is proven gone once', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 500, code: 88 }, forever] }),
    latencyMs: ({ kind }) => (kind === 'prove-gone' ? 5 : 1),
    settings: { standbys: false },
  });
  node.run();
  t.deepEqual(
    node.story.filter((line) => line.startsWith('prove gone')),
    ['prove gone c0-setup-0', 'prove gone c1-watcher-0', 'prove gone c2-main-0'],
  );
});

test('an init container that has failed for good counts more than a trigger at the same moment', (t) => {
  const pod = aPod([aSidecar('side', restartAllOn(88)), aContainer('setup')], [aContainer('main')]);
  const node = new SimulatedNode(pod, {
    ...behave({ side: [{ runsMs: 100, code: 88 }], setup: [{ runsMs: 50, code: 7 }] }),
  });
  // Both are found by one look.
  node.after(20, () => {
    node.crashAgent(1_000);
  });
  node.run();
  t.deepEqual(node.faults, []);
  t.is(node.status.phase, 'Failed');
  t.is(node.memory.generation, 0);
});

for (const [title, { last, generation, phase }] of Object.entries({
  'the last sidecar cannot ask for a restart of a pod that is finished': {
    last: { runsMs: 100, code: 88 },
    generation: 0,
    phase: 'Succeeded' as const,
  },
  'a sidecar can ask for a restart of finished app containers while another sidecar runs': {
    last: forever,
    generation: 1,
    phase: 'Running' as const,
  },
})) {
  test(title, (t) => {
    const pod = aPod([aSidecar('asks', restartAllOn(88)), aSidecar('last')], [aContainer('main')]);
    const node = new SimulatedNode(pod, {
      ...behave({
        asks: [{ runsMs: 100, code: 88 }, forever],
        last: [last, forever],
        main: [{ runsMs: 100, code: 0 }, forever],
      }),
    });
    // All exits are found by one look.
    node.after(20, () => {
      node.crashAgent(1_000);
    });
    node.run();
    t.deepEqual(node.faults, []);
    t.is(node.memory.generation, generation);
    t.is(node.status.phase, phase);
  });
}

test('a reboot may be what a rule waits for: all start again in a new sandbox', (t) => {
  const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'NotIn', values: [0] } };
  const pod = aPod(
    [aContainer('setup')],
    [aContainer('main', { restartPolicy: 'Never', restartPolicyRules: [rule as RestartRule] })],
  );
  const node = new SimulatedNode(pod, behave({ setup: [quick] }));
  node.run({ forMs: 5_000 });
  node.crashMachine();
  node.run();
  t.deepEqual(node.faults, []);
  t.deepEqual(node.living, ['main']);
  t.is(node.memory.generation, 1);
  t.is(node.memory.sandboxAttempt, 1);
  t.is(node.status.containerStatuses?.[0]?.lastState.terminated?.exitCode, 255);
});

test('a deleted pod takes along containers whose sandbox is gone', (t) => {
  const pod = aPod([], [aContainer('main')]);
  const node = new SimulatedNode(pod, behave({ main: [quick] }));
  node.run();
  node.runtime.loseSandboxes();
  node.crashAgent();
  node.run();
  node.request({ kind: 'delete', force: false, at: node.now });
  node.run();
  t.true(node.forgotten);
  t.deepEqual(node.left, []);
});

test('the new run does not wait for the news of the end of the old one, and tells of it when it comes', (t) => {
  // The trigger's exit is told at once, that of whom we killed comes later than everything that follows.
  const delays = [1, 1, 400];
  const node = new SimulatedNode(referencePod(), {
    ...behave({ setup: [quick], watcher: [{ runsMs: 500, code: 88 }, forever] }),
    eventDelayMs: () => delays.shift() ?? 1,
  });
  node.run();
  t.deepEqual(node.faults, []);
  const [record] = node.memory.restarts;
  t.true((record?.completedAt ?? Infinity) - (record?.recordedAt ?? 0) < 300);
  const { lastExit, restartCount } = node.memory.containers['main'] ?? {};
  t.is(restartCount, 1);
  t.like(lastExit, { exitCode: 137, reason: 'RestartingAllContainers' });
  t.true((lastExit?.finishedAt ?? Infinity) <= (record?.deadAt ?? 0));
});

test('SIGKILL is sent again every second to what does not die of it', (t) => {
  const node = new SimulatedNode(referencePod(), {
    ...behave({
      setup: [quick],
      watcher: [{ runsMs: 500, code: 88 }, forever],
      main: [{ survivesKills: 2 }, forever],
    }),
  });
  node.run();
  t.deepEqual(node.faults, []);
  const kills = node.transcript.filter((line) => line.includes('s: kill'));
  t.deepEqual(
    kills.map((line) => Math.floor(Number.parseFloat(line))),
    [0, 1, 2],
  );
  t.is(node.memory.generation, 1);
  t.deepEqual(node.living.toSorted(), ['main', 'watcher']);
});

for (const [title, happens] of Object.entries({
  'when the pod is deleted': (node: SimulatedNode) =>
    node.request({ kind: 'delete', force: false, at: node.now }),
  'when the sandbox is lost': (node: SimulatedNode) => node.killSandbox(),
})) {
  test(`a stop that does not end is started again ${title}`, (t) => {
    const node = new SimulatedNode(
      aPod([], [aContainer('main')], { terminationGracePeriodSeconds: 4, restartPolicy: 'Always' }),
      behave({ main: [{ ignoresTerm: true, survivesKills: 1 }, forever] }),
    );
    node.run();
    const from = node.now;
    happens(node);
    node.run();
    t.deepEqual(node.faults, []);
    t.is(node.story.filter((line) => line.startsWith('stop main')).length, 2);
    t.true(node.now - from > 120_000);
    t.deepEqual(node.living, title.includes('deleted') ? [] : ['main']);
  });
}

test('a container whose image is pulled at every start is made at the restart, however often that fails', (t) => {
  const pod = aPod(
    [aSidecar('watcher', restartAllOn(88))],
    [aContainer('main', { imagePullPolicy: 'Always' })],
  );
  let failures = 2;
  const node = new SimulatedNode(pod, {
    ...behave({ watcher: [{ runsMs: 60_000, code: 88 }, forever] }),
    fails: (action) => {
      const isDue = action.kind === 'create-container' && action.name === 'main';
      if (!isDue || action.generation === 0 || failures === 0) return false;
      failures--;
      return { reason: 'ErrImagePull', message: 'the registry is away' };
    },
  });
  node.run();
  t.deepEqual(node.faults, []);
  const exit = node.story.indexOf('watcher of generation 0 ends with 88');
  const creations = (name: string) =>
    node.story.flatMap((line, at) => (line.startsWith(`create ${name} `) ? [at > exit] : []));
  t.deepEqual(creations('watcher'), [false, false, true]);
  t.deepEqual(creations('main'), [false, true, true, true]);
  t.is(node.memory.restarts.length, 1);
  t.deepEqual(node.living.toSorted(), ['main', 'watcher']);
});

/** What is done to sandboxes, in order, from the loss of the first one on. */
function sandboxStory(node: SimulatedNode): string[] {
  return node.story.filter((line) => / sandbox /.test(line)).slice(1);
}

const isStop = ({ kind }: Action): boolean => kind === 'stop-sandbox';

test('a lost sandbox is stopped, once, before the next one runs', (t) => {
  const pod = aPod([], [aContainer('main'), aContainer('done', { restartPolicy: 'Never' })], {
    restartPolicy: 'Always',
  });
  const node = new SimulatedNode(pod, behave({ done: [quick] }));
  node.run();
  node.killSandbox();
  node.run();
  // The container that has ended stays current, and its sandbox with it.
  t.deepEqual(node.sandboxIds, ['sandbox-0', 'sandbox-1']);
  node.lookAgain();
  node.run();
  t.deepEqual(sandboxStory(node), ['stop sandbox sandbox-0', 'run sandbox 1']);
  node.killSandbox();
  node.run();
  t.deepEqual(sandboxStory(node).slice(2), [
    'stop sandbox sandbox-1',
    'run sandbox 2',
    'remove sandbox sandbox-1',
  ]);
  t.deepEqual(node.faults, []);
  t.deepEqual(node.living, ['main']);
});

test('an app container whose sandbox is lost with each of its runs waits 0, 10, 20 seconds', (t) => {
  const pod = aPod([aContainer('setup')], [aContainer('main'), aContainer('other')], {
    restartPolicy: 'Always',
  });
  const node = new SimulatedNode(pod, behave({ setup: [quick] }));
  const runUntil = (isSo: () => boolean) => {
    while (!isSo()) node.run({ steps: 1 });
  };
  const delays: number[] = [];
  for (let losses = 0; losses < 3; losses++) {
    runUntil(() => node.living.length === 2);
    node.killSandbox();
    runUntil(() => node.living.length === 0);
    const endedAt = node.now;
    runUntil(() => node.living.length === 2);
    delays.push(Math.floor((node.now - endedAt) / 1000));
  }
  t.deepEqual(delays, [0, 10, 20]);
  const waits = node.statuses.map(({ containerStatuses = [] }) =>
    containerStatuses.map(({ state }) => state.waiting?.message?.slice(0, 12)),
  );
  t.true(waits.some(([main]) => main === 'back-off 10s'));
  // The records of init containers go with their sandbox, and so does what would hold them back.
  t.is(node.runtime.starts.get('setup'), 4);
  t.deepEqual(node.events.filter((line) => line.startsWith('BackOff')).length, 4);
  t.deepEqual(node.faults, []);
});

test('a lost sandbox that cannot be stopped is tried again, and no other one runs before', (t) => {
  let failures = 2;
  const node = new SimulatedNode(aPod([], [aContainer('main')], { restartPolicy: 'Always' }), {
    ...behave({}),
    fails: (action) => isStop(action) && failures-- > 0,
  });
  node.run();
  node.killSandbox();
  const from = node.now;
  node.run();
  t.deepEqual(sandboxStory(node), [
    ...['stop sandbox sandbox-0', 'stop sandbox sandbox-0', 'stop sandbox sandbox-0'],
    ...['run sandbox 1', 'remove sandbox sandbox-0'],
  ]);
  t.true(node.now - from > 3_000);
  t.deepEqual(node.living, ['main']);
  t.deepEqual(node.faults, []);
});

test('an agent that does not know whether a lost sandbox was stopped stops it once more', (t) => {
  let hasFirst = false;
  let isBroken = true;
  const node = new SimulatedNode(aPod([], [aContainer('main')], { restartPolicy: 'Always' }), {
    ...behave({}),
    fails: ({ kind }) => kind === 'run-sandbox' && hasFirst && isBroken,
  });
  node.run();
  hasFirst = true;
  node.killSandbox();
  node.run({ forMs: 10_000 });
  t.is(sandboxStory(node).filter((line) => line.startsWith('stop')).length, 1);
  isBroken = false;
  node.crashAgent(1_000);
  node.run();
  t.is(sandboxStory(node).filter((line) => line.startsWith('stop')).length, 2);
  t.deepEqual(node.living, ['main']);
  t.deepEqual(node.faults, []);
});

test('the first word about an exit is the last', (t) => {
  const pod = aPod([], [aContainer('main'), aContainer('other')]);
  const node = new SimulatedNode(pod, behave({ main: [{ runsMs: 100, code: 3 }] }));
  node.run();
  const main = { name: 'main', attempt: 0, generation: 0, sandboxAttempt: 0, id: 'c0-main-0' };
  const later = decide(
    pod,
    {
      sandboxes: [],
      instances: [
        {
          ...main,
          specHash: '',
          state: 'exited',
          gone: true,
          exit: { code: 255, finishedAt: node.now, reason: 'Unknown' },
        },
      ],
      failures: {},
      requests: [],
      busy: false,
    },
    node.memory,
    node.now,
    defaultSettings,
  );
  t.is(later.memory.containers.main?.exit?.exitCode, 3);
});
