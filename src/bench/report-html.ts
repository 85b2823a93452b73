/**
 * The report as one page that stands alone: charts, tables, conditions, and the raw samples to take
 * away. Pure.
 */
import type { BenchResult } from './bench.ts';
import { courseChart, dotChart, roundsChart } from './charts.ts';
import type { Series } from './charts.ts';
import { methods } from './contender.ts';
import type { Method } from './contender.ts';
import { h, styleSheet } from './markup.ts';
import type { Markup } from './markup.ts';
import { jsonReport } from './report-json.ts';
import { reportStyle } from './report-style.ts';
import { summarize } from './summary.ts';
import type { Spread, Summary } from './summary.ts';
import {
  clockText,
  inMs,
  machineFacts,
  methodNames,
  methodTexts,
  roundsText,
  scenarioText,
} from './wording.ts';

/** The page. */
export function htmlReport(result: BenchResult): string {
  const summary = summarize(result.samples);
  const title = `In-place restart of ${scenarioText(result.scenario)}`;
  const page = h(
    'html',
    { lang: 'en' },
    h(
      'head',
      {},
      h('meta', { charset: 'utf-8' }),
      h('meta', { name: 'viewport', content: 'width=device-width' }),
      h('title', {}, title),
      styleSheet(reportStyle),
    ),
    h(
      'body',
      {},
      h('h1', {}, title),
      h('p', { class: 'faint' }, `${roundsText(result)}. ${result.startedAt}`),
      cards(summary),
      times(result, summary),
      course(summary),
      conditions(result),
    ),
  );
  return `<!doctype html>\n${page.markup}\n`;
}

function cards({ methods: all, ratios }: Summary): Markup {
  const [inPlace] = all;
  return h(
    'div',
    { class: 'cards' },
    h(
      'div',
      { class: 'card' },
      h('b', {}, inMs(inPlace?.totalMs.median ?? NaN)),
      'in-place restart, median',
    ),
    ratios.map(({ to, ratio, low, high }) =>
      h(
        'div',
        { class: `card ${to}` },
        h('b', {}, ratio.toFixed(2)),
        `of ${methodNames[to]} (95 %: ${low.toFixed(2)} to ${high.toFixed(2)})`,
      ),
    ),
  );
}

function times(result: BenchResult, summary: Summary): readonly Markup[] {
  const isStorm = result.scenario.pods > 1;
  const totals = seriesOf(result, ({ totalMs }) => [totalMs]);
  const perPod = seriesOf(result, ({ pods }) => pods.map(({ latencyMs }) => latencyMs));
  return [
    h('h2', {}, isStorm ? 'Until all pods are back' : 'Every restart'),
    dotChart(totals),
    spreadTable(
      'method',
      summary.methods.map(({ method, totalMs }) => [methodNames[method], totalMs]),
    ),
    ...(isStorm
      ? [
          h('h2', {}, 'Until each pod is back'),
          dotChart(perPod),
          spreadTable(
            'method',
            summary.methods.map(({ method, podMs }) => [methodNames[method], podMs]),
          ),
        ]
      : []),
    h('h2', {}, 'Round by round'),
    key(),
    roundsChart(totals),
  ];
}

function seriesOf(
  { samples }: BenchResult,
  pick: (sample: BenchResult['samples'][number]) => readonly number[],
): readonly Series[] {
  const timesOf = (method: Method): readonly number[] =>
    samples.filter((sample) => sample.method === method).flatMap(pick);
  return methods.map((method) => ({ method, times: timesOf(method) }));
}

function course(summary: Summary): readonly Markup[] {
  return [
    h('h2', {}, 'The course of an in-place restart'),
    h('p', { class: 'faint' }, "Medians, in milliseconds after the trigger's last act."),
    courseChart(summary.course),
    spreadTable(
      'part',
      summary.parts.map(({ what, ms }) => [what, ms]),
    ),
  ];
}

function conditions(result: BenchResult): readonly Markup[] {
  const raw = Buffer.from(jsonReport(result)).toString('base64');
  const texts = methodTexts(result.scenario);
  return [
    h('h2', {}, 'What was measured'),
    h('p', {}, clockText),
    h(
      'dl',
      {},
      methods.map((method) => [h('dt', {}, methodNames[method]), h('dd', {}, texts[method])]),
    ),
    h('h2', {}, 'What it was measured on'),
    h(
      'table',
      {},
      machineFacts(result.machine).map(([name, value]) =>
        h('tr', {}, h('td', {}, name), h('td', { class: 'text' }, value)),
      ),
    ),
    h(
      'p',
      {},
      h(
        'a',
        { download: 'bench.json', href: `data:application/json;base64,${raw}` },
        'All samples as JSON',
      ),
    ),
  ];
}

function spreadTable(first: string, rows: readonly (readonly [string, Spread])[]): Markup {
  return h(
    'table',
    {},
    h(
      'tr',
      {},
      [first, 'median', 'p95', 'worst', 'best'].map((name) => h('th', {}, name)),
    ),
    rows.map(([name, { median, p95, worst, best }]) =>
      h(
        'tr',
        {},
        h('td', {}, name),
        [median, p95, worst, best].map((ms) => h('td', {}, inMs(ms))),
      ),
    ),
  );
}

function key(): Markup {
  return h(
    'p',
    { class: 'key' },
    methods.map((method) => h('span', {}, h('i', { class: method }), ` ${methodNames[method]}`)),
  );
}
