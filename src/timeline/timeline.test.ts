import test from 'ava';
import type { RestartRecord } from '../pod/memory.ts';
import { timelineHtml } from './html.ts';
import { timelineOtlp } from './otlp.ts';
import { timelineSvg } from './svg.ts';
import { timelineText } from './text.ts';
import { timelineOf } from './timeline.ts';

const began = Date.UTC(2026, 0, 1);

const record: RestartRecord = {
  generation: 3,
  trigger: {
    kind: 'exit',
    container: 'watcher',
    exitCode: 88,
    ruleIndex: 0,
    exitedAt: began,
    seenAt: began + 1,
  },
  recordedAt: began + 2,
  killedAt: began + 3,
  deadAt: began + 10,
  startingAt: began + 10,
  completedAt: began + 100,
  containers: [
    { name: 'setup', startAskedAt: began + 10, startedAt: began + 40, finishedAt: began + 45 },
    { name: 'watcher', startAskedAt: began + 45, startedAt: began + 70 },
    { name: 'main', startAskedAt: began + 70, startedAt: began + 100 },
  ],
};

const timeline = timelineOf('default/trainer', record);

test('the spans of a restart follow each other from its cause to the last start', (t) => {
  t.deepEqual(
    timeline.spans.map(({ name, startMs, endMs }) => `${name}: ${startMs} to ${endMs}`),
    [
      'exit seen: 0 to 1',
      'recorded: 1 to 3',
      'killed and proven dead: 3 to 10',
      'start setup: 10 to 40',
      'setup runs: 40 to 45',
      'start watcher: 45 to 70',
      'start main: 70 to 100',
    ],
  );
  t.is(timeline.totalMs, 100);
});

test('a back-off is a span of its own', (t) => {
  const waited = { ...record, startingAt: began + 1010, completedAt: began + 1100 };
  const span = timelineOf('p', waited).spans.find(({ kind }) => kind === 'back-off');
  t.like(span, { startMs: 10, endMs: 1010 });
});

test('a request has no exit to be seen', (t) => {
  const asked: RestartRecord = { ...record, trigger: { kind: 'request', by: 'root', at: began } };
  t.is(timelineOf('p', asked).cause, 'root asked for it');
});

test('the text is a waterfall', (t) => {
  t.snapshot(timelineText(timeline, 90));
});

test('names cannot break out of the picture', (t) => {
  const hostile = timelineOf('<script>', { ...record, generation: 1 });
  for (const text of [timelineSvg([hostile]), timelineHtml('<script>', [hostile])]) {
    t.false(text.includes('<script>'));
  }
});

test('a page needs nothing from elsewhere', (t) => {
  const page = timelineHtml('default/trainer', [timeline]);
  t.notRegex(page.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|src=|@import/);
});

test('a trace has one span for the restart and one for each step, with whole nanoseconds', (t) => {
  const { resourceSpans } = timelineOtlp([timeline]) as {
    resourceSpans: { scopeSpans: { spans: Record<string, string>[] }[] }[];
  };
  const spans = resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  t.is(spans.length, 1 + timeline.spans.length);
  t.is(spans[0]?.['endTimeUnixNano'], `${began + 100}000000`);
  t.true(spans.slice(1).every(({ parentSpanId }) => parentSpanId === spans[0]?.['spanId']));
  t.deepEqual(timelineOtlp([timeline]), timelineOtlp([timeline]));
});
