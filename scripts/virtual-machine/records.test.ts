// Which records of earlier runs spare a test in the virtual machine.
import test from 'ava';
import { passedEarlier, recordOf } from './records.ts';

const tested = 'provisioned-1-2, checkout 3';
const head = {
  file: 'e2e/run.test.ts',
  seconds: 12,
  accelerator: 'tcg',
  runtime: 'runc',
  tested,
};
const passed = 'TAP version 13\nok 1 - runs\nok 2 - runs on # SKIP\n';
const failed = 'TAP version 13\nok 1 - runs\nnot ok 2 - runs on\n';

const cases: Record<string, readonly [string | undefined, 'spared' | 'run again']> = {
  'what passed in the same checkout, on the same disk': [recordOf(head, passed), 'spared'],
  'what was never run': [undefined, 'run again'],
  'what failed': [recordOf(head, failed), 'run again'],
  'what passed in another checkout': [
    recordOf({ ...head, tested: 'provisioned-1-2, checkout 4' }, passed),
    'run again',
  ],
  'what passed on another disk': [
    recordOf({ ...head, tested: 'provisioned-9-2, checkout 3' }, passed),
    'run again',
  ],
  'a record that does not say of what it is': [
    `# e2e/run.test.ts: 12 s, tcg, runc\n${passed}`,
    'run again',
  ],
  'a record of something else, of which a test has printed these words': [
    recordOf({ ...head, tested: 'other' }, `# tested: ${tested}\n${passed}`),
    'run again',
  ],
};
for (const [title, [record, fate]] of Object.entries(cases)) {
  test(`${title} is ${fate}`, (t) => {
    const tally = passedEarlier(record, tested);
    t.deepEqual(tally, fate === 'spared' ? { passed: 1, failed: 0, skipped: 1 } : undefined);
  });
}
