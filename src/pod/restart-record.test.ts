// What is left of in-place restarts, of those that were overtaken most of all.
import test from 'ava';
import {
  aContainer,
  aPod,
  aSidecar,
  referencePod,
  restartAllOn,
  restartOn,
} from '../testing/builders.ts';
import type { Behaviour } from '../testing/simulated-node.ts';
import { SimulatedNode } from '../testing/simulated-node.ts';
import type { Probe } from './handler.ts';
import { blankMemory } from './memory.ts';
import type { RestartRecord } from './memory.ts';
import { restartsOf } from './restart-record.ts';

const forever: Behaviour = {};
const quick: Behaviour = { runsMs: 10, code: 0 };

/** A pod whose init container takes that long in each of its runs, one after the other. */
function aNode(setup: readonly Behaviour[], watcher: readonly Behaviour[] = [forever]) {
  const plan: Record<string, readonly Behaviour[]> = { setup, watcher };
  return new SimulatedNode(referencePod(), {
    behave: (name, run) => plan[name]?.[run] ?? plan[name]?.at(-1) ?? forever,
    settings: { inPlaceBackoffMaxMs: 0 },
  });
}

function restarts({ pod, observed, memory }: SimulatedNode): readonly RestartRecord[] {
  return restartsOf({ pod, observed }, memory);
}

function inWords({ generation, completedAt, cutShortAt }: RestartRecord): string {
  if (completedAt !== undefined) return `${generation} complete`;
  return `${generation} ${cutShortAt === undefined ? 'under way' : 'cut short'}`;
}

test('a restart that the next one overtakes leaves a record that says so', (t) => {
  const hangs = { runsMs: 5_000, code: 0 };
  const node = aNode([quick, hangs, quick], [{ runsMs: 1_000, code: 88 }, forever]);
  node.run({ forMs: 2_000 });
  t.deepEqual(restarts(node).map(inWords), ['1 under way']);
  node.request({ kind: 'restart', by: 'root', at: node.now });
  const asked = node.now;
  node.run();
  t.deepEqual(restarts(node).map(inWords), ['1 cut short', '2 complete']);
  const [first, second] = restarts(node);
  t.is(first?.cutShortAt, asked);
  // What the first one has killed has not been removed yet.
  t.is(second?.killedAt, asked);
  const [setup, watcher] = first?.containers ?? [];
  t.like(setup, { name: 'setup', kind: 'init', finishedAt: undefined });
  t.truthy(setup?.startedAt);
  // What had not come up again is not told with the times of the run before.
  t.like(watcher, { name: 'watcher', startAskedAt: undefined, startedAt: undefined });
  t.deepEqual(
    node.events.filter((event) => event.startsWith('RestartedAllContainers')).length,
    1,
    'only what is complete is told to be',
  );
});

test('each turn of a loop of restarts is on record, as long as there is room', (t) => {
  const pod = aPod([aContainer('setup', restartAllOn(3))], [aContainer('main')]);
  const node = new SimulatedNode(pod, {
    behave: () => ({ runsMs: 100, code: 3 }),
    settings: { inPlaceBackoffMaxMs: 0 },
  });
  node.run({ forMs: 60_000 });
  const records = node.memory.restarts;
  t.is(records.length, 20);
  t.true(records.every(({ cutShortAt, completedAt }) => cutShortAt && completedAt === undefined));
  t.true(records.every(({ containers: [setup] }) => setup?.finishedAt !== undefined));
  t.is(records.at(-1)?.generation, node.memory.generation - 1);
});

test('the record tells when containers were created, ahead or on the way', (t) => {
  const pod = aPod(
    [aSidecar('watcher', restartAllOn(88))],
    [aContainer('main', { imagePullPolicy: 'Always' })],
  );
  const node = new SimulatedNode(pod, {
    behave: (name, run) => (name === 'watcher' && run === 0 ? { runsMs: 60_000, code: 88 } : {}),
    latencyMs: ({ kind }) => (kind === 'create-container' ? 400 : 1),
  });
  node.run();
  const [record] = node.memory.restarts;
  const { recordedAt = NaN, containers = [] } = record ?? {};
  const [watcher, main] = containers;
  t.true((watcher?.createAskedAt ?? NaN) < recordedAt);
  t.is((watcher?.createdAt ?? NaN) - (watcher?.createAskedAt ?? NaN), 400);
  t.true((main?.createAskedAt ?? NaN) >= recordedAt);
  t.is((main?.createdAt ?? NaN) - (main?.createAskedAt ?? NaN), 400);
});

