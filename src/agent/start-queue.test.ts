import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { StartQueue } from './start-queue.ts';

const forever = new AbortController().signal;
/** A turn that nobody takes away, however long the machine does something else. */
const untilDone = 600_000;

/** A start that lasts until it is told to end, and whether it has begun. */
function aStart() {
  const { promise, resolve } = Promise.withResolvers<string>();
  const start = {
    begun: false,
    end: () => resolve('started'),
    do: () => {
      start.begun = true;
      return promise;
    },
  };
  return start;
}

/** Lets everything happen that is due now. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('no more than so many starts are under way at a time', async (t) => {
  const queue = new StartQueue(2, untilDone);
  const starts = [aStart(), aStart(), aStart()];
  const done = starts.map((one) => queue.do(0, one.do, forever));
  await settled();
  t.deepEqual(
    starts.map(({ begun }) => begun),
    [true, true, false],
  );
  starts[0]?.end();
  t.is(await done[0], 'started');
  await settled();
  t.true(starts[2]?.begun);
  for (const one of starts) one.end();
  await Promise.all(done);
});

test('the pod that has waited longest comes next, and of two alike the one that asked first', async (t) => {
  const queue = new StartQueue(1, untilDone);
  const first = aStart();
  const order: string[] = [];
  const all = [
    queue.do(0, first.do, forever),
    ...(
      [
        ['late', 30],
        ['early', 10],
        ['late too', 30],
        ['middle', 20],
      ] as const
    ).map(([name, since]) => queue.do(since, () => Promise.resolve(order.push(name)), forever)),
  ];
  first.end();
  await Promise.all(all);
  t.deepEqual(order, ['early', 'middle', 'late', 'late too']);
});

test('a start that fails hands its turn on', async (t) => {
  const queue = new StartQueue(1, untilDone);
  const failure = queue.do(0, () => Promise.reject(new Error('no')), forever);
  await t.throwsAsync(failure, { message: 'no' });
  t.is(await queue.do(0, () => Promise.resolve('started'), forever), 'started');
});

test('a start that hangs does not keep others from theirs', async (t) => {
  const queue = new StartQueue(1, 1);
  const hangs = aStart();
  const first = queue.do(0, hangs.do, forever);
  t.is(await queue.do(0, () => Promise.resolve('started'), forever), 'started');
  // Its turn has ended once: a second end would let two at a time.
  hangs.end();
  await first;
  const [one, two] = [aStart(), aStart()];
  const slow = new StartQueue(1, untilDone);
  const done = [slow.do(0, one.do, forever), slow.do(0, two.do, forever)];
  await settled();
  t.deepEqual([one.begun, two.begun], [true, false]);
  one.end();
  two.end();
  await Promise.all(done);
});

test('whoever does not wait any more is left out', async (t) => {
  const queue = new StartQueue(1, untilDone);
  const first = aStart();
  const under = queue.do(0, first.do, forever);
  const abort = new AbortController();
  const given = aStart();
  const waiting = queue.do(0, given.do, abort.signal);
  abort.abort(new Error('deleted'));
  await t.throwsAsync(waiting, { message: 'deleted' });
  await t.throwsAsync(queue.do(0, given.do, abort.signal), { message: 'deleted' });
  first.end();
  await under;
  await sleep(1);
  t.false(given.begun);
  t.is(await queue.do(0, () => Promise.resolve('started'), forever), 'started');
});
