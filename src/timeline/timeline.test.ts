import test from 'ava';
import type { RestartRecord } from '../pod/memory.ts';
import type { XmlElement } from '../testing/xml.ts';
import { elementsIn, parseXml, textOf } from '../testing/xml.ts';
import { timelineHtml } from './html.ts';
import { timelineOtlp } from './otlp.ts';
import { timelineSvg } from './svg.ts';
import { timelineText } from './text.ts';
import type { Timeline } from './timeline.ts';
import { timelineOf, titleOf, tookInWords } from './timeline.ts';

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

interface TraceSpan extends Record<string, unknown> {
  readonly name: string;
  readonly spanId: string;
}

interface Trace {
  readonly resourceSpans: { scopeSpans: { spans: TraceSpan[] }[] }[];
}

const timeline = timelineOf('default/trainer', record, began);

test('the spans of a restart follow each other from its cause to the last start', (t) => {
  t.deepEqual(
    timeline.spans.map(({ name, startMs, endMs }) => `${name}: ${startMs} to ${endMs}`),
    [
      'exit seen: 0 to 1',
      'recorded: 1 to 3',
      'kill: 3 to 10',
      'proven dead: 10 to 10',
      'start setup: 10 to 40',
      'setup runs: 40 to 45',
      'start watcher: 45 to 70',
      'start main: 70 to 100',
      'all running: 100 to 100',
    ],
  );
  t.is(timeline.totalMs, 100);
});

for (const [title, more, waits] of [
  ['nothing', { startingAt: began + 11 }, []],
  ['something unknown', { startingAt: began + 110 }, ['wait for start: 10, 100 ms']],
  [
    'the back-off',
    { startNotBefore: began + 1_000, startingAt: began + 1_000.5 },
    ['back-off: 10, 990 ms'],
  ],
  [
    'a back-off that was over before all was dead',
    { startNotBefore: began + 8, startingAt: began + 10 },
    [],
  ],
  [
    'a back-off that somebody ended',
    { backoffEndedAt: began + 500, startingAt: began + 500 },
    ['back-off: 10, 490 ms'],
  ],
  [
    'a device that was not healthy',
    { heldByDevices: true, startingAt: began + 5_000 },
    ['held by devices: 10, 4990 ms'],
  ],
  [
    'both, one after the other',
    { startNotBefore: began + 1_000, heldByDevices: true, startingAt: began + 5_000 },
    ['back-off: 10, 990 ms', 'held by devices: 1000, 4000 ms'],
  ],
  [
    'a back-off that goes on',
    { startNotBefore: began + 90_000, startingAt: undefined },
    ['back-off: 10, >9990 ms'],
  ],
  [
    'a device that is not healthy',
    { startNotBefore: began + 1_000, heldByDevices: true, startingAt: undefined },
    ['back-off: 10, 990 ms', 'held by devices: 1000, >9000 ms'],
  ],
] as const satisfies readonly (readonly [string, Partial<RestartRecord>, readonly string[]])[]) {
  test(`what is dead waits for ${title}`, (t) => {
    const waited = { ...record, completedAt: undefined, containers: [], ...more };
    const { spans } = timelineOf('p', waited, began + 10_000);
    t.deepEqual(
      spans.slice(4).map((span) => `${span.name}: ${span.startMs}, ${tookInWords(span)}`),
      waits,
    );
  });
}

test('what is created on the way is shown, not what was created ahead', (t) => {
  const [setup, watcher, main] = record.containers;
  const containers = [
    { name: 'setup', ...setup, createAskedAt: began - 900, createdAt: began - 800 },
    { name: 'watcher', ...watcher, createAskedAt: began - 50, createdAt: began + 40 },
    { name: 'main', ...main, createAskedAt: began + 20, createdAt: began + 65 },
    { name: 'late', createAskedAt: began + 90 },
  ];
  const { spans } = timelineOf('p', { ...record, containers }, began);
  t.deepEqual(
    spans
      .filter(({ kind }) => kind === 'create')
      .map((span) => `${span.name}: ${span.startMs}, ${tookInWords(span)}`),
    ['create watcher: 0, 40 ms', 'create main: 20, 45 ms', 'create late: 90, >10 ms'],
  );
});

