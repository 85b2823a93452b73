// The order of the contenders: what one leaves for the next must not always hit the same one.
import test from 'ava';
import { inTurn } from './rounds.ts';

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
