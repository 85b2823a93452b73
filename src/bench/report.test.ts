import test from 'ava';
import { roundStep, scaleTo } from './axis.ts';
import { htmlReport } from './report-html.ts';
import { jsonReport } from './report-json.ts';
import { textReport } from './report-text.ts';
import { aBenchResult, oneRound } from '../testing/bench-result.ts';

test('the text has the times, the ratios and the machine', (t) => {
  const lines = textReport(aBenchResult());
  t.is(lines[0], 'In-place restart of 1 pod with 1 init container, 1 sidecar, 1 app container');
  t.true(lines.includes('in-place restart   120 ms   120 ms   120 ms   120 ms'));
  t.true(lines.includes('in-place / naive floor   0.60    0.60 to 0.60'));
  t.true(lines.includes('in-place / re-creation   0.30    0.30 to 0.30'));
  t.true(lines.includes('memory              8.0 GiB'));
});

test('with many pods the text tells of each pod, and how far the slow ones lag behind', (t) => {
  const scenario = { pods: 2, containers: 3, inits: 0, image: 'busybox' };
  const samples = oneRound.map(({ method, ms }) => ({
    method,
    round: 1,
    totalMs: ms,
    pods: [ms / 2, ms].map((latencyMs, index) => ({ name: `${index}`, latencyMs, marks: [] })),
  }));
  const lines = textReport(aBenchResult({ scenario, samples }));
  t.is(lines[0], 'In-place restart of 2 pods together, each with 1 sidecar, 3 app containers');
  const header = lines.findIndex((line) => line.startsWith('EACH POD BACK'));
  t.regex(lines[header + 1] ?? '', /^in-place restart +90\.0 ms +120 ms +120 ms +60\.0 ms +1\.33$/);
});

test('the JSON has every raw sample beside the summary and what it was measured on', (t) => {
  const { samples, machine } = aBenchResult();
  t.like(JSON.parse(jsonReport(aBenchResult())), {
    kind: 'reprise-bench',
    version: 1,
    samples,
    machine,
  });
});

test('the page stands alone, and nothing in it is taken for markup', (t) => {
  const page = htmlReport(aBenchResult());
  t.notRegex(page, /<(script|link|img|iframe)\b|url\(|@import/);
  t.notRegex(page, /https?:/);
  t.true(page.includes('Some &lt;CPU&gt; &amp; more'));
  t.false(page.includes('<CPU>'));
  t.is(page.match(/<svg /g)?.length, 3);
  t.notRegex(page, /NaN|Infinity|undefined/);
});

test('the page tells how the exits of many pods are found, which differs from those of one', (t) => {
  const [one, many] = [1, 30].map((pods) =>
    htmlReport(aBenchResult({ scenario: { ...aBenchResult().scenario, pods } })),
  );
  t.regex(one ?? '', /poll the trigger.{1,6}s status every 2 ms/);
  t.regex(many ?? '', /list what has exited every 2 ms.* once for all that are waited for/);
  t.notRegex(many ?? '', /poll the trigger/);
});

test('the page carries its samples along', (t) => {
  const [, base64 = ''] = /base64,([^"]+)"/.exec(htmlReport(aBenchResult())) ?? [];
  t.is(Buffer.from(base64, 'base64').toString(), jsonReport(aBenchResult()));
});

const steps = { 0: 1, 0.3: 0.5, 1: 1, 1.1: 2, 3: 5, 6: 10, 61: 100, 333: 500 };
for (const [atLeast, step] of Object.entries(steps)) {
  test(`the ticks of an axis that has to step by ${atLeast} step by ${step}`, (t) => {
    t.is(roundStep(Number(atLeast)), step);
  });
}

test('an axis reaches from zero to the largest value, and not much further', (t) => {
  const scale = scaleTo(184, { from: 100, to: 500 });
  t.deepEqual(scale.ticks, [0, 50, 100, 150, 200]);
  t.is(scale.at(0), 100);
  t.is(scale.at(200), 500);
});