const proxy = {
  name: 'proxy',
  kind: 'sidecar',
  startAskedAt: began + 45,
  startedAt: began + 50,
  postStart: { begunAt: began + 50, endedAt: began + 60 },
  startupProbe: { passedAt: began + 75 },
  readyAt: began + 80,
} as const;
const app = {
  name: 'main',
  kind: 'app',
  startAskedAt: began + 80,
  startedAt: began + 100,
} as const;

/** The rows of a timeline after the clearing, in words. */
function rowsOf({ spans }: Timeline): readonly string[] {
  const from = spans.findIndex(({ name }) => name === 'proven dead') + 1;
  return spans
    .slice(from)
    .map(
      (span) =>
        `${span.name}: ${span.startMs}${span.kind === 'mark' ? '' : `, ${tookInWords(span)}`}`,
    );
}

test('what holds up the next start is a span, and that a container is ready a mark', (t) => {
  const main = {
    ...app,
    postStart: { begunAt: began + 100 },
    startupProbe: { passedAt: began + 900 },
    readyAt: began + 1_200,
  };
  const ready = timelineOf('p', { ...record, containers: [proxy, main] }, began);
  t.deepEqual(rowsOf(ready), [
    'start proxy: 45, 5.0 ms',
    'postStart of proxy: 50, 10 ms',
    'startup probe of proxy: 60, 15 ms',
    'proxy ready: 80',
    'start main: 80, 20 ms',
    'all running: 100',
    'main ready: 1200',
  ]);
  t.like(ready, { totalMs: 100, readyMs: 1_200 });
  t.regex(titleOf(ready), /, all running after 100 ms, ready after 1200 ms$/);
  // What comes after the restart does not squeeze the picture of it.
  t.regex(timelineText(ready), / {2}all running .*◆ +\+100 ms\n {2}main ready .*▶ +\+1200 ms$/);
  t.regex(timelineSvg([ready]), /<path d="M[\d.]+ [\d.]+m-4 -6l8 6l-8 6z"/);
});

test('what is ready as soon as it runs needs no mark', (t) => {
  const containers = [
    { ...proxy, postStart: undefined, startupProbe: undefined, readyAt: began + 50 },
    { ...app, readyAt: began + 100 },
  ];
  const { spans, readyMs } = timelineOf('p', { ...record, containers }, began);
  t.deepEqual(
    spans.filter(({ kind }) => kind === 'mark').map(({ name }) => name),
    ['proven dead', 'all running'],
  );
  t.is(readyMs, undefined);
});

for (const [what, more, row] of [
  ['postStart hook', { postStart: { begunAt: began + 50 } }, 'postStart of proxy: 50, >4950 ms'],
  [
    'startup probe',
    { postStart: undefined, startupProbe: {} },
    'startup probe of proxy: 50, >4950 ms',
  ],
] as const) {
  test(`a restart may hang in a ${what}`, (t) => {
    const { name, kind, startAskedAt, startedAt, startupProbe } = proxy;
    const steps = { name, kind, startAskedAt, startedAt, startupProbe, ...more };
    const hangs = timelineOf('p', { ...incomplete, containers: [steps] }, began + 5_000);
    t.deepEqual(rowsOf(hangs), ['start proxy: 45, 5.0 ms', row]);
  });
}

test('where nothing was left to kill, that is proven', (t) => {
  const { spans } = timelineOf('p', { ...record, killedAt: undefined }, began);
  t.deepEqual(
    spans.slice(1, 4).map(({ name, startMs, endMs }) => `${name}: ${startMs} to ${endMs}`),
    ['recorded: 1 to 2', 'prove dead: 2 to 10', 'proven dead: 10 to 10'],
  );
});

