// Hooks and the grace that containers get, told as stories on a simulated node.
import test from 'ava';
import { aContainer, aPod, aSidecar, restartAllOn } from '../testing/builders.ts';
import type { Behaviour, Plan } from '../testing/simulated-node.ts';
import { SimulatedNode, containerStatuses } from '../testing/simulated-node.ts';
import type { Action } from './action.ts';
import type { Lifecycle, Probe } from './handler.ts';

const forever: Behaviour = {};
const stubborn: Behaviour = { ignoresTerm: true };
const sleep = { sleep: { seconds: 1 } };
const postStart: { lifecycle: Lifecycle } = { lifecycle: { postStart: sleep } };
const preStop: { lifecycle: Lifecycle } = { lifecycle: { preStop: sleep } };
const probe: Probe = {
  exec: { command: ['check'] },
  timeoutSeconds: 1,
  periodSeconds: 1,
  successThreshold: 1,
  failureThreshold: 1,
};

/** Hooks take that long, everything else a millisecond. */
function hooksTake(
  ms: number | ((action: Action & { kind: 'run-hook' }) => number),
): Pick<Plan, 'latencyMs'> {
  return {
    latencyMs: (action) => {
      if (action.kind !== 'run-hook') return 1;
      return typeof ms === 'number' ? ms : ms(action);
    },
  };
}

/** What is done to running containers, with the seconds since `from`. */
function doings(node: SimulatedNode, from: number): string[] {
  const start = Date.UTC(2026, 0, 1);
  return node.transcript.flatMap((line) => {
    const [, at = '', what = ''] = /^([\d.]+) s: (.*)$/.exec(line) ?? [];
    const seconds = Math.round((Number(at) * 1000 - (from - start)) / 1000);
    const isMeant =
      seconds >= 0 && /^(run (?!sandbox)|stop (?!sandbox)|kill|.* ends with)/.test(what);
    return isMeant
      ? [`${seconds} ${what.replace(/ \(.*?\)/, '').replace(' of generation 0', '')}`]
      : [];
  });
}

function deleted(node: SimulatedNode, graceSeconds?: number): number {
  const at = node.now;
  node.request({ kind: 'delete', force: false, graceSeconds, at });
  return at;
}

