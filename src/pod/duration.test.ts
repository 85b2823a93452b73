import test from 'ava';
import { formatDuration, parseDuration } from './duration.ts';

const readings: Record<string, number | undefined> = {
  '0': 0,
  '0s': 0,
  '30s': 30_000,
  '1m30s': 90_000,
  '2h': 7_200_000,
  '1h0m0.5s': 3_600_500,
  '1.5h': 5_400_000,
  '500ms': 500,
  '250us': 0.25,
  '250µs': 0.25,
  '2000000ns': 2,
  '': undefined,
  '30': undefined,
  s: undefined,
  '-5s': undefined,
  '5 s': undefined,
  '5s ': undefined,
  '1d': undefined,
  '.s': undefined,
  '1e3s': undefined,
  '2562047h47m16s': 9_223_372_036_000,
  '2562047h47m17s': undefined,
  '106752d': undefined,
  [`${'9'.repeat(190)}h`]: undefined,
  [`${'0'.repeat(190)}1h`]: 3_600_000,
  [`${'9'.repeat(400)}h`]: undefined,
  ['1s'.repeat(101)]: undefined,
  ['1s'.repeat(4_000_000)]: undefined,
};
for (const [text, ms] of Object.entries(readings)) {
  test(`"${text.slice(0, 20)}" of ${text.length} characters is ${ms === undefined ? 'no duration' : `${ms} ms`}`, (t) => {
    t.is(parseDuration(text), ms);
  });
}

const writings: readonly (readonly [number, string])[] = [
  [0, '0s'],
  [150, '150ms'],
  [1.5, '1.5ms'],
  [0.25, '250µs'],
  [999, '999ms'],
  [999.999, '999.999ms'],
  [1_000, '1s'],
  [1_500, '1.5s'],
  [10_000, '10s'],
  [160_000, '2m40s'],
  [300_000, '5m0s'],
  [3_600_000, '1h0m0s'],
  [3_661_000, '1h1m1s'],
  [90_061_250, '25h1m1.25s'],
];
test('what is less than half a microsecond is nothing', (t) => t.is(formatDuration(0.0004), '0s'));

for (const [ms, text] of writings) {
  test(`${ms} ms is written ${text}, and read back`, (t) => {
    t.is(formatDuration(ms), text);
    t.is(parseDuration(text), ms);
  });
}
