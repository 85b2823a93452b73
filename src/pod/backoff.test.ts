import test from 'ava';
import { containerBackoff, inPlaceBackoff, retryAt } from './backoff.ts';
import type { Backoff } from './memory.ts';

/** The delays before each start of a container that always fails after running for `runsMs`. */
function delays(starts: number, { runsMs = 1_000, maxMs = 300_000 } = {}): number[] {
  const seen: number[] = [];
  let last: Backoff | undefined;
  let now = 0;
  for (let start = 0; start < starts; start++) {
    const exitedAt = now + runsMs;
    const first = containerBackoff(last, exitedAt, exitedAt, maxMs);
    const at = first.kind === 'wait' ? first.until : exitedAt;
    const then = containerBackoff(last, exitedAt, at, maxMs);
    if (then.kind !== 'go') throw new Error('the wait does not end when it says');
    seen.push((at - exitedAt) / 1000);
    last = then.backoff;
    now = at;
  }
  return seen;
}

test('a container that keeps failing waits 0, 10, 20 ... 300 seconds', (t) => {
  t.deepEqual(delays(9), [0, 10, 20, 40, 80, 160, 300, 300, 300]);
});

test('a maximum below the first delay holds for that too', (t) => {
  t.deepEqual(delays(4, { maxMs: 1_000 }), [0, 1, 1, 1]);
  t.deepEqual(delays(4, { maxMs: 15_000 }), [0, 10, 15, 15]);
});

test('after more than 10 minutes of running the next failure counts as the first again', (t) => {
  t.deepEqual(delays(4, { runsMs: 600_000 }), [0, 10, 20, 40]);
  t.deepEqual(delays(4, { runsMs: 600_001 }), [0, 0, 0, 0]);
});

test('the wait counts from the exit, and says how long it is as a whole', (t) => {
  const last = { delayMs: 20_000, at: 0 };
  t.deepEqual(containerBackoff(last, 5_000, 9_000, 300_000), {
    kind: 'wait',
    until: 25_000,
    delayMs: 20_000,
  });
  t.deepEqual(containerBackoff(last, 5_000, 25_000, 300_000), {
    kind: 'go',
    backoff: { delayMs: 40_000, at: 25_000 },
  });
});

test('in-place restarts that follow each other wait 0, 1, 2, 4 ... 60 seconds', (t) => {
  const seen: number[] = [];
  let last: Backoff | undefined;
  for (let count = 0; count < 9; count++) {
    // Each run lasts a second from the moment it was allowed.
    last = inPlaceBackoff(last, (last?.at ?? 0) + 1_000, 60_000);
    seen.push(last.delayMs / 1000);
  }
  t.deepEqual(seen, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
});

test('an in-place restart after more than 10 minutes of running has no delay', (t) => {
  const last = { delayMs: 32_000, at: 100_000 };
  t.is(inPlaceBackoff(last, 700_000, 60_000).delayMs, 60_000);
  t.deepEqual(inPlaceBackoff(last, 700_001, 60_000), { delayMs: 0, at: 700_001 });
});

const retries: Record<string, { reason: string; after: number[] }> = {
  'an image that cannot be pulled': {
    reason: 'ErrImagePull',
    after: [10, 20, 40, 80, 160, 300, 300],
  },
  'a network that is not there yet': { reason: 'NetworkNotReady', after: [1, 1, 1] },
  'somebody who was killed and lives': { reason: 'FailedKillContainer', after: [1, 1, 1] },
  'a device that is in use': { reason: 'FailedFreeDevices', after: [1, 1, 1] },
  'anything else that fails': {
    reason: 'CreateContainerError',
    after: [1, 2, 4, 8, 16, 32, 60, 60],
  },
};
for (const [title, { reason, after }] of Object.entries(retries)) {
  test(`${title} is tried again after ${after.join(', ')} seconds`, (t) => {
    const seen = after.map((_, index) =>
      retryAt({ reason, message: '', at: 5_000, count: index + 1 }),
    );
    t.deepEqual(
      seen.map((at) => (at - 5_000) / 1000),
      after,
    );
  });
}
