// The verdict over a start: back, not back, or wait and till when.
import test from 'ava';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import { aShownPod, status, waiting } from '../testing/v1-pods.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import type { Life, Run, RunEnd } from './life.ts';
import { lengthsOf, step } from './step.ts';
import type { Step, Task } from './step.ts';

const pod = aPod([aContainer('setup'), aSidecar('watcher')], [aContainer('main')]);
const task: Task = {
  since: 1_000,
  settleMs: 500,
  timeoutMs: 9_000,
  lengths: new Map(),
  isFirst: false,
};

function lifeOf(more: Partial<Life> & { phase?: V1Pod['status']['phase'] } = {}): Life {
  const { phase = 'Running', ...rest } = more;
  const shown = aShownPod({
    init: [status('setup', waiting('PodInitializing')), status('watcher', waiting('x'))],
    sidecars: ['watcher'],
    main: [status('main', waiting('PodInitializing'))],
    status: { phase },
  });
  return { pod: shown, generation: 1, runs: [], isGone: false, ...rest };
}

function run(container: string, more: Partial<Run> = {}): Run {
  const kind = container === 'setup' ? 'init' : container === 'main' ? 'app' : 'sidecar';
  return { id: `${container}-1`, container, kind, generation: 1, startedAt: 1_100, ...more };
}

function end(how: RunEnd['how'], at: number, exitCode = how === 'failed' ? 1 : 0): RunEnd {
  return { how, at, exitCode, reason: 'Error' };
}

const inSetup = { kind: 'init', container: 'setup', fraction: 0.5 } as const;

/** `not-back: it keeps failing: main`, or `wait 1500`. */
function inWords(verdict: Step): string {
  if (verdict.kind === 'wait') return `wait ${verdict.until}`;
  const { outcome } = verdict;
  if (outcome.kind !== 'not-back') return outcome.kind;
  const { why, culprit } = outcome;
  const who = culprit && `${culprit.container}${culprit.waiting ? ` (${culprit.waiting})` : ''}`;
  return [outcome.kind, why, who].filter(Boolean).join(': ');
}

const cases: Record<string, readonly [Life, Partial<Task>, number, string]> = {
  'nothing is up yet: till the time is over': [lifeOf(), {}, 1_200, 'wait 10000'],
  'all is up, but not for long': [lifeOf({ upSince: 1_200 }), {}, 1_300, 'wait 1700'],
  'all has been up for long enough': [lifeOf({ upSince: 1_200 }), {}, 1_700, 'back'],
  'it may show that it stays up, even when the time is over': [
    lifeOf({ upSince: 9_900 }),
    {},
    10_100,
    'wait 10400',
  ],
  'the time is over': [lifeOf(), {}, 10_000, 'not-back: timed out: setup (PodInitializing)'],
  'the time is over, and it was the second container': [
    lifeOf({ runs: [run('setup', { end: end('completed', 1_150) })] }),
    {},
    10_000,
    'not-back: timed out: watcher (x)',
  ],
  'the next restart waits for the pod to be back, and for its moment': [
    lifeOf({ upSince: 1_200 }),
    { next: { kind: 'running', fraction: 0.5 } },
    1_800,
    'wait 1950',
  ],
  'the moment after it is back': [
    lifeOf({ upSince: 1_200 }),
    { next: { kind: 'running', fraction: 0.5 } },
    1_950,
    'back',
  ],
  'the next restart comes just after all is up': [
    lifeOf({ upSince: 1_200 }),
    { next: { kind: 'just-up', fraction: 0.1 } },
    1_250,
    'cut-short',
  ],
  'the next restart waits for the middle of an init container': [
    lifeOf({ runs: [run('setup')] }),
    { next: inSetup, lengths: new Map([['setup', 80]]) },
    1_110,
    'wait 1140',
  ],
  'the middle of the init container': [
    lifeOf({ runs: [run('setup')] }),
    { next: inSetup, lengths: new Map([['setup', 80]]) },
    1_140,
    'cut-short',
  ],
  'an init container nobody knows yet is hit at once': [
    lifeOf({ runs: [run('setup')] }),
    { next: inSetup },
    1_101,
    'cut-short',
  ],
  'an init container that was too quick is missed': [
    lifeOf({ runs: [run('setup', { end: end('completed', 1_103) })], upSince: 1_200 }),
    { next: inSetup },
    1_300,
    'wait 1700',
  ],
  'an init container of an earlier generation is none': [
    lifeOf({ runs: [run('setup', { generation: 0 })] }),
    { next: inSetup },
    1_300,
    'wait 10000',
  ],
  'a fresh copy that would be done too soon is hit before that': [
    lifeOf({ upSince: 1_200 }),
    { next: { kind: 'running', fraction: 0.5 }, doneAfterMs: 100, isFirst: true },
    1_210,
    'wait 1240',
  ],
  'a restarted one may show that it gets done': [
    lifeOf({ upSince: 1_200 }),
    { next: { kind: 'running', fraction: 0.5 }, doneAfterMs: 100 },
    1_210,
    'wait 1950',
  ],
  'just after all is up is before it is done': [
    lifeOf({ upSince: 1_200 }),
    { next: { kind: 'just-up', fraction: 0.5 }, doneAfterMs: 100 },
    1_210,
    'wait 1240',
  ],
  'the pod has Succeeded': [lifeOf({ phase: 'Succeeded' }), {}, 1_300, 'completed'],
  'the pod has failed: the first failure is to blame, but not a sidecar': [
    lifeOf({
      phase: 'Failed',
      runs: [
        run('watcher', { end: end('failed', 1_200) }),
        run('main', { end: end('failed', 1_300) }),
      ],
    }),
    {},
    1_400,
    'not-back: the pod has failed: main',
  ],
  'a failure before this start is not its own': [
    lifeOf({ phase: 'Failed', runs: [run('main', { end: end('failed', 900) })] }),
    {},
    1_400,
    'not-back: the pod has failed',
  ],
  'a container may fail, and come up': [
    lifeOf({ runs: [1, 2].map((n) => run('main', { end: end('failed', 1_000 + n) })) }),
    {},
    1_400,
    'wait 10000',
  ],
  'a container that fails again and again': [
    lifeOf({ runs: [1, 2, 3].map((n) => run('main', { end: end('failed', 1_000 + n) })) }),
    {},
    1_400,
    'not-back: it keeps failing: main',
  ],
  'somebody has deleted it': [lifeOf({ isGone: true }), {}, 1_400, 'not-back: the pod is gone'],
};
for (const [title, [life, more, now, words]] of Object.entries(cases)) {
  test(title, (t) => t.is(inWords(step(pod, life, { ...task, ...more }, now)), words));
}

test('an init container takes as long as the last time that it completed', (t) => {
  const runs = [
    run('setup', { startedAt: 0, end: end('completed', 90) }),
    run('setup', { startedAt: 200, end: end('completed', 240) }),
    run('setup', { startedAt: 300, end: end('killed', 301) }),
    run('main', { startedAt: 0, end: end('completed', 1) }),
  ];
  t.deepEqual([...lengthsOf([lifeOf({ runs })])], [['setup', 40]]);
});
