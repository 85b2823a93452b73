import test from 'ava';
import { ageOf, spanInWords } from './age.ts';

const [minute, hour, day, year] = [60, 3600, 86_400, 365 * 86_400];

const cases: Record<string, number> = {
  '<invalid>': -3,
  '0s': -1.5,
  '119s': 119.9,
  '2m': 2 * minute,
  '9m59s': 10 * minute - 1,
  '10m': 10 * minute + 30,
  '179m': 3 * hour - 1,
  '3h': 3 * hour,
  '7h59m': 8 * hour - 1,
  '8h': 8 * hour + 59 * minute,
  '47h': 2 * day - 1,
  '2d': 2 * day,
  '7d23h': 8 * day - 1,
  '8d': 8 * day + 5 * hour,
  '729d': 2 * year - 1,
  '2y': 2 * year,
  '7y364d': 8 * year - 1,
  '8y': 8.5 * year,
};

for (const [words, seconds] of Object.entries(cases)) {
  test(`${seconds} seconds are ${words}`, (t) => t.is(spanInWords(seconds), words));
}

test('a time that is not known has no age', (t) => t.is(ageOf(undefined, 0), '<unknown>'));
