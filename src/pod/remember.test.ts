import test from 'ava';
import { aContainer, aPod, anInstance } from '../testing/builders.ts';
import type { ContainerMemory, Memory } from './memory.ts';
import { blankMemory } from './memory.ts';
import type { Exit, Instance } from './observed.ts';
import { rememberRequest, rememberWhatWasSeen } from './remember.ts';
import { defaultSettings } from './settings.ts';

const pod = aPod([], [aContainer('main')]);
const finishedAt = 1_000_000;

function instance(attempt: number, more: Partial<Instance> = {}): Instance {
  return anInstance({ id: `c${attempt}`, attempt, ...more });
}

function ended(attempt: number, exit: Partial<Exit> = {}): Instance {
  const how = { code: 3, finishedAt, reason: 'Error', ...exit };
  return instance(attempt, { state: 'exited', exit: how });
}

/** What is remembered of the container after these looks, one after another. */
function after(...looks: (readonly Instance[])[]): ContainerMemory | undefined {
  const main = { attempt: 0, generation: 0, sandboxAttempt: 0, restartCount: 0 };
  let memory = { ...blankMemory, sandboxAttempt: 0, containers: { main } };
  for (const instances of looks) {
    const observed = { sandboxes: [], instances, failures: {}, requests: [], busy: false };
    const look = { pod, observed, now: finishedAt, settings: defaultSettings };
    memory = { ...memory, ...rememberWhatWasSeen(look, memory) } as typeof memory;
  }
  return memory.containers.main;
}

test('an exit is remembered with its message', (t) => {
  t.like(after([ended(0, { message: 'disk full' })])?.exit, { exitCode: 3, message: 'disk full' });
});

test('an image keeps the name that was told first, whoever is asked later', (t) => {
  const look = (image: string) => [instance(0, { image })];
  t.is(after(look('local/app:1'), look('local/app:latest'))?.image, 'local/app:1');
});

test('the time of a start stays as it was told first', (t) => {
  t.is(
    after([instance(0, { startedAt: 1999 })], [instance(0, { startedAt: 2001 })])?.startedAt,
    1999,
  );
});

test('a message that comes later than the exit is added to it', (t) => {
  const known = after([ended(0)], [ended(0, { message: 'last line' })]);
  t.like(known?.exit, { exitCode: 3, message: 'last line' });
});

const told: Record<string, readonly [known: Partial<Exit>, told: Partial<Exit>, is: object]> = {
  'a failure': [{}, { reason: 'OOMKilled' }, { exitCode: 3, reason: 'OOMKilled' }],
  'a failure with a message': [
    { message: 'first' },
    { reason: 'OOMKilled' },
    { reason: 'OOMKilled', message: 'first' },
  ],
  'a success, which has been acted on': [
    { code: 0, reason: 'Completed' },
    { code: 0, reason: 'OOMKilled' },
    { exitCode: 0, reason: 'Completed' },
  ],
  'a start that has failed': [
    { code: 128, reason: 'StartError' },
    { code: 128, reason: 'OOMKilled' },
    { exitCode: 128, reason: 'StartError' },
  ],
};
for (const [title, [known, later, is]] of Object.entries(told)) {
  test(`that memory ran out, told after the exit: ${title}`, (t) => {
    t.like(after([ended(0, known)], [ended(0, later)])?.exit, is);
  });
}

test('a message never changes, and nothing else of an exit does', (t) => {
  const known = after([ended(0, { message: 'first' })], [ended(0, { code: 4, message: 'second' })]);
  t.like(known?.exit, { exitCode: 3, message: 'first' });
});

test('a message reaches the exit of a run that was followed by another one', (t) => {
  const lastExit = { exitCode: 3, reason: 'Error', finishedAt, containerId: 'c0' };
  const main = { attempt: 1, generation: 0, sandboxAttempt: 0, restartCount: 1, lastExit };
  const memory = { ...blankMemory, sandboxAttempt: 0, containers: { main } };
  const instances = [ended(0, { message: 'last line' }), instance(1)];
  const observed = { sandboxes: [], instances, failures: {}, requests: [], busy: false };
  const look = { pod, observed, now: finishedAt, settings: defaultSettings };
  const { main: known } = rememberWhatWasSeen(look, memory).containers;
  t.is(known?.lastExit?.message, 'last line');
  t.is(known?.exit, undefined);
});

