import test from 'ava';
import { anInstance } from '../testing/builders.ts';
import { eventOnClock, lookOnClock } from './runtime-times.ts';

/** A clock that is an hour behind the wall clock. */
const fromWall = (time: number): number => time - 3_600_000;

test('what events tell is brought onto the clock', (t) => {
  const exit = { kind: 'exit', containerId: 'c1', exitCode: 1 } as const;
  t.deepEqual(eventOnClock({ ...exit, exitedAt: 3_600_001, seenAt: 3_600_002 }, fromWall), {
    ...exit,
    exitedAt: 1,
    seenAt: 2,
  });
  const start = { kind: 'start', containerId: 'c1', pid: 7 } as const;
  t.deepEqual(eventOnClock({ ...start, startedAt: 3_600_001 }, fromWall), {
    ...start,
    startedAt: 1,
  });
});

test('what a look tells is brought onto the clock', (t) => {
  const exit = { code: 1, reason: 'Error' };
  const times = { createdAt: 3_600_001, startedAt: 3_600_002 };
  const ended = anInstance({ ...times, exit: { ...exit, finishedAt: 3_600_003 } });
  const created = anInstance({ state: 'created', createdAt: 3_600_001, startedAt: undefined });
  t.deepEqual(lookOnClock({ sandboxes: [], instances: [ended, created] }, fromWall).instances, [
    anInstance({ createdAt: 1, startedAt: 2, exit: { ...exit, finishedAt: 3 } }),
    anInstance({ state: 'created', createdAt: 1, startedAt: undefined }),
  ]);
});
