import test from 'ava';
import { aContainer, aPod } from '../testing/builders.ts';
import { aLoan } from '../testing/node.ts';
import { decide } from './decide.ts';
import type { Memory } from './memory.ts';
import { blankMemory } from './memory.ts';
import type { Failure, Observed } from './observed.ts';
import { pullInWait } from './pull-backoff.ts';
import { defaultSettings } from './settings.ts';
import { podStatus } from './status.ts';

const pod = aPod([], [aContainer('main', { image: 'registry/box:1' })]);
const failedAt = 1_000_000;

/** A look at a pod whose image was asked for in vain, for the `count`th time in a row. */
function failing(count = 1, reason = 'ErrImagePull'): Observed {
  const at = failedAt + (count - 1) * 20_000;
  return {
    sandboxes: [{ id: 's', attempt: 0, ready: true, ips: ['10.0.0.1'] }],
    instances: [],
    loan: aLoan(),
    failures: { 'create main': { reason, message: 'no such host', at, count } },
    requests: [],
    busy: false,
  };
}

const begun: Memory = { ...blankMemory, sandboxAttempt: 0 };

function lookAt(observed: Observed, memory: Memory, now: number) {
  const decision = decide(pod, observed, memory, now, defaultSettings);
  const status = podStatus(pod, observed, decision.memory, defaultSettings, {
    hostIPs: [],
    handlers: {},
  });
  return {
    ...decision,
    events: decision.events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`),
    waiting: status.containerStatuses?.[0]?.state.waiting,
  };
}

test('a failed pull is shown as a failure, then as the wait for the next try', (t) => {
  const first = lookAt(failing(), begun, failedAt);
  t.deepEqual(first.waiting, { reason: 'ErrImagePull', message: 'no such host' });
  t.deepEqual(first.events, []);
  t.is(first.lookAgainAt, failedAt + 1_000);

  const second = lookAt(failing(), first.memory, failedAt + 1_000);
  t.deepEqual(second.waiting, {
    reason: 'ImagePullBackOff',
    message: 'Back-off pulling image "registry/box:1": ErrImagePull: no such host',
  });
  t.deepEqual(second.events, [
    'Normal BackOff: Back-off pulling image "registry/box:1"',
    'Warning Failed: Error: ImagePullBackOff',
  ]);
  t.is(second.lookAgainAt, failedAt + 10_000);
});

test('a wait is told once, and the next failure is a failure again', (t) => {
  const told = lookAt(failing(), begun, failedAt + 1_000);
  const again = lookAt(failing(), told.memory, failedAt + 5_000);
  t.deepEqual(again.events, []);
  t.is(again.waiting?.reason, 'ImagePullBackOff');
  t.is(lookAt(failing(2), again.memory, failedAt + 20_000).waiting?.reason, 'ErrImagePull');
});

test('while the pull is tried again the wait is still shown', (t) => {
  const told = lookAt(failing(), begun, failedAt + 1_000);
  const retry = lookAt(failing(), told.memory, failedAt + 10_000);
  t.is(retry.actions[0]?.kind, 'create-container');
  t.is(retry.waiting?.reason, 'ImagePullBackOff');
});

test('a pull that takes its time is shown as far as it is, whatever went wrong before', (t) => {
  const told = lookAt(failing(), begun, failedAt + 1_000);
  const creating = {
    name: 'main',
    attempt: 0,
    generation: 0,
    sandboxAttempt: 0,
    specHash: '',
    state: 'creating',
    gone: false,
  } as const;
  const waitingFor = (progress?: string) => {
    const observed = { ...failing(), instances: [{ ...creating, progress }] };
    return lookAt(observed, told.memory, failedAt + 11_000).waiting;
  };
  t.is(waitingFor()?.reason, 'ImagePullBackOff');
  t.deepEqual(waitingFor('Pulling image "a": 3s'), {
    reason: 'ContainerCreating',
    message: 'Pulling image "a": 3s',
  });
});

test('the image of a volume is named, if it is that which cannot be had', (t) => {
  const failures = Object.fromEntries(
    Object.entries(failing().failures).map(([what, one]) => [what, { ...one, image: 'files:1' }]),
  );
  const told = lookAt({ ...failing(), failures }, begun, failedAt + 1_000);
  t.is(told.events[0], 'Normal BackOff: Back-off pulling image "files:1"');
  t.is(told.waiting?.message, 'Back-off pulling image "files:1": ErrImagePull: no such host');
});

test('what failed for another reason is no back-off of pulls', (t) => {
  const failed = lookAt(failing(1, 'CreateContainerError'), begun, failedAt + 1_000);
  t.deepEqual(failed.events, []);
  t.is(failed.waiting?.reason, 'CreateContainerError');
});

const inWait: Failure = {
  reason: 'ErrImagePull',
  message: 'refused',
  image: 'registry/box:1',
  at: failedAt,
  count: 1,
};
const restarted: Memory = {
  ...begun,
  restart: { trigger: { kind: 'request', by: 'me', at: failedAt }, recordedAt: failedAt + 1 },
};
const waits: Record<
  string,
  { failure?: Partial<Failure>; memory?: Memory; now?: number; waits: boolean }
> = {
  'the same image, before the next try': { waits: true },
  'at the next try': { now: failedAt + 10_000, waits: false },
  'another image': { failure: { image: 'registry/box:2' }, waits: false },
  'not a pull': { failure: { reason: 'CreateContainerError' }, waits: false },
  'what failed ahead of a restart': { memory: restarted, waits: false },
};
for (const [
  title,
  { failure, memory = begun, now = failedAt + 9_999, waits: expected },
] of Object.entries(waits)) {
  test(`whether an image waits for its next pull: ${title}`, (t) => {
    const observed = { ...failing(), failures: { 'create other': { ...inWait, ...failure } } };
    const found = pullInWait({ observed, memory }, 'registry/box:1', now);
    t.deepEqual(found, expected ? inWait : undefined);
  });
}
