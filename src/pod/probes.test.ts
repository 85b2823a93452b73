// What probes lead to, told as stories on a simulated node.
import test from 'ava';
import { aContainer, aPod, aSidecar, restartAllOn } from '../testing/builders.ts';
import type { Behaviour, Plan } from '../testing/simulated-node.ts';
import { SimulatedNode, containerStatuses } from '../testing/simulated-node.ts';
import { restartVerdict } from './backoff.ts';
import type { Probe } from './handler.ts';

const forever: Behaviour = {};

/** A probe that counts at once, every second. */
function aProbe(more: Partial<Probe> = {}): Probe {
  return {
    exec: { command: ['check'] },
    timeoutSeconds: 1,
    periodSeconds: 1,
    successThreshold: 1,
    failureThreshold: 1,
    ...more,
  };
}

/** Every process runs for ever; probes find what the function says. */
function probed(probe: Plan['probe'], behave: Plan['behave'] = () => forever): Plan {
  return { behave, probe };
}

/** When each probe of that kind was made, in seconds after the start of the pod. */
function probeTimes(node: SimulatedNode, kind: string): number[] {
  return node.transcript
    .filter((line) => line.includes(`probe ${kind}`))
    .map((line) => Math.round(Number.parseFloat(line)));
}

function statusOf(node: SimulatedNode, name: string) {
  const found = containerStatuses(node.status).find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no container ${name}`);
  const { started, ready, restartCount, lastState } = found;
  return { started, ready, restartCount, lastExit: lastState.terminated?.exitCode };
}

function isTrue(node: SimulatedNode, type: string): boolean {
  return node.status.conditions.some((one) => one.type === type && one.status === 'True');
}

test('probes come after their delay and then with their period', (t) => {
  const livenessProbe = aProbe({ initialDelaySeconds: 5, periodSeconds: 10 });
  const readinessProbe = aProbe({ periodSeconds: 3 });
  const pod = aPod([], [aContainer('main', { livenessProbe, readinessProbe })]);
  const node = new SimulatedNode(
    pod,
    probed(() => 'success'),
  );
  node.run({ forMs: 30_500 });
  t.deepEqual(probeTimes(node, 'liveness'), [5, 15, 25]);
  t.deepEqual(probeTimes(node, 'readiness'), [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
  t.deepEqual(node.faults, []);
});

test('a probe that takes longer than its period is not made twice at a time', (t) => {
  const pod = aPod([], [aContainer('main', { livenessProbe: aProbe({ timeoutSeconds: 9 }) })]);
  const node = new SimulatedNode(pod, {
    ...probed(() => 'success'),
    latencyMs: ({ kind }) => (kind === 'probe-container' ? 4_000 : 1),
  });
  node.run({ forMs: 13_000 });
  t.deepEqual(probeTimes(node, 'liveness'), [0, 4, 8, 12]);
});

for (const kind of ['startupProbe', 'livenessProbe'] as const) {
  test(`a first ${kind} that comes too early for its container is no failure`, (t) => {
    const main = aContainer('main', { [kind]: aProbe({ periodSeconds: 10 }) });
    const pod = aPod([], [main], { restartPolicy: 'Always' });
    const node = new SimulatedNode(
      pod,
      probed((_name, _kind, { ms }) => (ms < 900 ? 'failure' : 'success')),
    );
    node.run({ forMs: 60_000 });
    t.like(statusOf(node, 'main'), { restartCount: 0, started: true });
    t.deepEqual(
      node.events.filter((line) => line.startsWith('Unhealthy')),
      [],
    );
  });

  test(`the second ${kind} counts, though the agent was killed before it`, (t) => {
    const main = aContainer('main', { [kind]: aProbe({ periodSeconds: 10 }) });
    const node = new SimulatedNode(
      aPod([], [main], { restartPolicy: 'Always' }),
      probed((_name, _kind, { run }) => (run === 0 ? 'failure' : 'success')),
    );
    node.run({ forMs: 5_000 });
    node.crashAgent(100);
    node.run({ forMs: 4_000 });
    t.like(statusOf(node, 'main'), { restartCount: 0 });
    node.run({ forMs: 3_000 });
    t.like(statusOf(node, 'main'), { restartCount: 1, started: true });
  });
}

test('until its startup probe has succeeded a container is neither started nor ready', (t) => {
  const main = aContainer('main', {
    startupProbe: aProbe({ failureThreshold: 10 }),
    livenessProbe: aProbe(),
    readinessProbe: aProbe(),
  });
  const node = new SimulatedNode(
    aPod([], [main]),
    probed((_, kind, { ms }) => (kind === 'startup' && ms < 4_500 ? 'failure' : 'success')),
  );
  node.run({ forMs: 4_400 });
  t.like(statusOf(node, 'main'), { started: false, ready: false });
  t.deepEqual(probeTimes(node, 'liveness'), []);
  node.run({ forMs: 2_000 });
  t.like(statusOf(node, 'main'), { started: true, ready: true, restartCount: 0 });
  t.true(isTrue(node, 'Ready'));
  t.deepEqual(probeTimes(node, 'startup'), [0, 1, 2, 3, 4, 5]);
  t.deepEqual(probeTimes(node, 'liveness'), [5, 6]);
  t.is(node.events.filter((line) => line.startsWith('Unhealthy: Startup probe failed')).length, 4);
});

test('a startup probe gives up a container that does not come up', (t) => {
  const startupProbe = aProbe({ failureThreshold: 3 });
  const pod = aPod([], [aContainer('main', { startupProbe })], { restartPolicy: 'Always' });
  const node = new SimulatedNode(
    pod,
    probed((_name, _kind, { run }) => (run === 0 ? 'failure' : 'success')),
  );
  node.run({ forMs: 10_000 });
  t.deepEqual(statusOf(node, 'main'), {
    started: true,
    ready: true,
    restartCount: 1,
    lastExit: 143,
  });
  t.true(node.events.includes('Killing: Container main failed startup probe, will be restarted'));
});

test('liveness that fails often enough stops a container, and it starts again', (t) => {
  const livenessProbe = aProbe({ failureThreshold: 3 });
  const pod = aPod([], [aContainer('main', { livenessProbe })], {
    restartPolicy: 'OnFailure',
    terminationGracePeriodSeconds: 7,
  });
  const fails = new Set([2, 3, 5, 6, 7]);
  const node = new SimulatedNode(
    pod,
    probed((_name, _kind, { run, ms }) =>
      run === 0 && fails.has(Math.round(ms / 1000)) ? 'failure' : 'success',
    ),
  );
  node.run({ forMs: 60_000 });
  t.deepEqual(node.faults, []);
  t.deepEqual(
    node.story.filter((line) => line.startsWith('stop')),
    ['stop main (c0-main-0) within 7 s'],
  );
  t.like(statusOf(node, 'main'), { restartCount: 1, lastExit: 143, ready: true });
  t.deepEqual(
    node.events.filter((line) => line.startsWith('Killing')),
    ['Killing: Container main failed liveness probe, will be restarted'],
  );
  t.deepEqual(probeTimes(node, 'liveness').slice(0, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
  t.is(node.events.filter((line) => line.startsWith('Unhealthy: Liveness')).length, 5);
});

test('the grace of the probe counts for the stop, and it is not asked meanwhile', (t) => {
  const livenessProbe = aProbe({ terminationGracePeriodSeconds: 60 });
  const pod = aPod([], [aContainer('main', { livenessProbe })], { restartPolicy: 'Always' });
  const node = new SimulatedNode(
    pod,
    probed(
      (_name, _kind, { run }) => (run === 0 ? 'failure' : 'success'),
      (_, run) => ({ ignoresTerm: run === 0 }),
    ),
  );
  node.run({ forMs: 59_000 });
  t.deepEqual(probeTimes(node, 'liveness'), [0, 1]);
  t.like(statusOf(node, 'main'), { restartCount: 0 });
  node.run({ forMs: 3_000 });
  t.like(statusOf(node, 'main'), { restartCount: 1, lastExit: 137 });
});

test('a container that is never restarted ends for good, and its rules see the code', (t) => {
  const never = { restartPolicy: 'Never' as const };
  const livenessProbe = aProbe();
  const dies = probed((_name, _kind, { run }) => (run === 0 ? 'failure' : 'success'));
  const plain = new SimulatedNode(
    aPod([], [aContainer('main', { ...never, livenessProbe })]),
    dies,
  );
  plain.run();
  t.is(plain.status.phase, 'Failed');
  t.true(plain.events.includes('Killing: Container main failed liveness probe'));

  const main = aContainer('main', { ...never, livenessProbe, ...restartAllOn(143) });
  const ruled = new SimulatedNode(aPod([], [main]), dies);
  ruled.run({ forMs: 20_000 });
  t.is(ruled.memory.generation, 1);
});

test('a container that is restarted for its probe is not asked for its rules', (t) => {
  const main = aContainer('main', {
    restartPolicy: 'Always',
    livenessProbe: aProbe(),
    ...restartAllOn(143),
  });
  const node = new SimulatedNode(
    aPod([], [main]),
    probed((_name, _kind, { run }) => (run === 0 ? 'failure' : 'success')),
  );
  node.run({ forMs: 20_000 });
  t.is(node.memory.generation, 0);
  t.like(statusOf(node, 'main'), { restartCount: 1 });
});

test('readiness comes and goes with its thresholds, and stops nothing', (t) => {
  const readinessProbe = aProbe({ successThreshold: 2, failureThreshold: 3 });
  const node = new SimulatedNode(
    aPod([], [aContainer('main', { readinessProbe })]),
    probed((_name, _kind, { ms }) => (ms > 9_500 && ms < 14_500 ? 'failure' : 'success')),
  );
  const changes: string[] = [];
  for (let second = 0; second < 25; second++) {
    node.run({ forMs: 1_000 });
    const now = String(isTrue(node, 'ContainersReady'));
    if (!changes.at(-1)?.endsWith(now)) changes.push(`${second} ${now}`);
  }
  t.deepEqual(changes, ['0 false', '1 true', '12 false', '16 true']);
  t.like(statusOf(node, 'main'), { started: true, restartCount: 0 });
});

test('what could not be found out counts neither way', (t) => {
  const livenessProbe = aProbe({ failureThreshold: 2 });
  const node = new SimulatedNode(
    aPod([], [aContainer('main', { livenessProbe })]),
    probed((_name, _kind, { ms }) => (Math.round(ms / 1000) % 2 === 0 ? 'unknown' : 'success')),
  );
  node.run({ forMs: 5_500 });
  t.like(statusOf(node, 'main'), { restartCount: 0 });
  t.is(
    node.events.filter((line) =>
      line.startsWith('Unhealthy: Liveness probe errored and resulted in unknown state: '),
    ).length,
    3,
  );
});

test('a success with a warning is a success', (t) => {
  const node = new SimulatedNode(
    aPod([], [aContainer('main', { readinessProbe: aProbe() })]),
    probed(() => 'warning'),
  );
  node.run({ forMs: 500 });
  t.like(statusOf(node, 'main'), { ready: true });
  t.true(node.events.includes('ProbeWarning: Readiness probe warning: as main does'));
});

test('what comes after a sidecar waits for its startup probe, not for its readiness', (t) => {
  const sidecar = aSidecar('proxy', {
    startupProbe: aProbe({ failureThreshold: 9 }),
    readinessProbe: aProbe(),
  });
  const node = new SimulatedNode(
    aPod([sidecar, aContainer('setup')], [aContainer('main')]),
    probed(
      (_, kind, { ms }) => (kind === 'startup' && ms > 2_500 ? 'success' : 'failure'),
      (name) => (name === 'setup' ? { runsMs: 10, code: 0 } : forever),
    ),
  );
  node.run({ forMs: 2_400 });
  t.deepEqual(node.living, ['proxy']);
  t.is(node.status.phase, 'Pending');
  node.run({ forMs: 2_000 });
  t.deepEqual(node.living, ['proxy', 'main']);
  t.is(node.status.phase, 'Running');
  t.like(statusOf(node, 'proxy'), { started: true, ready: false });
  t.false(isTrue(node, 'Ready'));
});

test('a sidecar whose startup probe fails is tried again, and the rest goes on waiting', (t) => {
  const sidecar = aSidecar('proxy', { startupProbe: aProbe({ failureThreshold: 2 }) });
  const node = new SimulatedNode(
    aPod([sidecar], [aContainer('main')]),
    probed((_name, _kind, { run }) => (run === 0 ? 'failure' : 'success')),
  );
  node.run({ forMs: 1_500 });
  t.deepEqual(node.living, ['proxy']);
  node.run({ forMs: 1_000 });
  t.deepEqual(node.living, ['proxy', 'main']);
  t.true(node.events.includes('Killing: Init container proxy failed startup probe'));
});

test('a sidecar that hangs is started again while the next init container waits for its image', (t) => {
  const hangsAfterMs = 5_000;
  let isRegistryAway = true;
  const node = new SimulatedNode(
    aPod(
      [aSidecar('proxy', { livenessProbe: aProbe() }), aContainer('setup')],
      [aContainer('main')],
    ),
    {
      ...probed(
        (_name, _kind, { run, ms }) => (run === 0 && ms > hangsAfterMs ? 'failure' : 'success'),
        (name) => (name === 'setup' ? { runsMs: 10, code: 0 } : forever),
      ),
      fails: (action) =>
        isRegistryAway &&
        action.kind === 'create-container' &&
        action.name === 'setup' && { reason: 'ErrImagePull', message: 'the registry is away' },
    },
  );
  node.run({ forMs: 30_000 });
  t.deepEqual(node.living, ['proxy']);
  t.like(statusOf(node, 'proxy'), { started: true, restartCount: 1, lastExit: 143 });
  t.deepEqual(
    node.events.filter((line) => line.startsWith('Killing')),
    ['Killing: Init container proxy failed liveness probe'],
  );
  isRegistryAway = false;
  node.run({ forMs: 60_000 });
  t.deepEqual(node.living, ['proxy', 'main']);
  t.like(statusOf(node, 'proxy'), { restartCount: 1 });
  t.deepEqual(node.faults, []);
});

const all = { startupProbe: aProbe(), livenessProbe: aProbe(), readinessProbe: aProbe() };

test('an in-place restart starts every probe anew, with its delay', (t) => {
  const main = aContainer('main', {
    startupProbe: aProbe({ initialDelaySeconds: 2 }),
    readinessProbe: aProbe(),
  });
  const node = new SimulatedNode(
    aPod([aSidecar('watcher', restartAllOn(88))], [main]),
    probed(
      () => 'success',
      (name, run) => (name === 'watcher' && run === 0 ? { runsMs: 10_000, code: 88 } : forever),
    ),
  );
  node.run({ forMs: 9_500 });
  t.like(statusOf(node, 'main'), { started: true, ready: true });
  node.run({ forMs: 1_500 });
  t.is(node.memory.generation, 1);
  t.like(statusOf(node, 'main'), { started: false, ready: false, restartCount: 1 });
  node.run({ forMs: 2_000 });
  t.like(statusOf(node, 'main'), { started: true, ready: true, restartCount: 1 });
  t.deepEqual(probeTimes(node, 'startup'), [2, 12]);
  t.deepEqual(node.faults, []);
});

for (const outcome of ['failure', 'success'] as const) {
  test(`no ${outcome} found out about the old generation touches the new one`, (t) => {
    // The answers about the old generation are under way when it is killed, and come long after.
    const node: SimulatedNode = new SimulatedNode(
      aPod([aSidecar('watcher', restartAllOn(88))], [aContainer('main', all)]),
      {
        behave: (name, run) =>
          name === 'watcher' && run === 0 ? { runsMs: 5_500, code: 88 } : forever,
        probe: (_name, _kind, { run, ms }) => {
          if (run === 0) return ms > 4_500 ? outcome : 'success';
          return outcome === 'failure' ? 'success' : 'failure';
        },
        latencyMs: (action) => {
          if (action.kind !== 'probe-container') return 1;
          return node.now - first > 4_500 && node.memory.generation === 0 ? 3_000 : 1;
        },
        settings: { inPlaceBackoffMaxMs: 0 },
      },
    );
    const first = node.now;
    node.run({ forMs: 7_000 });
    t.is(node.memory.generation, 1);
    const expected = outcome === 'failure' ? 'success' : 'failure';
    t.is(node.memory.containers.main?.probes?.startup?.result, expected);
    node.run({ forMs: 3_000 });
    t.deepEqual(node.faults, []);
    if (outcome === 'failure') {
      t.like(statusOf(node, 'main'), { started: true, ready: true, restartCount: 1 });
      t.deepEqual(
        node.events.filter((line) => line.startsWith('Unhealthy')),
        [],
      );
    } else {
      t.is(node.events.filter((line) => line.includes('failed startup probe')).length, 1);
    }
  });
}

test('nothing is lost with the agent: neither what was settled nor the rhythm', (t) => {
  const main = aContainer('main', {
    startupProbe: aProbe(),
    readinessProbe: aProbe({ periodSeconds: 10 }),
  });
  const node = new SimulatedNode(
    aPod([], [main]),
    probed(() => 'success'),
  );
  node.run({ forMs: 12_000 });
  node.crashAgent(3_000);
  node.run({ forMs: 3_500 });
  t.like(statusOf(node, 'main'), { started: true, ready: true });
  t.true(isTrue(node, 'Ready'));
  node.run({ forMs: 20_000 });
  t.deepEqual(probeTimes(node, 'startup'), [0]);
  t.deepEqual(probeTimes(node, 'readiness'), [0, 10, 20, 30]);
});

test('a stop for a probe goes on after a crash of the agent', (t) => {
  const pod = aPod([], [aContainer('main', { livenessProbe: aProbe() })], {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 20,
  });
  const node = new SimulatedNode(
    pod,
    probed(
      (_name, _kind, { run }) => (run === 0 ? 'failure' : 'success'),
      (_, run) => ({ ignoresTerm: run === 0 }),
    ),
  );
  node.run({ forMs: 5_000 });
  node.crashAgent(5_000);
  node.run({ forMs: 20_000 });
  t.deepEqual(
    node.story.filter((line) => line.startsWith('stop')),
    ['stop main (c0-main-0) within 20 s', 'stop main (c0-main-0) within 12 s'],
  );
  t.like(statusOf(node, 'main'), { restartCount: 1, lastExit: 137 });
});

test('a pod on its way out is asked for its readiness alone', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main', all)]), {
    ...probed(() => 'success'),
    behave: () => ({ ignoresTerm: true }),
  });
  node.run({ forMs: 5_500 });
  node.request({ kind: 'delete', force: false, at: node.now });
  node.run({ forMs: 5_000 });
  t.is(probeTimes(node, 'liveness').length, 6);
  t.is(probeTimes(node, 'readiness').length, 11);
  t.is(node.run(), 'at rest');
  t.true(node.forgotten);
  t.deepEqual(node.faults, []);
});

test('a probe without an answer does not keep a pod from ending', (t) => {
  const node = new SimulatedNode(aPod([], [aContainer('main', { readinessProbe: aProbe() })]), {
    ...probed(() => 'success'),
    latencyMs: ({ kind }) => (kind === 'probe-container' ? 600_000 : 1),
  });
  node.run({ forMs: 1_000 });
  node.request({ kind: 'delete', force: false, at: node.now });
  node.run({ forMs: 5_000 });
  t.true(node.forgotten);
});

test('probes that find the same again and again change nothing that has to be saved', (t) => {
  const node = new SimulatedNode(
    aPod([], [aContainer('main', all)]),
    probed(() => 'success'),
  );
  node.run({ forMs: 3_000 });
  const before = JSON.stringify(node.memory);
  node.run({ forMs: 60_000 });
  t.is(JSON.stringify(node.memory), before);
});

test('a container that keeps failing its liveness probe waits ever longer', (t) => {
  const pod = aPod([], [aContainer('main', { livenessProbe: aProbe() })], {
    restartPolicy: 'Always',
  });
  const node = new SimulatedNode(
    pod,
    probed(() => 'failure'),
  );
  node.run({ forMs: 100_000 });
  const starts = node.transcript
    .filter((line) => line.endsWith('main runs in generation 0'))
    .map((line) => Math.round(Number.parseFloat(line)));
  t.deepEqual(starts, [0, 1, 2, 13, 34, 75]);
});

const replaced = { exitCode: 143, reason: 'Error', finishedAt: 100_000, isReplaced: true };
const verdicts = {
  'the first time it starts at once': { exit: replaced, starts: true },
  'soon after the run before it waits': {
    exit: replaced,
    lastExit: { ...replaced, finishedAt: 95_000 },
    backoff: { delayMs: 10_000, at: 95_000 },
    starts: false,
  },
  'long after the run before it starts at once': {
    exit: replaced,
    lastExit: { ...replaced, finishedAt: 50_000 },
    backoff: { delayMs: 10_000, at: 50_000 },
    starts: true,
  },
};
for (const [title, { starts, ...known }] of Object.entries(verdicts)) {
  test(`back-off after a failed probe: ${title}`, (t) => {
    t.is(restartVerdict(known, 100_000, 300_000).kind, starts ? 'go' : 'wait');
  });
}
