import { getEventListeners } from 'node:events';
import test from 'ava';
import { unlessAborted } from './unless-aborted.ts';

test('what comes before the signal is the result, and nothing listens to the signal any more', async (t) => {
  const { signal } = new AbortController();
  t.is(await unlessAborted(Promise.resolve(1), signal), 1);
  await t.throwsAsync(unlessAborted(Promise.reject(new Error('failed')), signal), {
    message: 'failed',
  });
  t.deepEqual(getEventListeners(signal, 'abort'), []);
});

test('the signal ends the wait, also for what would never come', async (t) => {
  const end = new AbortController();
  const wait = unlessAborted(new Promise(() => undefined), end.signal);
  end.abort(new Error('over'));
  await t.throwsAsync(wait, { message: 'over' });
});

test('a signal that has come already counts more than a result, and what fails later harms nobody', async (t) => {
  const over = AbortSignal.abort(new Error('over'));
  await t.throwsAsync(unlessAborted(Promise.resolve(1), over), { message: 'over' });
  await t.throwsAsync(unlessAborted(Promise.reject(new Error('failed')), over), {
    message: 'over',
  });
});
