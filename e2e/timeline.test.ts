// `reprise timeline`: every step of every restart in place, in each of its formats; of one that hangs, too.
import test from 'ava';
import type { RestartRecord } from '../src/pod/memory.ts';
import { elementsIn, parseXml, textOf } from '../src/testing/xml.ts';
import { container, initContainer, pod, restartAllOn, sidecar } from './manifests.ts';
import { generationOf, statusOf } from './node.ts';
import { napping } from './pace.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode((one) => one.agent('--no-standbys'));

const hangsOnce = `
echo "$NAME started" >> /shared/story
${napping}
if [ -e /shared/hang ]; then rm /shared/hang; while :; do nap; done; fi
`;
const probe = { exec: { command: ['test', '-e', '/shared/story'] }, periodSeconds: 1 };
const names = ['setup', 'watcher', 'main'];
/** Without standbys. What ends at once may do so before its start is told, and has no "setup runs" then. */
const steps = [
  ...['recorded', 'kill', 'proven dead', 'all running'],
  ...names.flatMap((name) => [`create ${name}`, `start ${name}`]),
  ...['startup probe of watcher', 'watcher ready', 'main ready'],
];
const marks = ['proven dead', 'all running', 'watcher ready', 'main ready'];

interface Trace {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: readonly TraceSpan[] }[] }[];
}

interface TraceSpan {
  readonly name: string;
  readonly traceId: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly events?: readonly { readonly name: string }[];
  readonly status?: { readonly code: number };
}

/** All times of a complete restart that follow from each other, in that order. */
function courseOf({ containers, ...record }: RestartRecord): readonly (number | undefined)[] {
  const [setup, watcher, main] = containers;
  return [
    ...[record.recordedAt, record.killedAt, record.deadAt, record.startingAt],
    ...[setup?.startAskedAt, setup?.finishedAt, setup?.finishSeenAt],
    ...[watcher?.startAskedAt, watcher?.startedAt, watcher?.startupProbe?.passedAt],
    ...[main?.startAskedAt, main?.startedAt, record.completedAt, main?.readyAt],
  ];
}

function isInOrder(times: readonly (number | undefined)[]): boolean {
  return times.every(
    (at, index) => at !== undefined && (index === 0 || at >= (times[index - 1] ?? NaN)),
  );
}

/** The names of the steps that a waterfall of characters shows. */
function rowsIn(text: string): readonly string[] {
  return [...text.matchAll(/^ {2}(\S+(?: \S+)*) {2,}/gm)].map(([, name = '']) => name);
}

test('a timeline shows a restart that hangs, how it is cut short, and every step of the next', async (t) => {
  const { metadata, ...rest } = pod(
    'drawn',
    [
      initContainer('setup', hangsOnce),
      sidecar('watcher', { startupProbe: probe, ...restartAllOn(88) }),
    ],
    [container('main', undefined, { readinessProbe: probe })],
  );
  await node().apply({ metadata, ...rest });
  const first = await node().ready('drawn');
  await node().put(first, 'hang', '');
  await node().tell(first, 'watcher', 88);
  await node().podThat(
    'drawn',
    'hangs',
    (one) => generationOf(one) === 1 && statusOf(one, 'setup').state.running !== undefined,
  );
  const hanging = await node().ok('timeline', 'drawn');
  t.regex(
    hanging,
    /^default\/drawn, generation 1: watcher exited with code 88 at .*, under way for /,
  );
  t.regex(hanging, /^ {2}setup runs +█+ .*>\S+ m?s$/m);

  await node().ok('restart', 'pod', 'drawn');
  await node().ready('drawn', 2);
  const text = await node().ok('timeline', 'drawn');
  t.regex(text, /^default\/drawn, generation 1: .*, did not complete: cut short after /);
  const [cut = '', complete = ''] = text.split('\n\n');
  t.is(rowsIn(cut).at(-1), 'setup runs');
  t.deepEqual(
    names.filter((name) => !rowsIn(cut).includes(`create ${name}`)),
    [],
    'nothing was created ahead',
  );
  const certain = (names: readonly string[]) =>
    names.filter((one) => one !== 'setup runs').toSorted();
  t.deepEqual(certain(rowsIn(complete)), steps.toSorted());

  const [one, two] = JSON.parse(await node().ok('timeline', 'drawn', '-o', 'json')) as [
    RestartRecord,
    RestartRecord,
  ];
  t.is(one.completedAt, undefined);
  t.true(isInOrder([one.recordedAt, one.deadAt, one.containers[0]?.startedAt, one.cutShortAt]));
  t.true(isInOrder(courseOf(two)), JSON.stringify(two));
  for (const { name, createAskedAt, createdAt, startAskedAt } of two.containers) {
    t.true(isInOrder([two.recordedAt, createAskedAt, createdAt, startAskedAt]), name);
  }

  const svg = parseXml(await node().ok('timeline', 'drawn', '-o', 'svg'));
  const page = parseXml(await node().ok('timeline', 'drawn', '-o', 'html'));
  for (const picture of [svg, page]) {
    const shown = elementsIn(picture, 'text').map(textOf);
    t.deepEqual(
      steps.filter((step) => !shown.includes(step)),
      [],
    );
  }
  t.deepEqual(
    elementsIn(page, 'tr').map((row) => elementsIn(row, 'td').map(textOf)[0]),
    [undefined, '1', '2'],
  );

  const last = await node().ok('timeline', 'drawn', '--last', '-o', 'otlp');
  const trace = JSON.parse(last) as Trace;
  const spans = trace.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  t.deepEqual(
    certain(spans.map(({ name }) => name)),
    ['in-place restart', ...steps.filter((step) => !marks.includes(step))].toSorted(),
  );
  t.deepEqual(spans[0]?.events?.map(({ name }) => name).toSorted(), marks.toSorted());
  t.is(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  for (const { name, startTimeUnixNano, endTimeUnixNano } of spans) {
    t.true(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano), name);
  }
  const all = JSON.parse(await node().ok('timeline', 'drawn', '-o', 'otlp')) as Trace;
  const failed = all.resourceSpans[0]?.scopeSpans[0]?.spans.filter(
    ({ status }) => status?.code === 2,
  );
  t.deepEqual(
    failed?.map(({ name }) => name),
    ['in-place restart', 'setup runs'],
  );
  await node().removed('drawn');
});
