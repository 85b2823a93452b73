import test from 'ava';
import type { Instance } from '../pod/observed.ts';
import { anInstance } from '../testing/builders.ts';
import { StrayExits } from './stray-exits.ts';

const running = anInstance({ id: 'a' });
const exit = { code: 88, finishedAt: 5, reason: 'Error', seenAt: 6 };

test('an exit that was heard of before the look overrides what the look still shows', (t) => {
  const strays = new StrayExits();
  strays.add('a', exit);
  const { instances } = strays.putInto({ sandboxes: [], instances: [running] });
  t.deepEqual(instances, [{ ...running, state: 'exited', exit }]);
});

test('what the look knows better stays, and so do others', (t) => {
  const strays = new StrayExits();
  strays.add('a', exit);
  const known: Instance = { ...running, state: 'exited', exit: { ...exit, code: 3 } };
  const other: Instance = { ...running, id: 'b' };
  const { instances } = strays.putInto({ sandboxes: [], instances: [known, other] });
  t.deepEqual(instances, [known, other]);
});

test('only the latest are kept', (t) => {
  const strays = new StrayExits();
  strays.add('a', exit);
  for (let count = 0; count < 500; count++) strays.add(`other-${count}`, exit);
  const { instances } = strays.putInto({ sandboxes: [], instances: [running] });
  t.deepEqual(instances, [running]);
});
