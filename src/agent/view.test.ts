// News comes late, twice, out of order or not at all; the picture stays true.
import test from 'ava';
import type { Action } from '../pod/action.ts';
import type { Exit, Instance, Observed, ObservedSandbox } from '../pod/observed.ts';
import type { FullLook } from './view.ts';
import {
  blankView,
  exited,
  failed,
  issued,
  looked,
  progressed,
  pullSecretChanged,
  ranOutOfMemory,
  sandboxLost,
  signalled,
  spoke,
  started,
  succeeded,
} from './view.ts';

const create: Action = { kind: 'create-container', name: 'main', attempt: 0, generation: 0 };
const start: Action = { kind: 'start-container', id: 'c1', name: 'main' };
const stop: Action = { kind: 'stop-container', id: 'c1', name: 'main', graceSeconds: 5 };
const prove: Action = { kind: 'prove-gone', ids: ['c1'] };
const remove: Action = { kind: 'remove-container', id: 'c1', name: 'main' };
const exit: Exit = { code: 3, finishedAt: 20, reason: 'Error' };
const done = { kind: 'done' } as const;
const created = { kind: 'created', id: 'c1', imageRef: 'image@1', specHash: 'hash' } as const;
const trouble = { reason: 'Trouble', message: 'it did not work' };

function anInstance(state: Instance['state'], more: Partial<Instance> = {}): Instance {
  const identity = { id: 'c1', name: 'main', attempt: 0, generation: 0, sandboxAttempt: 0 };
  return { ...identity, specHash: 'hash', gone: false, state, ...more };
}

function withOne(state: Instance['state'], more: Partial<Instance> = {}): Observed {
  return { ...blankView, instances: [anInstance(state, more)] };
}

function seeing(...instances: Instance[]): FullLook {
  return { sandboxes: [], instances };
}

/** The states of all instances. */
function states({ instances }: Observed): string[] {
  return instances.map(({ state }) => state);
}

test('a container is creating, created, starting, running, exited as its news come in', (t) => {
  let view = issued(blankView, create, 0, 1);
  t.deepEqual(states(view), ['creating']);
  t.is(view.instances[0]?.id, undefined);
  view = succeeded(view, create, created, 2);
  t.like(view.instances, [{ state: 'created', id: 'c1', imageRef: 'image@1', specHash: 'hash' }]);
  view = issued(view, start, 0, 3);
  t.deepEqual(states(view), ['starting']);
  view = succeeded(view, start, done, 4);
  t.like(view.instances, [{ state: 'running', startedAt: 4 }]);
  view = exited(view, 'c1', exit);
  t.like(view.instances, [{ state: 'exited', exit, gone: false }]);
  view = succeeded(view, prove, done, 21);
  t.like(view.instances, [{ state: 'exited', exit, gone: true }]);
  view = succeeded(view, remove, done, 22);
  t.deepEqual(view.instances, []);
});

test('when the creation of a container was asked for and answered stays, whatever a look tells', (t) => {
  const view = succeeded(issued(blankView, create, 0, 1), create, created, 2);
  const times = { createAskedAt: 1, createdAt: 2 };
  t.like(view.instances, [times]);
  const seen = looked(view, view, seeing(anInstance('created', { createdAt: 1.5 })));
  t.like(seen.instances, [times]);
});

test('an exit that comes before the answer of its start stays', (t) => {
  const view = succeeded(exited(withOne('starting'), 'c1', exit), start, done, 25);
  t.like(view.instances, [{ state: 'exited', exit, startedAt: 20 }]);
});

test('an exit stays when its start is said to have failed', (t) => {
  const view = failed(exited(withOne('starting'), 'c1', exit), start, trouble, 25);
  t.like(view.instances, [{ state: 'exited', exit }]);
});

test('the first exit is final', (t) => {
  const view = exited(withOne('exited', { exit }), 'c1', { ...exit, code: 255 });
  t.like(view.instances, [{ exit }]);
});

