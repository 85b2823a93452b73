import fs from 'node:fs';
import test from 'ava';
import { endToEndRuns, SMOKE_TESTS } from './test-plan.ts';
import type { Wishes } from './test-plan.ts';

const lines = ['1.6', '1.7', '2.1'] as const;
const own = '1.6.20';
const smoke = SMOKE_TESTS.join(' ');
const one = 'e2e/run.test.ts';

const cases: Record<string, { asked: Partial<Wishes>; own?: string; runs: readonly string[] }> = {
  'all tests run on what is installed, and some on every other line': {
    asked: {},
    runs: ['own all', `1.7 ${smoke}`, `2.1 ${smoke}`],
  },
  'what is installed may be any line': {
    asked: {},
    own: '2.1.9',
    runs: ['own all', `1.6 ${smoke}`, `1.7 ${smoke}`],
  },
  'what is installed may be no line of ours': {
    asked: {},
    own: '2.10.1',
    runs: ['own all', `1.6 ${smoke}`, `1.7 ${smoke}`, `2.1 ${smoke}`],
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
    const planned = endToEndRuns({ smoke: false, files: [], ...asked }, lines, version);
    t.deepEqual(
      planned.map(({ containerd, files }) => `${containerd} ${files.join(' ') || 'all'}`),
      runs,
    );
  });
}

test('every smoke test is there', (t) => {
  const root = new URL('../', import.meta.url);
  t.deepEqual(
    SMOKE_TESTS.filter((file) => !fs.existsSync(new URL(file, root))),
    [],
  );
});
