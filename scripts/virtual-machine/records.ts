/**
 * The records of tests in a guest, in the Test Anything Protocol, and whether one that an earlier run has
 * left stands for this run as well. Pure.
 */
import { count, nothing } from '../tap.ts';
import type { Tally } from '../tap.ts';

/** What a record says of itself. */
export interface RecordHead {
  /** Of the tests. */
  readonly file: string;
  readonly seconds: number;
  readonly accelerator: string;
  readonly runtime: string;
  /** What was tested, and on what: another one is another test. */
  readonly tested: string;
}

/** A record: comments that tell what it is of, then what was printed. */
export function recordOf(head: RecordHead, output: string): string {
  const { file, seconds, accelerator, runtime, tested } = head;
  return `# ${file}: ${seconds} s, ${accelerator}, ${runtime}\n${testedLine(tested)}\n${output}`;
}

/** How it went, if the record is of just this, and nothing failed. */
export function passedEarlier(record: string | undefined, tested: string): Tally | undefined {
  const lines = record?.split('\n') ?? [];
  if (lines[1] !== testedLine(tested)) return undefined;
  const tally = lines.reduce(count, nothing);
  return tally.failed === 0 ? tally : undefined;
}

function testedLine(tested: string): string {
  return `# tested: ${tested}`;
}