test('news of a start comes before or after its answer, or after its exit', (t) => {
  t.like(started(withOne('starting'), 'c1', { startedAt: 7, pid: 70 }).instances, [
    { state: 'running', startedAt: 7 },
  ]);
  t.like(started(withOne('running', { startedAt: 6 }), 'c1', { startedAt: 7, pid: 70 }).instances, [
    { startedAt: 6 },
  ]);
  t.like(started(withOne('exited', { exit }), 'c1', { startedAt: 7, pid: 70 }).instances, [
    { state: 'exited', startedAt: 7 },
  ]);
});

test('a start that an earlier agent had asked for is heard of', (t) => {
  t.deepEqual(states(started(withOne('created'), 'c1', { startedAt: 7, pid: 70 })), ['running']);
});

test('a stop is known until it has failed', (t) => {
  const view = issued(withOne('running'), stop, 0, 1_000);
  t.is(view.instances[0]?.stopBy, 6_000);
  t.is(succeeded(view, stop, done, 2_000).instances[0]?.stopBy, 6_000);
  t.is(failed(view, stop, trouble, 2_000).instances[0]?.stopBy, undefined);
});

test('how far a creation is, is known until it is over', (t) => {
  const begun = issued(blankView, create, 0, 1);
  const going = progressed(begun, create, 'half of it');
  t.like(going.instances, [{ state: 'creating', progress: 'half of it' }]);
  t.like(succeeded(going, create, created, 2).instances, [
    { state: 'created', progress: undefined },
  ]);
  t.deepEqual(progressed(begun, { ...create, attempt: 7 }, 'of another'), begun);
});

test('a message that is found after the exit is added to it, once', (t) => {
  const running = succeeded(issued(blankView, create, 0, 1), create, created, 2);
  t.deepEqual(spoke(running, 'c1', 'too early'), running);
  const over = exited(running, 'c1', { code: 3, finishedAt: 4, reason: 'Error' });
  const said = spoke(over, 'c1', 'disk full');
  t.like(said.instances, [{ exit: { code: 3, message: 'disk full' } }]);
  t.deepEqual(spoke(said, 'c1', 'something else'), said);
});

test('that a container ran out of memory corrects its exit, told or seen', (t) => {
  const running = withOne('running');
  t.deepEqual(ranOutOfMemory(running, 'c1'), running);
  const over = exited(running, 'c1', exit);
  const corrected = [{ exit: { ...exit, reason: 'OOMKilled' } }];
  t.like(ranOutOfMemory(over, 'c1').instances, corrected);
  const seen = anInstance('exited', { exit: { code: 255, finishedAt: 9, reason: 'OOMKilled' } });
  t.like(looked(over, over, seeing(seen)).instances, corrected);
});

test('one that was outdated is gone, and no failure', (t) => {
  const view = { ...blankView, instances: [anInstance('created')] };
  const start = { kind: 'start-container', id: 'c1', name: 'main' } as const;
  const after = succeeded(view, start, { kind: 'outdated' }, 3);
  t.deepEqual(after.instances, []);
  t.deepEqual(after.failures, {});
});

test('failures are counted until a success, under what failed', (t) => {
  let view = failed(blankView, create, trouble, 1);
  view = failed(view, { ...create, attempt: 1 }, trouble, 2);
  t.like(view.failures, { 'create main': { count: 2, at: 2, reason: 'Trouble' } });
  t.deepEqual(succeeded(view, create, created, 3).failures, {});
});

const unlike: Record<string, readonly [reasons: readonly string[], count: number]> = {
  'a failed pull after other failures is the first': [
    ['CreateContainerConfigError', 'CreateContainerError', 'ErrImagePull'],
    1,
  ],
  'an error of a container after failed pulls is the first': [
    ['ErrImagePull', 'ImageInspectError', 'CreateContainerError'],
    1,
  ],
  'a sandbox that fails after a wait for the network has failed once': [
    ['NetworkNotReady', 'NetworkNotReady', 'FailedCreatePodSandBox'],
    1,
  ],
  'what is tried again at the same pace is counted together': [
    ['CreateContainerConfigError', 'CreateContainerError'],
    2,
  ],
};
for (const [title, [reasons, count]] of Object.entries(unlike)) {
  test(`of failures that are retried at different paces, ${title}`, (t) => {
    const view = reasons.reduce(
      (sofar, reason, at) => failed(sofar, create, { reason, message: '' }, at),
      blankView,
    );
    t.like(view.failures, { 'create main': { count, reason: reasons.at(-1) } });
  });
}