test('a request has no exit to be seen', (t) => {
  const asked: RestartRecord = { ...record, trigger: { kind: 'request', by: 'root', at: began } };
  const { cause, spans } = timelineOf('p', asked, began);
  t.is(cause, 'root asked for it');
  t.deepEqual(spans[0], { name: 'recorded', kind: 'record', startMs: 0, endMs: 3 });
});

const { completedAt: _, ...incomplete } = record;
const hanging: RestartRecord = {
  ...incomplete,
  containers: [
    { name: 'setup', kind: 'init', startAskedAt: began + 10, startedAt: began + 40 },
    { name: 'watcher', kind: 'sidecar' },
  ],
};

test('of a restart under way, what goes on lasts until now', (t) => {
  const open = timelineOf('p', hanging, began + 5_000);
  t.like(open, { outcome: 'under way', totalMs: 5_000 });
  t.deepEqual(
    open.spans.slice(4).map((span) => `${span.name}: ${span.startMs}, ${tookInWords(span)}`),
    ['start setup: 10, 30 ms', 'setup runs: 40, >4960 ms'],
  );
  t.regex(titleOf(open), /, under way for 5000 ms$/);
});

test('a restart that is about to kill has no more than that to show', (t) => {
  const { trigger, recordedAt, killedAt } = record;
  const begun: RestartRecord = { generation: 1, trigger, recordedAt, killedAt, containers: [] };
  t.deepEqual(
    timelineOf('p', begun, began + 50).spans.map((span) => `${span.name}: ${tookInWords(span)}`),
    ['exit seen: 1.0 ms', 'recorded: 2.0 ms', 'kill: >47 ms'],
  );
});

