// The sum of a rehearsal, and its story in lines.
import test from 'ava';
import { summarize } from './report.ts';
import type { RehearsalReport, RestartReport } from './report.ts';
import { restartLines, startFailureLines, summaryLines } from './report-text.ts';

function restart(number: number, more: Partial<RestartReport> = {}): RestartReport {
  const hit = { kind: 'running' as const, afterMs: 100 };
  return { number, generation: number, hit, outcome: 'back', ...more };
}

function reportOf(
  restarts: readonly RestartReport[],
  more: Partial<RehearsalReport> = {},
): RehearsalReport {
  const found = { restarts, initContainers: [], ...more };
  return {
    pod: 'default/web',
    copy: 'default/web-rehearsal',
    seed: 7,
    settleMs: 1_000,
    timeoutMs: 60_000,
    asked: restarts.length,
    ...found,
    summary: summarize(found),
  };
}

const failure = {
  why: 'the pod has failed',
  container: 'setup',
  kind: 'init',
  exitCode: 1,
  reason: 'Error',
  log: ['mkdir: File exists'],
};
const reentrant = {
  container: 'setup',
  verdict: 'reentrant' as const,
  afterCompleting: 3,
  afterKill: 1,
};
const found = {
  ...reentrant,
  verdict: 'not reentrant' as const,
  failure: { ...failure, after: 'a kill' as const },
};

const flaky = {
  ...reentrant,
  verdict: 'fails at times' as const,
  failure: { ...failure, after: 'completing' as const },
};

test('those that were cut short are not judged', (t) => {
  const { summary } = reportOf([
    restart(1, { outcome: 'cut-short' }),
    restart(2, { tookMs: 300 }),
    restart(3, { tookMs: 100 }),
    restart(4, { tookMs: 200, outcome: 'completed' }),
    restart(5, { tookMs: 500 }),
  ]);
  t.deepEqual(summary, {
    judged: 4,
    cameBack: 4,
    cutShort: 1,
    medianMs: 250,
    worstMs: 500,
    survives: true,
  });
});

test('a pod survives if it always came back, and its init containers can run again', (t) => {
  const survives = (...args: Parameters<typeof reportOf>) => reportOf(...args).summary.survives;
  t.true(survives([restart(1)], { initContainers: [reentrant] }));
  t.false(survives([restart(1), restart(2, { outcome: 'not-back', failure })]));
  t.true(survives([restart(1)], { initContainers: [flaky] }));
  t.false(survives([restart(1)], { initContainers: [found] }));
  t.false(survives([restart(1)], { startFailure: failure }));
  t.false(survives([]));
});

function words(lines: readonly { readonly text: string }[]): string[] {
  return lines.map(({ text }) => text.trimEnd().replace(/ {2,}/g, '  '));
}

test('a restart in a line, and what failed below it', (t) => {
  t.deepEqual(words(restartLines(restart(3, { tookMs: 143 }), 10)), [
    'restart  3/10  hit 100ms after all was up  back in 143ms',
  ]);
  const hit = { kind: 'init' as const, container: 'setup', afterMs: 40 };
  t.deepEqual(words(restartLines(restart(4, { outcome: 'not-back', hit, failure }), 10)), [
    'restart  4/10  hit 40ms into init "setup"  NOT BACK',
    '  the pod has failed: init container "setup" exited with code 1 (Error)',
    '  the end of its log:',
    '  mkdir: File exists',
  ]);
});

test('a pod that does not start is told without a verdict over restarts', (t) => {
  t.is(summaryLines(reportOf([], { startFailure: failure })).length, 0);
  t.regex(words(startFailureLines(failure)).join('\n'), /does not start.*\n.*exited with code 1/);
});

test('the story ends with what it means, and how to have it again', (t) => {
  const good = reportOf([restart(1, { outcome: 'cut-short' }), restart(2, { tookMs: 143 })], {
    initContainers: [reentrant],
  });
  t.deepEqual(words(summaryLines(good)), [
    '',
    'came back after 1 of 1 restarts; took 143ms (median), 143ms (worst); 1 more cut short by the next one, as planned',
    'init container "setup" is reentrant: ran again 3 times after completing, once after a kill in its middle',
    'default/web survives being restarted in place',
    'the same moments again: --seed 7 --restarts 2',
  ]);
  const bad = reportOf([restart(1, { outcome: 'not-back', failure })], { initContainers: [found] });
  t.deepEqual(words(summaryLines(bad)).slice(2), [
    'init container "setup" is NOT REENTRANT: after it had been killed in its middle, its next run exited with code 1 (Error)',
    '  the end of its log:',
    '  mkdir: File exists',
    'default/web does not survive being restarted in place',
    'the same moments again: --seed 7 --restarts 1',
  ]);
});

const verdicts = {
  'one that fails at times and comes back is no reason against the pod': {
    report: flaky,
    says: 'fails at times, and comes back: it exited with code 1 (Error), as in a first start',
  },
  'the verdict counts where nothing more is known of the failure': {
    report: { ...found, failure: undefined },
    says: 'is NOT REENTRANT: a run after an earlier one failed',
  },
  'and of a failure that is usual': {
    report: { ...flaky, failure: undefined },
    says: 'fails at times, and comes back',
  },
  'one that never ran again says nothing': {
    report: { ...reentrant, verdict: 'unknown' as const, afterCompleting: 0, afterKill: 0 },
    says: ': not known whether it is reentrant, as it never ran again to its end',
  },
};
for (const [title, { report, says }] of Object.entries(verdicts)) {
  test(title, (t) => {
    const lines = words(summaryLines(reportOf([restart(1)], { initContainers: [report] })));
    t.is(lines[2], `init container "setup"${says.startsWith(':') ? '' : ' '}${says}`);
  });
}
