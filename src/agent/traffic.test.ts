import v8 from 'node:v8';
import vm from 'node:vm';
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
  traffic.note('b', { restarts: true });
  traffic.note('c', { restarts: true });
  const chore = traffic.whenCalm('a', never);
  traffic.note('b', {});
  t.false(await isSettled(chore));
  traffic.note('c', {});
  t.true(await isSettled(chore));
});

test('a pod that restarts itself does not wait for what it has prepared', async (t) => {
  const traffic = new Traffic();
  traffic.note('b', { restarts: true });
  const chore = traffic.whenCalm('a', never);
  t.false(await isSettled(chore));
  traffic.note('a', { restarts: true });
  t.true(await isSettled(chore));
});

test('a pod that ends does not wait for others', async (t) => {
  const traffic = new Traffic();
  traffic.note('b', { restarts: true });
  const chore = traffic.whenCalm('a', never);
  const other = traffic.whenCalm('c', never);
  t.false(await isSettled(chore));
  traffic.note('a', { ends: true });
  t.true(await isSettled(chore));
  t.false(await isSettled(other));
  traffic.note('a', {});
  t.false(await isSettled(traffic.whenCalm('a', never)));
});

test('the signal ends the wait', async (t) => {
  const traffic = new Traffic();
  traffic.note('b', { restarts: true });
  const abort = new AbortController();
  const chore = traffic.whenCalm('a', abort.signal);
  t.false(await isSettled(chore));
  abort.abort();
  t.true(await isSettled(chore));
});

test('nobody waits with a signal that has come already', async (t) => {
  const traffic = new Traffic();
  traffic.note('b', { restarts: true });
  t.true(await isSettled(traffic.whenCalm('a', AbortSignal.abort())));
});

test('nothing is kept of pods that have ended', (t) => {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  const bytesInUse = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const traffic = new Traffic();
  const before = bytesInUse();
  for (let pod = 0; pod < 100_000; pod += 1) {
    const uid = `${pod}`.padStart(100, '0');
    traffic.note(uid, { restarts: true });
    traffic.note(uid, { ends: true });
  }
  const perPod = (bytesInUse() - before) / 100_000;
  t.true(perPod < 20, `${perPod} bytes for each`);
  traffic.note('last', {});
});

test('nobody makes room any more for a pod that has been restarting for half a minute', async (t) => {
  let now = 0;
  const traffic = new Traffic(() => now);
  traffic.note('stuck', { restarts: true });
  now = 29_000;
  // Told again and again, it is the same restart.
  traffic.note('stuck', { restarts: true });
  t.false(await isSettled(traffic.whenCalm('a', never)));
  now = 30_000;
  t.true(await isSettled(traffic.whenCalm('b', never)));
  traffic.note('c', { restarts: true });
  t.false(await isSettled(traffic.whenCalm('b', never)));
});