test('whom we killed for a restart in place keeps the message that says so', (t) => {
  const main = { attempt: 0, generation: 0, sandboxAttempt: 0, restartCount: 0 };
  const memory = { ...blankMemory, generation: 1, sandboxAttempt: 0, containers: { main } };
  const instances = [ended(0, { code: 137, message: 'ouch' })];
  const observed = { sandboxes: [], instances, failures: {}, requests: [], busy: false };
  const look = { pod, observed, now: finishedAt, settings: defaultSettings };
  const { main: known } = rememberWhatWasSeen(look, memory).containers;
  t.like(known?.exit, { reason: 'RestartingAllContainers' });
  t.regex(known?.exit?.message ?? '', /restarted in place/);
});

const notByUs: Record<string, [exit: Partial<Exit>, reason: string]> = {
  'killed by the kernel for want of memory': [{ code: 137, reason: 'OOMKilled' }, 'OOMKilled'],
  'killed before the trigger had ended': [{ code: 137, finishedAt: finishedAt - 1 }, 'Error'],
  'killed by us': [{ code: 137, finishedAt }, 'RestartingAllContainers'],
};
for (const [title, [exit, reason]] of Object.entries(notByUs)) {
  test(`told after the trigger: one that was ${title}`, (t) => {
    const main = { attempt: 0, generation: 0, sandboxAttempt: 0, restartCount: 0 };
    const memory: Memory = {
      ...blankMemory,
      generation: 1,
      sandboxAttempt: 0,
      containers: { main },
      restart: {
        recordedAt: finishedAt + 1,
        trigger: {
          kind: 'exit',
          container: 'watcher',
          exitCode: 88,
          ruleIndex: 0,
          exitedAt: finishedAt,
        },
      },
    };
    const observed = { sandboxes: [], instances: [ended(0, exit)], failures: {}, requests: [] };
    const look = { pod, observed: { ...observed, busy: false }, now: finishedAt + 2 };
    const { main: known } = rememberWhatWasSeen(
      { ...look, settings: defaultSettings },
      memory,
    ).containers;
    t.is(known?.exit?.reason, reason);
  });
}

for (const [how, exit, story] of [
  ['killed', { code: 137 }, { exitCode: 137, reason: 'RestartingAllContainers' }],
  ['ended by itself', { code: 3 }, { exitCode: 3, reason: 'Error' }],
] as const) {
  test(`an exit that is told when the next run is under way completes the story of one that was ${how}`, (t) => {
    const unseen = { exitCode: 137, reason: 'RestartingAllContainers', containerId: 'c0' };
    const main = { attempt: 1, generation: 1, sandboxAttempt: 0, restartCount: 1 };
    const memory = (lastExit: typeof unseen) => ({
      ...blankMemory,
      generation: 1,
      sandboxAttempt: 0,
      containers: { main: { ...main, lastExit } },
    });
    const look = (instances: readonly Instance[]) => ({
      pod,
      observed: { sandboxes: [], instances, failures: {}, requests: [], busy: false },
      now: finishedAt,
      settings: defaultSettings,
    });
    const running = instance(1, { generation: 1 });
    const before = rememberWhatWasSeen(look([instance(0), running]), memory(unseen));
    t.deepEqual(before.containers['main']?.lastExit, unseen);
    const after = rememberWhatWasSeen(look([ended(0, exit), running]), memory(unseen));
    t.like(after.containers['main']?.lastExit, { ...story, finishedAt, containerId: 'c0' });
    t.is(after.containers['main']?.exit, undefined);
  });
}

for (const [asked, granted] of [
  [0, 1],
  [5, 5],
] as const) {
  test(`who deletes with a grace of ${asked} s gets ${granted} s`, (t) => {
    const request = { kind: 'delete' as const, graceSeconds: asked, force: false, at: finishedAt };
    const observed = {
      sandboxes: [],
      instances: [],
      failures: {},
      requests: [request],
      busy: false,
    };
    const look = { pod, observed, now: finishedAt, settings: defaultSettings };
    const { ending } = rememberWhatWasSeen(look, blankMemory);
    t.is(ending?.graceSeconds, granted);
  });
}

for (const [title, { deletedAt, is }] of Object.entries({
  'goes at once, without a grace': { deletedAt: undefined, is: finishedAt },
  'and was asked to go before has no grace left': { deletedAt: 7_000, is: 7_000 },
})) {
  test(`a pod that is over ${title}`, (t) => {
    const request = { kind: 'delete' as const, graceSeconds: 60, force: false, at: finishedAt };
    const ending = { cause: 'finished', at: 5_000, graceSeconds: 30, force: false } as const;
    const memory: Memory = {
      ...blankMemory,
      ending: { ...ending, ...(deletedAt !== undefined && { deletedAt }) },
      phase: { phase: 'Succeeded' },
    };
    const known = rememberRequest(pod, memory, request, finishedAt).ending;
    t.deepEqual(known, { ...ending, at: is, graceSeconds: 0, deletedAt: is });
  });
}
