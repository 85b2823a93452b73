import test from 'ava';
import { happenings } from './marks.ts';
import type { Sample } from './rounds.ts';
import { firstAct, medianOf, spreadOf, summarize } from './summary.ts';

/** Rounds with one pod; times in the order in-place, naive, re-creation. */
function rounds(...times: readonly (readonly [number, number, number])[]): readonly Sample[] {
  return times.flatMap(([inPlace, naive, reCreation], index) => [
    sample('in-place', index + 1, inPlace),
    sample('naive', index + 1, naive),
    sample('re-creation', index + 1, reCreation),
  ]);
}

function sample(
  method: Sample['method'],
  round: number,
  totalMs: number,
  marks: Sample['pods'][number]['marks'] = [],
): Sample {
  return { method, round, totalMs, pods: [{ name: 'one', latencyMs: totalMs, marks }] };
}

const medians = {
  'of one number is that number': { of: [3], is: 3 },
  'of an odd count is the middle one, in whatever order they come': { of: [9, 1, 5], is: 5 },
  'of an even count is halfway between the two in the middle': { of: [1, 2, 4, 100], is: 3 },
};
for (const [title, { of, is }] of Object.entries(medians)) {
  test(`the median ${title}`, (t) => t.is(medianOf(of), is));
}

test('p95 of twenty is the nineteenth, so that one outlier does not decide it', (t) => {
  const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
  t.deepEqual(spreadOf(numbers), { count: 20, best: 1, median: 10.5, p95: 19, worst: 20 });
});

test('a ratio is the ratio of the medians, within its interval', (t) => {
  const { ratios } = summarize(rounds([100, 200, 400], [110, 210, 390], [120, 190, 410]));
  t.deepEqual(
    ratios.map(({ to, ratio }) => [to, ratio]),
    [
      ['naive', 110 / 200],
      ['re-creation', 110 / 400],
    ],
  );
  for (const { ratio, low, high } of ratios) t.true(low <= ratio && ratio <= high);
});

test('rounds that are all alike leave no doubt about the ratio', (t) => {
  const { ratios } = summarize(rounds([50, 100, 200], [50, 100, 200], [50, 100, 200]));
  t.deepEqual(ratios[0], { to: 'naive', ratio: 0.5, low: 0.5, high: 0.5 });
});

test('a disturbance that hits a whole round widens the interval of the ratio but little', (t) => {
  const shared = summarize(rounds([50, 100, 1], [60, 120, 1], [200, 400, 1], [55, 110, 1]));
  const apart = summarize(rounds([50, 400, 1], [60, 100, 1], [200, 110, 1], [55, 120, 1]));
  const width = ({ ratios: [first] }: typeof shared): number =>
    (first?.high ?? NaN) - (first?.low ?? NaN);
  t.true(width(shared) < 0.01);
  t.true(width(apart) > 0.2);
});

test('the same samples give the same summary', (t) => {
  const samples = rounds([100, 210, 400], [130, 200, 390], [120, 190, 410]);
  t.deepEqual(summarize(samples), summarize(samples));
});

test('with many pods each of them counts, and so does the round as a whole', (t) => {
  const pods = [10, 20, 60].map((latencyMs, index) => ({ name: `${index}`, latencyMs, marks: [] }));
  const storm = (['in-place', 'naive', 're-creation'] as const).map((method) => {
    return { method, round: 1, totalMs: 65, pods };
  });
  const [inPlace] = summarize(storm).methods;
  t.like(inPlace?.totalMs, { count: 1, median: 65 });
  t.like(inPlace?.podMs, { count: 3, median: 20, worst: 60 });
});

test('the parts of a restart are told from mark to mark, and what has no mark is left out', (t) => {
  const marks = [
    { what: happenings.exited, at: 2 },
    { what: happenings.seen, at: 3 },
    { what: happenings.killed, at: 5 },
    { what: happenings.dead, at: 9 },
  ];
  const inPlace = sample('in-place', 1, 100, marks);
  const own = { allMs: 8, newsMs: 2, dyingMs: 3, agentMs: 3 };
  const { parts, course } = summarize([
    { ...inPlace, pods: inPlace.pods.map((one) => ({ ...one, own })) },
    sample('naive', 1, 200),
    sample('re-creation', 1, 400),
  ]);
  t.deepEqual(
    parts.map(({ what, ms }) => `${what}: ${ms.median}`),
    [
      "trigger's last act to its exit: 2",
      'exit to its detection: 1',
      'detection to first kill: 2',
      'first kill to proof of death: 4',
      'neither call nor init container, in all: 8',
      'of that: news of exits on its way: 2',
      'of that: the killed dying: 3',
      "of that: reprise's own work: 3",
    ],
  );
  t.deepEqual(course.at(-1), { what: firstAct, at: 100 });
});