test('of a restart that was cut short, nothing lasts longer', (t) => {
  const cut = timelineOf('p', { ...hanging, cutShortAt: began + 300 }, began + 5_000);
  t.like(cut, { outcome: 'cut short', totalMs: 300 });
  t.regex(titleOf(cut), /, did not complete: cut short after 300 ms$/);
  t.regex(timelineText(cut), / {2}setup runs .* >260 ms$/m);
  t.regex(timelineSvg([cut]), /\+40 ms, &#62;260 ms/);
  t.regex(timelineHtml('p', [cut]), /<td>did not complete: cut short after 300 ms<\/td>/);
});

test('the text is a waterfall', (t) => {
  t.snapshot(timelineText(timeline, 90));
});

test('minutes leave the columns as they are', (t) => {
  const long = timelineOf('p', hanging, began + 86_400_000);
  const lines = timelineText(long, 90).split('\n').slice(1);
  t.regex(lines.at(-1) ?? '', / \+40 ms +>86400 s$/);
  t.true(lines.every((line) => line.length <= 90));
});

/** Where each text of a picture begins and ends, by the width of a letter of DejaVu Sans Mono. */
function extents(svg: XmlElement) {
  return elementsIn(svg, 'text').map((text) => {
    const { x = '', 'text-anchor': anchor = 'start' } = text.attributes;
    const width = textOf(text).length * 12 * 0.602;
    const from = Number(x) - { start: 0, middle: width / 2, end: width }[anchor as 'start'];
    return { text: textOf(text), from, to: from + width };
  });
}

for (const [which, pod, container] of [
  ['short', 'default/web', 'a'],
  ['long', `${'n'.repeat(63)}/${'p'.repeat(253)}`, 'm'.repeat(63)],
] as const) {
  test(`a picture has room for ${which} names`, (t) => {
    const steps = { ...proxy, name: container };
    const cause = { ...record.trigger, container } as RestartRecord['trigger'];
    const all = [proxy, steps].map((one) =>
      timelineOf(pod, { ...record, trigger: cause, containers: [one] }, began),
    );
    const svg = parseXml(timelineSvg(all));
    const width = Number(svg.attributes['width']);
    t.is(svg.attributes['viewBox'], `0 0 ${width} ${svg.attributes['height']}`);
    for (const { text, from, to } of extents(svg)) t.true(from >= 0 && to <= width, text);
    const shown = extents(svg).map(({ text }) => text);
    t.true(shown.includes(`startup probe of ${container}`));
    t.true(shown.includes(`${container} exited with code 88 at 2026-01-01T00:00:00.000Z`));
    // No label reaches into the plot, no bar into the numbers.
    const bars = elementsIn(svg, 'rect').slice(1);
    const left = Math.min(...bars.map(({ attributes }) => Number(attributes['x'])));
    const right = Math.max(
      ...bars.map(({ attributes: { x, width: wide } }) => Number(x) + Number(wide)),
    );
    for (const { text, from, to } of extents(svg)) {
      if (text.startsWith('start')) t.true(to <= left, text);
      if (/^\+[^,]+, /.test(text)) t.true(from >= right, text);
    }
    // What has no room is there all the same.
    const title = `Generation 3 of ${pod}`;
    t.true(JSON.stringify(svg).includes(title));
  });
}

test('pictures and pages are well-formed, whatever they are told', (t) => {
  const by = `"quotes" & <tags> \u001b[31m \uD800 ${'x'.repeat(500)}`;
  const asked: RestartRecord = { ...record, trigger: { kind: 'request', by, at: began } };
  const told = [timelineOf('<p>&', asked, began), timelineOf('p', hanging, began + 100)];
  t.is(elementsIn(parseXml(timelineSvg(told)), 'g').length, 2);
  t.is(elementsIn(parseXml(timelineHtml('<p>&', told)), 'tr').length, 3);
  t.is(elementsIn(parseXml(timelineSvg([])), 'g').length, 0);
});

test('names cannot break out of the picture', (t) => {
  const hostile = timelineOf('<script>', { ...record, generation: 1 }, began);
  for (const text of [timelineSvg([hostile]), timelineHtml('<script>', [hostile])]) {
    t.false(text.includes('<script>'));
  }
});

test('a page needs nothing from elsewhere', (t) => {
  const page = timelineHtml('default/trainer', [timeline]);
  t.notRegex(page.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|src=|@import/);
});

test('a trace tells what was cut short, and waits for the end of what is under way', (t) => {
  const spans = (one: RestartRecord) => {
    const trace = timelineOtlp([timelineOf('p', one, began + 5_000)]) as Trace;
    return trace.resourceSpans[0]?.scopeSpans[0]?.spans;
  };
  t.deepEqual(spans(hanging), []);
  const failed = spans({ ...hanging, cutShortAt: began + 300 })?.filter(({ status }) => status);
  t.deepEqual(
    failed?.map(({ name }) => name),
    ['in-place restart', 'setup runs'],
  );
});

test('a trace has one span for the restart and one for each step, with whole nanoseconds', (t) => {
  const { resourceSpans } = timelineOtlp([timeline]) as Trace;
  const spans = resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  const steps = timeline.spans.filter(({ kind }) => kind !== 'mark');
  t.deepEqual(
    spans.map(({ name }) => name),
    ['in-place restart', ...steps.map(({ name }) => name)],
  );
  t.is(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
  t.like(spans[0]?.events, [
    { name: 'proven dead', timeUnixNano: `${began + 10}000000` },
    { name: 'all running', timeUnixNano: `${began + 100}000000` },
  ]);
  t.is(spans[0]?.['endTimeUnixNano'], `${began + 100}000000`);
  t.true(spans.slice(1).every(({ parentSpanId }) => parentSpanId === spans[0]?.['spanId']));
  t.deepEqual(spans[0]?.['attributes'], [
    { key: 'k8s.namespace.name', value: { stringValue: 'default' } },
    { key: 'k8s.pod.name', value: { stringValue: 'trainer' } },
    { key: 'reprise.generation', value: { stringValue: '3' } },
    { key: 'reprise.cause', value: { stringValue: 'watcher exited with code 88' } },
  ]);
  t.deepEqual(timelineOtlp([timeline]), timelineOtlp([timeline]));
  const twin = timelineOtlp([timelineOf('team/trainer', record, began)]) as Trace;
  t.not(twin.resourceSpans[0]?.scopeSpans[0]?.spans[0]?.spanId, spans[0]?.spanId);
});
