import test from 'ava';
import { NotFoundError } from '../errors.ts';
import { errorLines, exitCodeOf } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

const missing = (name: string): Error =>
  new NotFoundError(`pods "${name}" not found`, { where: `pod default/${name}`, next: 'look' });

test('several failures are told one by one, and what is the same only once', (t) => {
  const failures = new AggregateError([missing('a'), missing('b'), missing('b')]);
  t.deepEqual(errorLines(failures, false), [
    'error: pods "a" not found',
    '   at: pod default/a',
    '  try: look',
    '',
    'error: pods "b" not found',
    '   at: pod default/b',
    '  try: look',
  ]);
});

test('several failures of one kind exit as each of them would, others with 1', (t) => {
  const usage = new UsageError('what?');
  t.is(exitCodeOf(new AggregateError([usage, usage])), 2);
  t.is(exitCodeOf(new AggregateError([missing('a'), missing('b')])), 1);
  t.is(exitCodeOf(new AggregateError([usage, missing('b')])), 1);
  t.is(exitCodeOf(new AggregateError([missing('b'), usage])), 1);
});
