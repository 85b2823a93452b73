import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { sleep, startTimer, timeLimit } from './timers.ts';

const never = new AbortController().signal;
/** Longer than setTimeout takes, and longer than AbortSignal.timeout does. */
const days = { 25: 25 * 86_400_000, 68: 68 * 86_400_000, 'thousands of': 2 ** 31 * 1000 };
/** A timer may be early by the part of a millisecond that its clock does not have. */
const soonest = 99;

for (const [count, ms] of Object.entries(days)) {
  test(`${count} days are not over at once`, async (t) => {
    const over = new AbortController();
    const slept = sleep(ms, over.signal).catch(() => 'ended');
    let isCalled = false;
    const timer = startTimer(ms, () => (isCalled = true));
    using limit = timeLimit(ms, never);
    await delay(20);
    t.false(isCalled);
    t.false(limit.signal.aborted);
    t.is(await Promise.race([slept, Promise.resolve('asleep')]), 'asleep');
    over.abort();
    t.is(await slept, 'ended');
    timer[Symbol.dispose]();
  });
}

test('what is longer than the longest timer is waited for in parts', async (t) => {
  const begunAt = performance.now();
  await sleep(100, never, 30);
  t.true(performance.now() - begunAt >= soonest);
  const nextAt = performance.now();
  await new Promise<void>((resolve) => startTimer(100, resolve, 30));
  t.true(performance.now() - nextAt >= soonest);
});

test('a timer that is disposed of never calls back', async (t) => {
  const timer = startTimer(1, () => t.fail(), 0.5);
  timer[Symbol.dispose]();
  await delay(20);
  t.pass();
});

test('a limit ends with its signal, or when the time is over', async (t) => {
  const over = new AbortController();
  using long = timeLimit(600_000, over.signal);
  const reason = new Error('the agent ends');
  over.abort(reason);
  t.is(long.signal.reason, reason);
  using short = timeLimit(1, never);
  if (!short.signal.aborted) {
    await new Promise((resolve) => short.signal.addEventListener('abort', resolve));
  }
  t.is((short.signal.reason as Error).name, 'TimeoutError');
});