test('a failure that is met again keeps its time and its count', (t) => {
  const pull = { reason: 'ErrImagePull', message: 'refused', image: 'a' };
  const first = failed(blankView, create, pull, 1);
  const met = failed(first, { ...create, name: 'twin' }, { ...pull, at: 1, count: 4 }, 2);
  t.deepEqual(met.failures['create twin'], { ...pull, at: 1, count: 4 });
});

test('attempts to run a sandbox are counted together, though their numbers differ', (t) => {
  const first = failed(blankView, { kind: 'run-sandbox', attempt: 0 }, trouble, 1);
  const second = failed(first, { kind: 'run-sandbox', attempt: 1 }, trouble, 2);
  t.deepEqual(
    Object.values(second.failures).map(({ count }) => count),
    [2],
  );
});

test('a failure is forgotten 10 minutes later, and does not pile up', (t) => {
  const old = failed(blankView, start, trouble, 0);
  const later = failed(old, create, trouble, 600_001);
  t.deepEqual(Object.keys(later.failures), ['create main']);
  t.is(failed(old, start, trouble, 600_001).failures['start main (c1)']?.count, 1);
});

test('a placeholder stays until its creation has answered, and goes when that fails', (t) => {
  const view = issued(blankView, create, 0, 1);
  t.deepEqual(states(looked(view, view, seeing())), ['creating']);
  t.deepEqual(states(failed(view, create, trouble, 2)), []);
});

test('a placeholder that a look finds is the same container, before and after the answer', (t) => {
  const view = issued(blankView, create, 0, 1);
  const found = looked(view, view, seeing(anInstance('created')));
  t.like(found.instances, [anInstance('created')]);
  t.is(found.instances.length, 1);
  t.is(succeeded(found, create, created, 3).instances.length, 1);
});

const races: Record<string, { before: Observed; since?: Observed; saw: FullLook; is: string[] }> = {
  'what vanished from the runtime goes': { before: withOne('running'), saw: seeing(), is: [] },
  'what was created during the look stays': {
    before: blankView,
    since: withOne('created'),
    saw: seeing(),
    is: ['created'],
  },
  'what was removed during the look does not come back': {
    before: withOne('exited', { exit, gone: true }),
    since: blankView,
    saw: seeing(anInstance('exited', { exit })),
    is: [],
  },
  'what began to start during the look is not created again': {
    before: withOne('created'),
    since: withOne('starting'),
    saw: seeing(anInstance('created')),
    is: ['starting'],
  },
  'what ran during the look is not created again': {
    before: withOne('starting'),
    since: withOne('running', { startedAt: 5 }),
    saw: seeing(anInstance('created')),
    is: ['running'],
  },
  'what has exited does not run again, however long the look lags behind': {
    before: withOne('exited', { exit }),
    saw: seeing(anInstance('running')),
    is: ['exited'],
  },
  'an exit that nobody told is found': {
    before: withOne('running'),
    saw: seeing(anInstance('exited', { exit })),
    is: ['exited'],
  },
  'a start that was said to have failed is found': {
    before: withOne('created'),
    saw: seeing(anInstance('running', { startedAt: 5 })),
    is: ['running'],
  },
  'a start that was given up is found': {
    before: withOne('created'),
    saw: seeing(anInstance('aborted')),
    is: ['aborted'],
  },
  'what the runtime lost track of is unknown': {
    before: withOne('running'),
    saw: seeing(anInstance('unknown')),
    is: ['unknown'],
  },
};
for (const [title, { before, since = before, saw, is }] of Object.entries(races)) {
  test(title, (t) => t.deepEqual(states(looked(since, before, saw)), is));
}

