/**
 * The report as text, for a terminal. Pure.
 */
import type { BenchResult } from './bench.ts';
import { summarize } from './summary.ts';
import type { Spread, Summary } from './summary.ts';
import { clockText, inMs, machineFacts, methodNames, roundsText, scenarioText } from './wording.ts';

/** The lines of the report. */
export function textReport(result: BenchResult): readonly string[] {
  const summary = summarize(result.samples);
  return [
    `In-place restart of ${scenarioText(result.scenario)}`,
    roundsText(result),
    '',
    ...timesTable(result, summary),
    '',
    ...ratiosTable(summary),
    '',
    ...partsTable(summary),
    '',
    ...machineFacts(result.machine).map(([name, value]) => `${name.padEnd(20)}${value}`),
    '',
    ...wrapped(clockText, 100),
  ];
}

const spreadHeader = ['MEDIAN', 'P95', 'WORST', 'BEST'];

function spreadCells({ median, p95, worst, best }: Spread): readonly string[] {
  return [median, p95, worst, best].map(inMs);
}

function timesTable({ scenario }: BenchResult, { methods }: Summary): readonly string[] {
  const rows = methods.map(({ method, totalMs }) => [methodNames[method], ...spreadCells(totalMs)]);
  if (scenario.pods === 1) return table(['METHOD', ...spreadHeader], rows);
  const podRows = methods.map(({ method, podMs }) => [
    methodNames[method],
    ...spreadCells(podMs),
    (podMs.p95 / podMs.median).toFixed(2),
  ]);
  return [
    ...table(['ALL PODS BACK', ...spreadHeader], rows),
    '',
    ...table(['EACH POD BACK', ...spreadHeader, 'P95/MEDIAN'], podRows),
  ];
}

function ratiosTable({ ratios }: Summary): readonly string[] {
  return table(
    ['RATIO OF MEDIANS', '', '95 % INTERVAL'],
    ratios.map(({ to, ratio, low, high }) => [
      `in-place / ${methodNames[to]}`,
      ratio.toFixed(2),
      `${low.toFixed(2)} to ${high.toFixed(2)}`,
    ]),
  );
}

function partsTable({ parts }: Summary): readonly string[] {
  return table(
    ['PART OF THE IN-PLACE RESTART', ...spreadHeader],
    parts.map(({ what, ms }) => [what, ...spreadCells(ms)]),
  );
}

/** The first column to the left, numbers to the right. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const lines = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  return lines.map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width + 3);
      })
      .join('')
      .trimEnd(),
  );
}

function wrapped(text: string, width: number): readonly string[] {
  return text.split(' ').reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) return [...lines, word];
    return [...lines.slice(0, -1), `${last} ${word}`];
  }, []);
}
