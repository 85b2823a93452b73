// What the runs of an init container say about it.
import test from 'ava';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import { aShownPod } from '../testing/v1-pods.ts';
import type { Life, RunEnd } from './life.ts';
import { reentrancyOf } from './reentrancy.ts';

const pod = aPod([aContainer('setup'), aSidecar('watcher')], [aContainer('main')]);

/** A copy in which the init container ended like this, time after time. */
function copy(...ends: readonly (RunEnd['how'] | 'runs')[]): Life {
  const runs = ends.map((how, generation) => ({
    id: `run-${generation}`,
    container: 'setup',
    kind: 'init' as const,
    generation,
    ...(how !== 'runs' && { end: { how, at: generation, exitCode: 1, reason: 'Error' } }),
  }));
  return { pod: aShownPod(), generation: ends.length, runs, isGone: false };
}

const cases: Record<string, readonly [readonly Life[], string]> = {
  'it never ran again': [[copy('completed')], 'unknown 0+0'],
  'it was never able to end': [[copy('killed', 'runs')], 'unknown 0+0'],
  'a fresh copy is no second run': [[copy('completed'), copy('failed')], 'unknown 0+0'],
  'it fails by itself at first': [[copy('failed', 'failed')], 'unknown 0+0'],
  'it completes again and again': [[copy('completed', 'completed', 'completed')], 'reentrant 2+0'],
  'it completes after a kill': [[copy('completed', 'killed', 'completed')], 'reentrant 0+1'],
  'it fails after completing': [
    [copy('completed', 'failed')],
    'not reentrant 0+0 after completing run-1',
  ],
  'it fails after a kill, though it does not after completing': [
    [copy('completed', 'completed'), copy('completed', 'killed', 'failed')],
    'not reentrant 1+0 after a kill run-2',
  ],
  'a second try that works does not make it good': [
    [copy('completed', 'failed', 'completed')],
    'not reentrant 1+0 after completing run-1',
  ],
  'it hangs': [[copy('completed', 'hung')], 'not reentrant 0+0 after completing run-1'],
  'it asks for a restart by a rule': [[copy('completed', 'asked', 'completed')], 'reentrant 1+0'],
};
for (const [title, [lives, words]] of Object.entries(cases)) {
  test(title, (t) => {
    const [setup, ...others] = reentrancyOf(pod, lives);
    t.deepEqual(others, []);
    const { verdict, afterCompleting, afterKill, failure } = setup ?? {};
    const why = failure && ` after ${failure.after} ${failure.run.id}`;
    t.is(`${verdict} ${afterCompleting}+${afterKill}${why ?? ''}`, words);
  });
}
