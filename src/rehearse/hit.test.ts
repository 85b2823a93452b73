// What a restart has hit.
import test from 'ava';
import { aShownPod } from '../testing/v1-pods.ts';
import { aimAt, hitOf } from './hit.ts';
import type { Life, Run, RunEnd } from './life.ts';

function lifeOf(more: Partial<Life>): Life {
  return { pod: aShownPod(), generation: 1, runs: [], isGone: false, ...more };
}

function setup(how?: RunEnd['how'], generation = 1): Run {
  const end = how && { how, at: 150, exitCode: 0, reason: 'Completed' };
  return { id: 's', container: 'setup', kind: 'init', generation, startedAt: 100, end };
}

const cases: Record<string, readonly [Partial<Life>, Partial<Life>, object]> = {
  'a pod that is up': [
    { upSince: 120, runs: [setup('completed')] },
    {},
    { kind: 'running', afterMs: 80 },
  ],
  'an init container in its middle': [
    { runs: [setup()] },
    { runs: [setup('killed')] },
    { kind: 'init', container: 'setup', afterMs: 100 },
  ],
  'one that was done just then': [
    { runs: [setup()] },
    { runs: [setup('completed')] },
    { kind: 'starting', afterMs: 150 },
  ],
  'one of an earlier generation is none': [
    { runs: [setup(undefined, 0)] },
    {},
    { kind: 'starting', afterMs: 150 },
  ],
};
for (const [title, [then, later, hit]] of Object.entries(cases)) {
  test(title, (t) => t.deepEqual({ ...hitOf(aimAt(lifeOf(then), 50, 200), lifeOf(later)) }, hit));
}
