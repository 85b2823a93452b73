import fs from 'node:fs';
import test from 'ava';
import { CORE_TESTS, endToEndRuns, fits, LONG_TESTS, SMOKE_TESTS } from './test-plan.ts';
import type { Wishes } from './test-plan.ts';

const lines = ['1.6', '1.7', '2.1'] as const;
const own = '1.6.20';
const smoke = SMOKE_TESTS.join(' ');
const one = 'e2e/run.test.ts';
const core = CORE_TESTS.join(' ');
const rest = SMOKE_TESTS.filter((file) => !CORE_TESTS.includes(file)).join(' ');
const all = [...SMOKE_TESTS, 'e2e/logs.test.ts', ...LONG_TESTS];
const short = `own ${smoke} e2e/logs.test.ts`;
const long = `own ${LONG_TESTS.join(' ')}, if there is time`;
const unless = 'if there is time';

const cases: Record<string, { asked: Partial<Wishes>; own?: string; runs: readonly string[] }> = {
  'all tests run on what is installed, and some on every other line': {
    asked: {},
    runs: [
      short,
      `1.7 ${core}`,
      `2.1 ${core}`,
      long,
      `1.7 ${rest}, ${unless}`,
      `2.1 ${rest}, ${unless}`,
    ],
  },
  'what is installed may be any line': {
    asked: {},
    own: '2.1.9',
    runs: [
      short,
      `1.6 ${core}`,
      `1.7 ${core}`,
      long,
      `1.6 ${rest}, ${unless}`,
      `1.7 ${rest}, ${unless}`,
    ],
  },
  'what is installed may be no line of ours': {
    asked: {},
    own: '2.10.1',
    runs: [
      short,
      ...lines.map((line) => `${line} ${core}`),
      long,
      ...lines.map((line) => `${line} ${rest}, ${unless}`),
    ],
  },
  'a line gets all tests': { asked: { containerd: '1.7' }, runs: ['1.7 all'] },
  'all lines get all tests': {
    asked: { containerd: 'all' },
    runs: ['1.6 all', '1.7 all', '2.1 all'],
  },
  'only what is installed gets all tests': { asked: { containerd: 'own' }, runs: ['own all'] },
  'smoke tests alone need no other line': { asked: { smoke: true }, runs: [`own ${smoke}`] },
  'smoke tests on a line': { asked: { smoke: true, containerd: '2.1' }, runs: [`2.1 ${smoke}`] },
  'one file': { asked: { files: [one] }, runs: [`own ${one}`] },
  'one file on all lines': {
    asked: { files: [one], containerd: 'all' },
    runs: [`1.6 ${one}`, `1.7 ${one}`, `2.1 ${one}`],
  },
};
for (const [title, { asked, own: version = own, runs }] of Object.entries(cases)) {
  test(title, (t) => {
    const wishes = { smoke: false, files: [], ...asked };
    const planned = endToEndRuns(wishes, { lines, own: version, all });
    t.deepEqual(
      planned.map(
        ({ containerd, files, isOptional = false }) =>
          `${containerd} ${files.join(' ') || 'all'}${isOptional ? `, ${unless}` : ''}`,
      ),
      runs,
    );
  });
}

test('nothing that has to run is left out, and the rest only if it does not fit', (t) => {
  const run = { containerd: 'own', files: ['a', 'b', 'c'] } as const;
  t.true(fits(run, 60, 10));
  t.true(fits({ ...run, isOptional: true }, 60, 180));
  t.false(fits({ ...run, isOptional: true }, 60, 179));
});

test('every test that is named is there', (t) => {
  const root = new URL('../', import.meta.url);
  t.deepEqual(
    [...SMOKE_TESTS, ...LONG_TESTS].filter((file) => !fs.existsSync(new URL(file, root))),
    [],
  );
});
