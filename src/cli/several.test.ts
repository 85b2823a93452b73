import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { throwAll, tryAtOnce, tryInTurn } from './several.ts';

for (const [title, trying] of [
  ['at once', tryAtOnce],
  ['one after the other', tryInTurn],
] as const) {
  test(`${title}: what fails holds up nothing else`, async (t) => {
    const halve = async (number: number): Promise<number> => {
      await delay(10);
      if (number % 2 === 1) throw new Error(`${number} is odd`);
      return number / 2;
    };
    t.deepEqual(await trying([4, 3, 2, 1], halve), {
      results: [2, 1],
      failures: [new Error('3 is odd'), new Error('1 is odd')],
    });
  });
}

test('nothing is thrown when nothing has failed', (t) => t.notThrows(() => throwAll([])));

test('one failure is thrown as it is', (t) => {
  const failure = new Error('odd');
  t.is(
    t.throws(() => throwAll([failure])),
    failure,
  );
});
