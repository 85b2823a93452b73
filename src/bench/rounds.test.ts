// The order of the contenders: what one leaves for the next must not always hit the same one.
import test from 'ava';
import type { Contender, Method } from './contender.ts';
import { inTurn, runRounds } from './rounds.ts';

const sixRounds = [0, 1, 2, 3, 4, 5].map((round) => inTurn(['a', 'b', 'c'], round).join(''));

test('six rounds go through all six orders, and the next ones do so again', (t) => {
  t.deepEqual(sixRounds, ['abc', 'bca', 'cab', 'cba', 'bac', 'acb']);
  t.is(inTurn(['a', 'b', 'c'], 6).join(''), 'abc');
});

test('in six rounds each one follows each other one equally often, also from round to round', (t) => {
  const inARow = `${sixRounds.join('')}a`;
  const pairs = ['ab', 'ac', 'ba', 'bc', 'ca', 'cb', 'aa', 'bb', 'cc'];
  const counts = pairs.map((pair) => inARow.split(pair).length - 1);
  t.deepEqual(counts, [3, 3, 3, 3, 3, 3, 0, 0, 0]);
});

/** Restarts nothing, and calls back each time. */
function aContender(method: Method, onRestart: () => void): Contender {
  const armed = {
    fire: () => undefined,
    outcome: () => Promise.resolve({ lastActAt: 0, firstActAt: 1 }),
    [Symbol.dispose]: () => undefined,
  };
  return {
    method,
    pods: [{ name: method, shared: { arm: () => Promise.resolve(armed) } }],
    settle: () => Promise.resolve(),
    restart: () => {
      onRestart();
      return Promise.resolve([]);
    },
  } as unknown as Contender;
}

/** Two contenders that are interrupted at one of their restarts. */
async function interruptedAt(restart: number) {
  const stop = new AbortController();
  let restarts = 0;
  const count = (): void => {
    restarts += 1;
    if (restarts === restart) stop.abort(new Error('enough'));
  };
  const contenders = (['in-place', 'naive'] as const).map((method) => aContender(method, count));
  const counts = { warmUps: 1, iterations: 9 };
  return await runRounds(contenders, counts, () => undefined, stop.signal);
}

test('of a run that is interrupted the whole rounds are left, if there are any', async (t) => {
  const samples = await interruptedAt(6);
  t.deepEqual(
    samples.map(({ method, round }) => `${method} ${round}`),
    ['naive 1', 'in-place 1'],
  );
  await t.throwsAsync(interruptedAt(4), { name: 'AbortError' });
});
