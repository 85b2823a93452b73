import test from 'ava';
import type { PodEvent } from '../pod/decision.ts';
import { anInstance } from '../testing/builders.ts';
import { withNames } from './container-names.ts';

const ids = { main: 'a'.repeat(64), helper: 'b'.repeat(64) };
const instances = [
  ...Object.entries(ids).map(([name, id]) => anInstance({ name, id })),
  anInstance({ name: 'unborn', id: undefined }),
];

function told(message: string): PodEvent {
  return { type: 'Warning', reason: 'Failed', message, container: 'main' };
}

const cases: Record<string, readonly [string, string]> = {
  'as often as it is there': [`task ${ids.main}: no ${ids.main}`, 'task main: no main'],
  'of other containers, too': [`"${ids.helper}" is in the way`, '"helper" is in the way'],
  'what is not of this pod stays as it is': [`no ${'c'.repeat(64)}`, `no ${'c'.repeat(64)}`],
  'nothing to replace': ['no space left on device', 'no space left on device'],
};
for (const [title, [before, after]] of Object.entries(cases)) {
  test(`ids become names: ${title}`, (t) => {
    t.deepEqual(withNames(told(before), instances), told(after));
  });
}
