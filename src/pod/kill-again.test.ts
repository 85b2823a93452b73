// Containers that live on after SIGKILL, as far as anybody has told.
import test from 'ava';
import { anInstance } from '../testing/builders.ts';
import { clear } from './restart-all.ts';

const fresh = anInstance({ id: 'fresh', name: 'fresh' });
const known = anInstance({ id: 'known', name: 'known', killedAt: 1_000 });

test('what was killed and lives on is killed again a second later, by the runtime as well', (t) => {
  t.deepEqual(clear([fresh, known], 2_000).actions, [
    { kind: 'kill-containers', ids: ['fresh', 'known'], again: ['known'] },
  ]);
});

test('not before, and what is killed for the first time is nothing for the runtime', (t) => {
  t.deepEqual(clear([fresh, known], 1_500).actions, [{ kind: 'kill-containers', ids: ['fresh'] }]);
});
