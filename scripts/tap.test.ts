import test from 'ava';
import { count, fromWords, inWords, noFailures, note, nothing, retell } from './tap.ts';

const cases: Record<string, { lines: string[]; says: string }> = {
  'nothing is nothing': { lines: [], says: '0 passed, 0 failed' },
  'each result counts once': {
    lines: ['TAP version 13', 'ok 1 - one', 'not ok 2 - two', 'ok 3 - three', '1..3'],
    says: '2 passed, 1 failed',
  },
  'a skipped test neither passed nor failed': {
    lines: ['ok 1 - one', 'ok 2 - two # SKIP', 'not ok 3 - later # TODO'],
    says: '1 passed, 0 failed, 2 skipped',
  },
  'what a test prints and the details of a failure are not results': {
    lines: ['not ok 1 - one', '  ---', '    ok 1 - quoted', '  ...', '# ok 2 - logged', 'okay 3'],
    says: '0 passed, 1 failed',
  },
};

for (const [title, { lines, says }] of Object.entries(cases)) {
  test(title, (t) => {
    const tally = lines.reduce(count, nothing);
    t.is(inWords(tally), says);
    t.deepEqual(fromWords(says), tally);
  });
}

test('only a line that says how all went is read as that', (t) => {
  for (const line of [
    'unit tests: 1 passed, 0 failed',
    '1 passed',
    '1 passed, 0 failed (2 s)',
    '',
  ]) {
    t.is(fromWords(line), undefined, line);
  }
});

const block = (...lines: string[]): string[] => [
  '  ---',
  ...lines.map((line) => `    ${line}`),
  '  ...',
];
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `line ${i}`);

/** What is told again of a stage that has printed these lines. */
function retold(name: string, lines: readonly string[]): readonly string[] {
  const tally = lines.reduce(count, nothing);
  return retell([{ name, tally, failures: lines.reduce(note, noFailures).all }]);
}

const stories: Record<string, { lines: string[]; again: string[] }> = {
  'where nothing failed nothing is told again': {
    lines: [
      'ok 1 - one',
      '# logged',
      'ok 2 - two # SKIP',
      'not ok 3 - later # TODO',
      ...block('x'),
    ],
    again: [],
  },
  'a failure is told again with what is said of it, not with what it has logged': {
    lines: ['ok 1 - one', 'not ok 2 - two', '# logged', ...block('message: no'), 'ok 3 - three'],
    again: ['unit:', '  not ok 2 - two', '    ---', '      message: no', '    ...'],
  },
  'a block ends where it is closed, whatever is quoted in it': {
    lines: ['not ok 1 - one', ...block('...', '---', 'not ok 7 - quoted', ''), 'stray', '  ---'],
    again: [
      'unit:',
      '  not ok 1 - one',
      '    ---',
      '      ...',
      '      ---',
      '      not ok 7 - quoted',
      '      ',
      '    ...',
    ],
  },
  'a failure of which nothing is said is told again as it is': {
    lines: ['not ok 1 - one', 'not ok 2 - two', 'ok 3 - three', ...block('of nobody')],
    again: ['unit:', '  not ok 1 - one', '  not ok 2 - two'],
  },
  'of a long block head and tail are told again': {
    lines: ['not ok 1 - one', ...block(...numbered(100))],
    again: [
      'unit:',
      '  not ok 1 - one',
      '    ---',
      ...numbered(29).map((line) => `      ${line}`),
      '      (62 lines)',
      ...numbered(100)
        .slice(-9)
        .map((line) => `      ${line}`),
      '    ...',
    ],
  },
};
for (const [title, { lines, again }] of Object.entries(stories)) {
  test(title, (t) => t.deepEqual(retold('unit', lines), again));
}

test('ten failures are told again whole, the others by their line', (t) => {
  const lines = numbered(12).flatMap((line, i) => [`not ok ${i} - ${line}`, ...block('why')]);
  const again = retold('unit', lines);
  t.is(again.filter((line) => line.includes('why')).length, 10);
  t.is(again.filter((line) => line.startsWith('  not ok')).length, 12);
  t.is(again.at(-1), '  not ok 11 - line 11');
});

test('what failed without being a test is not forgotten, nor is the name of its stage', (t) => {
  const one = { passed: 3, failed: 1, skipped: 0 };
  const failures = [{ line: 'not ok 1 - one', why: [] }];
  const again = retell([
    { name: 'lint', tally: one, failures: [] },
    { name: 'unit', tally: { ...one, failed: 0 }, failures: [] },
    { name: 'end-to-end', tally: one, failures },
  ]);
  t.deepEqual(again, [
    'lint:',
    '  1 that no test tells of: see above',
    'end-to-end:',
    '  not ok 1 - one',
  ]);
});

test('nothing that is told again is a result, or says how all went', (t) => {
  const again = retold('unit', ['not ok 1 - one', ...block('1 passed, 1 failed'), 'ok 2 - two']);
  t.is(again.reduce(count, nothing), nothing);
  t.deepEqual([...new Set(again.map(fromWords))], [undefined]);
});
