import test from 'ava';
import { durationOption } from './duration.ts';

test('an option without bounds takes whatever a duration can be', (t) => {
  t.is(durationOption()('597h'), 597 * 3_600_000);
  t.throws(() => durationOption()(`${'9'.repeat(30)}h`), { message: /must be a duration/ });
});

test('an option keeps to its bounds', (t) => {
  const read = durationOption({ minMs: 1000, maxMs: 60_000 });
  t.is(read('1m'), 60_000);
  t.throws(() => read('999ms'), { message: 'It must be at least 1s.' });
  t.throws(() => read('61s'), { message: 'It must be at most 1m0s.' });
  t.throws(() => read('1'), { message: /must be a duration/ });
});
