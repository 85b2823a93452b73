import test from 'ava';
import { count, fromWords, inWords, nothing } from './tap.ts';

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