const probe: Probe = {
  exec: { command: ['check'] },
  timeoutSeconds: 1,
  periodSeconds: 1,
  successThreshold: 1,
  failureThreshold: 100,
};
const postStart = { sleep: { seconds: 0 } };

/** A proxy that has to be up before the app, with the means for that; the first run ends after a minute. */
function slowNode(readyAfterMs: number, mainRuns: Behaviour = forever) {
  const pod = aPod(
    [aSidecar('proxy', { startupProbe: probe, lifecycle: { postStart }, ...restartAllOn(88) })],
    [aContainer('main', { readinessProbe: probe, ...restartOn(1) }), aContainer('plain')],
  );
  const runs: Record<string, readonly Behaviour[]> = {
    proxy: [{ runsMs: 60_000, code: 88 }, forever],
    main: [forever, mainRuns, forever],
  };
  return new SimulatedNode(pod, {
    behave: (name, run) => runs[name]?.[run] ?? forever,
    latencyMs: ({ kind }) => (kind === 'run-hook' ? 300 : 1),
    probe: (_, kind, { ms }) =>
      ms > (kind === 'startup' ? 2_500 : readyAfterMs) ? 'success' : 'failure',
  });
}

/** The times of a restart's containers, in seconds from their start. */
function fromStart({ containers }: RestartRecord): object {
  return Object.fromEntries(
    containers.map(({ name, startedAt = NaN, postStart: hook, startupProbe, readyAt }) => {
      const [hookEnd, passed, ready] = [hook?.endedAt, startupProbe?.passedAt, readyAt].map((at) =>
        at === undefined ? undefined : Math.round((at - startedAt) / 100) / 10,
      );
      return [name, { hookEnd, passed, ready }];
    }),
  );
}

test('the record tells what a sidecar held up, and when each container was ready, however late', (t) => {
  const node = slowNode(9_500);
  node.run({ forMs: 65_000 });
  const proxy = { hookEnd: 0.3, passed: 3.3, ready: 3.3 };
  const plain = { hookEnd: undefined, passed: undefined, ready: 0 };
  const main = { hookEnd: undefined, passed: undefined, ready: undefined };
  t.deepEqual(restarts(node).map(inWords), ['1 complete']);
  t.deepEqual(restarts(node).map(fromStart), [{ proxy, main, plain }]);
  node.run({ forMs: 20_000 });
  t.deepEqual(restarts(node).map(fromStart), [{ proxy, main: { ...main, ready: 10 }, plain }]);
});

test('a container that was started again since was not ready by that restart', (t) => {
  const node = slowNode(9_500, { runsMs: 5_000, code: 1 });
  node.run({ forMs: 120_000 });
  t.is(node.status.conditions.find(({ type }) => type === 'Ready')?.status, 'True');
  t.like(restarts(node)[0]?.containers[1], { name: 'main', readyAt: undefined });
});

test('the end of the pod cuts a restart short', (t) => {
  const node = aNode([quick, { runsMs: 5_000, code: 1 }], [{ runsMs: 1_000, code: 88 }]);
  node.run();
  t.is(node.status.phase, 'Failed');
  t.deepEqual(restarts(node).map(inWords), ['1 cut short']);
});

test('a restart is complete if all has started, even if its end is seen with that of the pod', (t) => {
  const pod = aPod([], [aContainer('main', restartAllOn(88))]);
  const node: SimulatedNode = new SimulatedNode(pod, {
    behave: (_, run) => (run === 0 ? { runsMs: 1_000, code: 88 } : { runsMs: 0, code: 0 }),
    // The exit comes with the answer to the start.
    latencyMs: (action) => (action.kind === 'start-container' ? 10 : 1),
  });
  node.run();
  t.is(node.status.phase, 'Succeeded');
  t.deepEqual(restarts(node).map(inWords), ['1 complete']);
});

test('a pod that was not restarted has no record', (t) => {
  const scene = { pod: referencePod(), observed: aNode([quick]).observed };
  t.deepEqual(restartsOf(scene, blankMemory), []);
});
