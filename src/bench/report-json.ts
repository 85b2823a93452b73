/**
 * The report for programs: the summary, and every raw sample it was made from.
 */
import type { BenchResult } from './bench.ts';
import { summarize } from './summary.ts';

/** The report as one JSON document. */
export function jsonReport(result: BenchResult): string {
  const { samples, ...conditions } = result;
  return JSON.stringify(
    { kind: 'reprise-bench', version: 1, ...conditions, summary: summarize(samples), samples },
    undefined,
    2,
  );
}
