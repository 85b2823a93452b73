// Standbys that cannot be used: what a daemon leaves when it dies while it creates one, and old ones.
import test from 'ava';
import { aContainer, aPod, aSidecar, restartAllOn } from '../testing/builders.ts';
import { adopt } from './adopt.ts';
import { decide } from './decide.ts';
import type { ContainerMemory, Memory } from './memory.ts';
import { blankMemory } from './memory.ts';
import type { Instance, Observed } from './observed.ts';
import { defaultSettings } from './settings.ts';

const pod = aPod([aSidecar('watcher', restartAllOn(88))], [aContainer('main')]);
const inThisRun = { attempt: 0, generation: 0, sandboxAttempt: 0, restartCount: 0, startedAt: 1 };
const memory: Memory = {
  ...blankMemory,
  sandboxAttempt: 0,
  initialized: true,
  containers: { watcher: inThisRun, main: inThisRun },
};
const common = { sandboxAttempt: 0, specHash: '', gone: false };
const running = { ...common, attempt: 0, generation: 0, startedAt: 1 };
const exit = { code: 255, reason: 'Unknown', finishedAt: 5 };

function seen(standby: Partial<Instance>): Observed {
  return {
    sandboxes: [{ id: 'sandbox', attempt: 0, ready: true, ips: [] }],
    loan: { volumes: {} } as Observed['loan'],
    instances: [
      { ...running, id: 'w0', name: 'watcher', state: 'running' },
      { ...running, id: 'm0', name: 'main', state: 'running' },
      {
        ...common,
        id: 'm1',
        name: 'main',
        attempt: 1,
        generation: 1,
        state: 'unknown',
        ...standby,
      },
    ],
    failures: {},
    requests: [],
    busy: false,
  };
}

for (const [how, standby] of [
  ['of unknown state', {}],
  ['stopped by somebody', { state: 'exited', exit }],
] as const) {
  test(`a half-made standby ${how} does not count as a restart`, (t) => {
    t.is(adopt(pod, seen(standby), memory), memory);
  });

  test(`a half-made standby ${how} is removed, once it is certain that nothing of it runs`, (t) => {
    const actions = (more: Partial<Instance> = {}) =>
      decide(pod, seen({ ...standby, ...more }), memory, 10_000, defaultSettings).actions;
    t.deepEqual(actions(), [{ kind: 'prove-gone', ids: ['m1'] }]);
    t.deepEqual(actions({ gone: true }), [{ kind: 'remove-container', id: 'm1', name: 'main' }]);
  });
}

test('a standby whose image has moved is removed, and nothing of it is started', (t) => {
  const old = seen({ state: 'created', hasOldImage: true });
  t.deepEqual(decide(pod, old, memory, 10_000, defaultSettings).actions, [
    { kind: 'remove-container', id: 'm1', name: 'main' },
  ]);
  const restarting: Memory = {
    ...memory,
    generation: 1,
    containers: { watcher: { ...inThisRun, generation: 1, attempt: 1 } },
  };
  const kinds = (observed: Observed) =>
    decide(pod, observed, restarting, 10_000, defaultSettings)
      .actions.filter((action) => 'name' in action && action.name === 'main')
      .map(({ kind }) => kind);
  const alive = { ...running, attempt: 1, generation: 1, state: 'running' as const };
  const withWatcher = (observed: Observed): Observed => ({
    ...observed,
    instances: [...observed.instances.slice(2), { ...alive, id: 'w1', name: 'watcher' }],
  });
  t.deepEqual(kinds(withWatcher(seen({ state: 'created' }))), ['start-container']);
  t.deepEqual(kinds(withWatcher(old)), ['create-container']);
});

test('one that is found outdated when it is to be started is followed by another one', (t) => {
  const current = { ...inThisRun, generation: 1, attempt: 1 };
  const starting: Memory = {
    ...memory,
    generation: 1,
    containers: {
      watcher: current,
      main: { ...current, startedAt: undefined, containerId: 'm1', restartCount: 1 },
    },
  };
  const watcher = { ...running, attempt: 1, generation: 1, state: 'running' as const };
  const gone: Observed = { ...seen({}), instances: [{ ...watcher, id: 'w1', name: 'watcher' }] };
  const decision = decide(pod, gone, starting, 10_000, defaultSettings);
  t.deepEqual(decision.actions, [
    { kind: 'create-container', name: 'main', attempt: 2, generation: 1 },
  ]);
  t.is(decision.memory.containers.main?.restartCount, 1);
});

test('one that the memory has lost, but that has run, is adopted as ever', (t) => {
  const adopted = adopt(pod, seen({ state: 'running', startedAt: 3 }), memory);
  t.is(adopted.generation, 1);
  t.is(adopted.containers.main?.attempt, 1);
});

test('restarts of one that is adopted are counted on from what is remembered', (t) => {
  const counted = (known: Partial<ContainerMemory> | undefined) => {
    const { main: _, ...others } = memory.containers;
    const main = known && { main: { ...inThisRun, ...known } };
    const before: Memory = { ...memory, containers: { ...others, ...main } };
    const now = seen({ state: 'running', startedAt: 3, attempt: 4 });
    return adopt(pod, now, before).containers.main?.restartCount;
  };
  // Standbys take attempts, too.
  t.is(counted({ restartCount: 1 }), 2);
  // It was counted when it was ended.
  t.is(counted({ restartCount: 1, isOver: true }), 1);
  t.is(counted(undefined), 4);
});
