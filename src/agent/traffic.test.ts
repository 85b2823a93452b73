import test from 'ava';
import { Traffic } from './traffic.ts';

const never = new AbortController().signal;

/** Whether a promise is settled when all that is due now has happened. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

test('without restarts nobody waits', async (t) => {
  const traffic = new Traffic();
  t.true(await isSettled(traffic.whenCalm('a', never)));
});

test('a chore waits until the last other pod is done', async (t) => {
  const traffic = new Traffic();
  traffic.note('b', true);
  traffic.note('c', true);
  const chore = traffic.whenCalm('a', never);
  traffic.note('b', false);
  t.false(await isSettled(chore));
  traffic.note('c', false);
  t.true(await isSettled(chore));
});

test('a pod that restarts itself does not wait for what it has prepared', async (t) => {
  const traffic = new Traffic();
  traffic.note('b', true);
  const chore = traffic.whenCalm('a', never);
  t.false(await isSettled(chore));
  traffic.note('a', true);
  t.true(await isSettled(chore));
});

test('the signal ends the wait', async (t) => {
  const traffic = new Traffic();
  traffic.note('b', true);
  const abort = new AbortController();
  const chore = traffic.whenCalm('a', abort.signal);
  t.false(await isSettled(chore));
  abort.abort();
  t.true(await isSettled(chore));
});
