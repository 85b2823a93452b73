import fs from 'node:fs';
import test from 'ava';
import {
  CORE_TESTS,
  endToEndRuns,
  ESSENTIAL_TESTS,
  fits,
  LONG_TESTS,
  SMOKE_TESTS,
} from './test-plan.ts';
import type { Wishes } from './test-plan.ts';

const lines = ['1.6', '1.7', '2.1'] as const;
const own = '1.6.20';
const smoke = SMOKE_TESTS.join(' ');
const one = 'e2e/run.test.ts';
const core = CORE_TESTS.join(' ');
const without = (files: readonly string[], ...others: readonly (readonly string[])[]) =>
  files.filter((file) => !others.flat().includes(file));
const rest = without(SMOKE_TESTS, CORE_TESTS).join(' ');
const more = without(SMOKE_TESTS, ESSENTIAL_TESTS);
const others = ['a', 'b', 'c', 'd', 'e'].map((name) => `e2e/${name}.test.ts`);
const all = [...ESSENTIAL_TESTS, ...LONG_TESTS, ...more, ...others];
const unless = 'if there is time';
const essential = `own ${ESSENTIAL_TESTS.join(' ')}`;
const parts = [[...more, ...others].slice(0, 4), [...more, ...others].slice(4)];
const optional = [...parts, LONG_TESTS].map((files) => `own ${files.join(' ')}, ${unless}`);

const cases: Record<string, { asked: Partial<Wishes>; own?: string; runs: readonly string[] }> = {
  'all tests run on what is installed, and some on every other line': {
    asked: {},
    runs: [
      essential,
      `1.7 ${core}`,
      `2.1 ${core}`,
      ...optional,
      `1.7 ${rest}, ${unless}`,
      `2.1 ${rest}, ${unless}`,
    ],
  },
  'what is installed may be any line': {
    asked: {},
    own: '2.1.9',
    runs: [
      essential,
      `1.6 ${core}`,
      `1.7 ${core}`,
      ...optional,
      `1.6 ${rest}, ${unless}`,
      `1.7 ${rest}, ${unless}`,
    ],
  },
  'what is installed may be no line of ours': {
    asked: {},
    own: '2.10.1',
    runs: [
      essential,
      ...lines.map((line) => `${line} ${core}`),
      ...optional,
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
    [...SMOKE_TESTS, ...ESSENTIAL_TESTS, ...LONG_TESTS].filter(
      (file) => !fs.existsSync(new URL(file, root)),
    ),
    [],
  );
});