function statusOf(node: SimulatedNode, name: string) {
  const found = containerStatuses(node.status).find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no container ${name}`);
  return found;
}

test('what follows a container waits for its postStart hook', (t) => {
  const node = new SimulatedNode(
    aPod(
      [aSidecar('proxy', postStart), aContainer('setup')],
      [aContainer('first', postStart), aContainer('second'), aContainer('third')],
    ),
    {
      behave: (name) => (name === 'setup' ? { runsMs: 10, code: 0 } : forever),
      ...hooksTake(5_000),
    },
  );
  node.run({ forMs: 4_000 });
  t.deepEqual(node.living, ['proxy']);
  t.is(statusOf(node, 'proxy').state.waiting?.reason, 'PodInitializing');
  node.run({ forMs: 4_000 });
  t.deepEqual(node.living, ['proxy', 'first']);
  t.is(node.status.phase, 'Pending');
  t.like(statusOf(node, 'first'), { started: false, ready: false });
  node.run();
  t.deepEqual(node.living, ['proxy', 'first', 'second', 'third']);
  t.is(node.status.phase, 'Running');
  t.like(statusOf(node, 'first'), { started: true, ready: true });
  t.deepEqual(node.faults, []);
});

test('a container that cannot be started holds up nobody with its hook', (t) => {
  const node = new SimulatedNode(
    aPod([], [aContainer('first', postStart), aContainer('second')], { restartPolicy: 'Always' }),
    { behave: (name) => ({ cannotStart: name === 'first' }) },
  );
  node.run({ forMs: 30_000 });
  t.deepEqual(node.living, ['second']);
});

test('one that cannot be created does not, either', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('first', postStart), aContainer('second')]), {
    behave: () => forever,
    fails: (action) => action.kind === 'create-container' && action.name === 'first',
  });
  node.run({ forMs: 30_000 });
  t.deepEqual(node.living, ['second']);
});

test('probes wait for the postStart hook', (t) => {
  const main = aContainer('main', { ...postStart, livenessProbe: probe });
  const node = new SimulatedNode(aPod([], [main]), {
    behave: () => forever,
    ...hooksTake(5_000),
  });
  node.run({ forMs: 6_500 });
  const probes = node.transcript.filter((line) => line.includes('probe liveness'));
  t.deepEqual(
    probes.map((line) => Math.round(Number.parseFloat(line))),
    [5, 6],
  );
});

test('a container whose postStart hook fails is stopped, and its exit counts as any other', (t) => {
  const main = aContainer('main', {
    lifecycle: { postStart: sleep, preStop: sleep },
    restartPolicy: 'OnFailure',
  });
  const node = new SimulatedNode(aPod([], [main], { terminationGracePeriodSeconds: 9 }), {
    behave: () => forever,
    hookFails: (_, hook, run) => hook === 'postStart' && run === 0,
  });
  const from = node.now;
  t.is(node.run(), 'at rest');
  t.deepEqual(doings(node, from), [
    '0 run postStart of main',
    '0 run preStop of main',
    '0 stop main within 9 s',
    '0 main ends with 143',
    '0 run postStart of main',
  ]);
  t.deepEqual(
    node.events.filter((line) => /Hook|Killing/.test(line)),
    ['FailedPostStartHook: PostStartHook failed', 'Killing: FailedPostStartHook'],
  );
  const reasons = node.statuses.map(
    ({ containerStatuses }) => containerStatuses?.[0]?.state.waiting,
  );
  t.true(
    reasons.some(
      (waiting) =>
        waiting?.reason === 'PostStartHookError' && waiting.message === 'it was made to fail',
    ),
  );
  t.like(statusOf(node, 'main'), { started: true, restartCount: 1 });
});

test('that a postStart hook has failed is told until the wait for the next run begins', (t) => {
  const main = aContainer('main', { ...postStart });
  const node = new SimulatedNode(aPod([], [main], { restartPolicy: 'Always' }), {
    behave: () => forever,
    hookFails: (_, hook, run) => hook === 'postStart' && run < 2,
  });
  t.is(node.run(), 'at rest');
  const told = node.statuses.map(({ containerStatuses }) => {
    const { state, lastState, restartCount } = containerStatuses?.[0] ?? {};
    const last = lastState?.terminated?.exitCode ?? '-';
    return `${state?.waiting?.reason ?? Object.keys(state ?? {}).join()}, before: ${last}, ${restartCount}`;
  });
  t.deepEqual(
    told.filter((line, index) => line !== told[index - 1]),
    [
      'ContainerCreating, before: -, 0',
      'PostStartHookError, before: -, 0',
      'PostStartHookError, before: 143, 0',
      'ContainerCreating, before: 143, 1',
      'PostStartHookError, before: 143, 1',
      'CrashLoopBackOff, before: 143, 1',
      'ContainerCreating, before: 143, 2',
      'running, before: 143, 2',
    ],
  );
});

test('a failed postStart hook fails a pod that never restarts, or asks for all to be restarted', (t) => {
  const fails: Plan = { behave: () => forever, hookFails: (_name, _hook, run) => run === 0 };
  const plain = new SimulatedNode(aPod([], [aContainer('main', postStart)]), fails);
  t.is(plain.run(), 'at rest');
  t.is(plain.status.phase, 'Failed');
  const main = { ...postStart, restartPolicy: 'Never' as const, ...restartAllOn(143) };
  const ruled = new SimulatedNode(aPod([], [aContainer('main', main)]), fails);
  t.is(ruled.run(), 'at rest');
  t.is(ruled.memory.generation, 1);
  t.like(statusOf(ruled, 'main'), { started: true });
});

test('a postStart hook that had not answered when the agent was killed is run again', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main', postStart)]), {
    behave: () => forever,
    ...hooksTake(5_000),
  });
  const from = node.now;
  node.run({ forMs: 1_000 });
  node.crashAgent();
  node.run();
  t.deepEqual(doings(node, from), ['0 run postStart of main', '1 run postStart of main']);
  node.crashAgent();
  node.run();
  t.is(doings(node, from).length, 2);
  t.deepEqual(node.faults, []);
});

test('in an in-place restart postStart runs again, and preStop not at all', (t) => {
  const main = aContainer('main', { lifecycle: { postStart: sleep, preStop: sleep } });
  const node = new SimulatedNode(
    aPod([aSidecar('watcher', { ...preStop, ...restartAllOn(88) })], [main]),
    {
      behave: (name, run) =>
        name === 'watcher' && run === 0 ? { runsMs: 9_000, code: 88 } : forever,
      ...hooksTake(5_000),
    },
  );
  const from = node.now;
  node.run();
  t.deepEqual(
    doings(node, from).filter((line) => line.includes('run ')),
    ['0 run postStart of main', '9 run postStart of main'],
  );
  t.is(node.memory.generation, 1);
  t.like(statusOf(node, 'main'), { started: true });
});

test('an in-place restart does not wait for a hook of the old generation', (t) => {
  const node = new SimulatedNode(
    aPod([aSidecar('watcher', restartAllOn(88))], [aContainer('main', postStart)]),
    {
      behave: (name, run) =>
        name === 'watcher' && run === 0 ? { runsMs: 2_000, code: 88 } : forever,
      ...hooksTake(({ id }) => (id.endsWith('main-0') ? 600_000 : 100)),
    },
  );
  node.run({ forMs: 3_000 });
  t.is(node.memory.generation, 1);
  t.like(statusOf(node, 'main'), { started: true });
});

test('all preStop hooks begin at once, and the signals keep their order', (t) => {
  const node = new SimulatedNode(
    aPod(
      [aSidecar('one', preStop), aSidecar('two', preStop)],
      [aContainer('quick'), aContainer('slow', preStop)],
    ),
    {
      behave: (name) => (name === 'slow' ? { ...forever, termMs: 3_000 } : forever),
      ...hooksTake(({ name }) => (name === 'slow' ? 5_000 : 1_000)),
    },
  );
  node.run();
  const from = deleted(node);
  t.is(node.run(), 'at rest');
  t.deepEqual(doings(node, from), [
    '0 run preStop of one',
    '0 run preStop of two',
    '0 stop quick within 30 s',
    '0 run preStop of slow',
    '0 quick ends with 143',
    '5 stop slow within 25 s',
    '8 slow ends with 143',
    '8 stop two within 22 s',
    '8 two ends with 143',
    '8 stop one within 22 s',
    '8 one ends with 143',
  ]);
  t.deepEqual(
    node.events.filter((line) => line.startsWith('Killing')).toSorted(),
    ['one', 'quick', 'slow', 'two'].map((name) => `Killing: Stopping container ${name}`),
  );
  t.true(node.forgotten);
  t.deepEqual(node.faults, []);
});

test('what the hook takes is missing in the grace, and 2 s are always left', (t) => {
  const cases: Record<string, readonly [number, string]> = {
    'a short one': [4_000, '4 stop main within 6 s'],
    'one that takes it all': [9_500, '10 stop main within 2 s'],
    'one that takes too long': [60_000, '10 stop main within 2 s'],
  };
  for (const [title, [ms, expected]] of Object.entries(cases)) {
    const pod = aPod([], [aContainer('main', preStop)], { terminationGracePeriodSeconds: 10 });
    const node = new SimulatedNode(pod, { behave: () => stubborn, ...hooksTake(ms) });
    node.run();
    const from = deleted(node);
    node.run();
    t.deepEqual(doings(node, from).slice(0, 2), ['0 run preStop of main', expected], title);
    t.true(node.forgotten);
    t.deepEqual(node.faults, []);
  }
});

test('when the grace is over, sidecars get their 2 s together', (t) => {
  const node = new SimulatedNode(
    aPod([aSidecar('one'), aSidecar('two')], [aContainer('main')], {
      terminationGracePeriodSeconds: 5,
    }),
    { behave: () => stubborn },
  );
  node.run();
  const from = deleted(node);
  node.run();
  t.deepEqual(doings(node, from), [
    '0 stop main within 5 s',
    '5 stop one within 2 s',
    '5 stop two within 2 s',
    '5 main ends with 137',
    '7 one ends with 137',
    '7 two ends with 137',
  ]);
});

test('a grace of 0 still gives the hook a second', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main', preStop)]), {
    behave: () => stubborn,
    ...hooksTake(10_000),
  });
  node.run();
  const from = deleted(node, 0);
  node.run();
  t.deepEqual(doings(node, from), [
    '0 run preStop of main',
    '1 stop main within 2 s',
    '3 main ends with 137',
  ]);
});

test('a second request with less grace cuts the hook short', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main', preStop)]), {
    behave: () => stubborn,
    ...hooksTake(25_000),
  });
  node.run();
  const from = deleted(node);
  node.run({ forMs: 5_000 });
  deleted(node, 3);
  node.run();
  t.deepEqual(doings(node, from), [
    '0 run preStop of main',
    '8 stop main within 2 s',
    '10 main ends with 137',
  ]);
});

test('a forced delete runs no hook', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main', preStop)]), {
    behave: () => stubborn,
  });
  node.run();
  const from = node.now;
  node.request({ kind: 'delete', force: true, at: from });
  node.run();
  t.deepEqual(doings(node, from), ['0 kill c0-main-0', '0 main ends with 137']);
  t.true(node.forgotten);
});

test('a container that ends during its own hook is not told to end', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main', preStop)]), {
    behave: () => ({ runsMs: 12_000, code: 0 }),
    ...hooksTake(20_000),
  });
  node.run({ forMs: 10_000 });
  const from = deleted(node);
  t.is(node.run(), 'at rest');
  t.deepEqual(doings(node, from), ['0 run preStop of main', '2 main ends with 0']);
  t.true(node.forgotten);
});

test('a sidecar gets its hook when the pod has finished by itself', (t) => {
  const node = new SimulatedNode(aPod([aSidecar('proxy', preStop)], [aContainer('main')]), {
    behave: (name) => (name === 'main' ? { runsMs: 5_000, code: 0 } : forever),
    ...hooksTake(2_000),
  });
  const from = node.now;
  t.is(node.run(), 'at rest');
  t.deepEqual(doings(node, from), [
    '5 main ends with 0',
    '5 run preStop of proxy',
    '7 stop proxy within 28 s',
    '7 proxy ends with 143',
  ]);
  t.is(node.status.phase, 'Succeeded');
});

test('the stop for a failed probe has its hook too', (t) => {
  const main = aContainer('main', {
    ...preStop,
    livenessProbe: { ...probe, terminationGracePeriodSeconds: 8 },
  });
  const node = new SimulatedNode(aPod([], [main], { restartPolicy: 'Always' }), {
    behave: (_, run) => (run === 0 ? stubborn : forever),
    probe: (_name, _kind, { run }) => (run === 0 ? 'failure' : 'success'),
    ...hooksTake(3_000),
  });
  const from = node.now;
  node.run({ forMs: 20_000 });
  t.deepEqual(doings(node, from), [
    '1 run preStop of main',
    '4 stop main within 5 s',
    '9 main ends with 137',
  ]);
  t.like(statusOf(node, 'main'), { restartCount: 1, started: true });
});

test('a crash of the agent does not lengthen the grace', (t) => {
  const pod = aPod([], [aContainer('main', preStop)], { terminationGracePeriodSeconds: 20 });
  const node = new SimulatedNode(pod, { behave: () => stubborn, ...hooksTake(60_000) });
  node.run();
  const from = deleted(node);
  node.run({ forMs: 5_000 });
  node.crashAgent(5_000);
  node.run();
  t.deepEqual(doings(node, from), [
    '0 run preStop of main',
    '10 run preStop of main',
    '20 stop main within 2 s',
    '22 main ends with 137',
  ]);
  t.true(node.forgotten);
});
