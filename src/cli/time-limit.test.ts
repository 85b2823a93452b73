import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { withinTime } from './time-limit.ts';

const late = { what: 'it is not there', where: 'pod default/web', next: 'wait' };

test('what comes in time is passed on, also within no time limit or longer than any timer takes', async (t) => {
  const act = async (signal: AbortSignal) => {
    await delay(50);
    return signal.aborted;
  };
  for (const ms of [undefined, 0, 600_000, 30 * 86_400_000, 2 ** 31 * 1000]) {
    t.false(await withinTime(ms, late, act), String(ms));
  }
});

test('what does not is told', async (t) => {
  const act = (signal: AbortSignal) => delay(600_000, undefined, { signal });
  await t.throwsAsync(withinTime(10, late, act), {
    message: 'timed out after 10ms: it is not there',
  });
});