test('a look keeps what only we know: the proof, the stop, the kill, the first start time', (t) => {
  const known = { exit, gone: true, stopBy: 50, killedAt: 40, startedAt: 5 };
  const view = withOne('exited', known);
  const seen = anInstance('exited', { exit: { ...exit, code: 255 }, startedAt: 6 });
  t.like(looked(view, view, seeing(seen)).instances, [known]);
});

test('a sandbox is ready, lost, and gone with all that is in it', (t) => {
  const sandbox: ObservedSandbox = { id: 's0', attempt: 0, ready: true, ips: ['10.0.0.2'] };
  const run: Action = { kind: 'run-sandbox', attempt: 0 };
  let view = succeeded(withOne('running'), run, { kind: 'sandbox', sandbox }, 1);
  t.deepEqual(view.sandboxes, [sandbox]);
  view = sandboxLost(view, 's0');
  t.false(view.sandboxes[0]?.ready);
  view = succeeded(view, { kind: 'remove-sandbox', id: 's0' }, done, 2);
  t.deepEqual([view.sandboxes, view.instances], [[], []]);
});

test('a sandbox that was lost or removed during a look does not come back with it', (t) => {
  const sandbox: ObservedSandbox = { id: 's0', attempt: 0, ready: true, ips: [] };
  const before = { ...blankView, sandboxes: [sandbox] };
  const look = { sandboxes: [sandbox], instances: [] };
  t.deepEqual(looked(sandboxLost(before, 's0'), before, look).sandboxes, [
    { ...sandbox, ready: false },
  ]);
  t.deepEqual(looked(blankView, before, look).sandboxes, []);
  t.deepEqual(looked(before, before, look).sandboxes, [sandbox]);
});

test('a sandbox that was lost before a look stays lost, though it is still called ready', (t) => {
  const sandbox: ObservedSandbox = { id: 's0', attempt: 0, ready: true, ips: [] };
  const lost = sandboxLost({ ...blankView, sandboxes: [sandbox] }, 's0');
  t.deepEqual(looked(lost, lost, { sandboxes: [sandbox], instances: [] }).sandboxes, [
    { ...sandbox, ready: false },
  ]);
});

test('a sandbox made during a look stays, before older ones', (t) => {
  const old: ObservedSandbox = { id: 's0', attempt: 0, ready: false, ips: [] };
  const made: ObservedSandbox = { id: 's1', attempt: 1, ready: true, ips: [] };
  const before = { ...blankView, sandboxes: [old] };
  const since = { ...blankView, sandboxes: [made, old] };
  const look = { sandboxes: [old], instances: [] };
  t.deepEqual(looked(since, before, look).sandboxes, [made, old]);
});

test('a Secret that pulls waited for ends their back-off, and that of nothing else', (t) => {
  const failures = {
    'create main': { reason: 'ErrImagePull', message: '401', at: 1, count: 3 },
    'create other': { reason: 'ErrImageNeverPull', message: 'not yours', at: 1, count: 3 },
    'run sandbox': { reason: 'FailedCreatePodSandBox', message: 'busy', at: 1, count: 3 },
  };
  const after = pullSecretChanged({ ...blankView, failures });
  t.deepEqual(Object.keys(after.failures), ['run sandbox']);
});

test('that a sandbox was stopped is known as long as it is there', (t) => {
  const lost = { id: 's', attempt: 0, ready: false, ips: [] };
  const view = { ...blankView, sandboxes: [{ ...lost, ready: true }] };
  const stopped = succeeded(view, { kind: 'stop-sandbox', id: 's' }, { kind: 'done' }, 1);
  t.deepEqual(stopped.sandboxes, [{ ...lost, isStopped: true }]);
  const seen = { sandboxes: [lost], instances: [] };
  t.deepEqual(looked(stopped, stopped, seen).sandboxes, [{ ...lost, isStopped: true }]);
  t.deepEqual(looked(view, view, seen).sandboxes, [lost]);
});

test('that a container has had its stop signal is known, whatever a look tells', (t) => {
  const view = signalled(withOne('running'), 'c1');
  t.like(view.instances, [{ isSignalled: true }]);
  t.like(looked(view, view, seeing(anInstance('running'))).instances, [{ isSignalled: true }]);
});
