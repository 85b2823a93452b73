// What the runs of an init container say about it.
import test from 'ava';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import { aShownPod } from '../testing/v1-pods.ts';
import type { Life, RunEnd } from './life.ts';
import { reentrancyOf } from './reentrancy.ts';

const pod = aPod([aContainer('setup'), aSidecar('watcher')], [aContainer('main')]);

/** A copy in which the init container ended like this, time after time; a code is one it failed with. */
function copy(...ends: readonly (RunEnd['how'] | 'runs' | number)[]): Life {
  const runs = ends.map((end, generation) => {
    const [how, exitCode] = typeof end === 'number' ? (['failed', end] as const) : [end, 1];
    return {
      id: `run-${generation}`,
      container: 'setup',
      kind: 'init' as const,
      generation,
      ...(how !== 'runs' && { end: { how, at: generation, exitCode, reason: 'Error' } }),
    };
  });
  return { pod: aShownPod(), generation: ends.length, runs, isGone: false };
}

const cases: Record<string, readonly [readonly Life[], string, 'not all came back'?]> = {
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
  'it fails at first already, until what it waits for is there': [
    [copy('failed', 'completed', 'failed', 'completed', 'killed', 'failed', 'completed')],
    'fails at times 1+1 after completing run-2',
  ],
  'so it does in another copy': [
    [copy('completed', 'failed', 'completed'), copy('failed', 'completed')],
    'fails at times 1+0 after completing run-1',
  ],
  'it fails at first already, but in another way': [
    [copy(3, 'completed', 3, 'completed', 4, 'completed')],
    'not reentrant 2+0 after completing run-4',
  ],
  'it fails at first already, and not every restart came back': [
    [copy('failed', 'completed', 'failed', 'completed', 'failed')],
    'not reentrant 1+0 after completing run-2',
    'not all came back',
  ],
  'it fails at first only': [[copy('failed', 'completed', 'completed')], 'reentrant 1+0'],
  'it asks for a restart by a rule': [[copy('completed', 'asked', 'completed')], 'reentrant 1+0'],
};
for (const [title, [lives, words, back]] of Object.entries(cases)) {
  test(title, (t) => {
    const [setup, ...others] = reentrancyOf(pod, lives, { allCameBack: back === undefined });
    t.deepEqual(others, []);
    const { verdict, afterCompleting, afterKill, failure } = setup ?? {};
    const why = failure && ` after ${failure.after} ${failure.run.id}`;
    t.is(`${verdict} ${afterCompleting}+${afterKill}${why ?? ''}`, words);
  });
}
