import test from 'ava';
import { durationOption } from './duration.ts';

test('an option takes what a timer can wait for, unless it says otherwise', (t) => {
  t.is(durationOption()('596h31m23s'), 2_147_483_000);
  t.throws(() => durationOption()('597h'), { message: /at most 596h31m23\.647s/ });
  t.is(durationOption({ maxMs: Infinity })('597h'), 597 * 3_600_000);
});

test('an option keeps to its bounds', (t) => {
  const read = durationOption({ minMs: 1000, maxMs: 60_000 });
  t.is(read('1m'), 60_000);
  t.throws(() => read('999ms'), { message: 'It must be at least 1s.' });
  t.throws(() => read('61s'), { message: 'It must be at most 1m0s.' });
  t.throws(() => read('1'), { message: /must be a duration/ });
});
