/**
 * Counts tests in the Test Anything Protocol, line by line, as ava prints it, and keeps what it says of
 * those that fail: at the end of a long log nobody finds them again. Pure.
 */

/** Tests by how they ended. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Before the first line. */
export const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

/** The tally after one more line; lines that are no test's result change nothing. */
export function count(tally: Tally, line: string): Tally {
  const result = resultIn(line);
  return result === undefined ? tally : { ...tally, [result]: tally[result] + 1 };
}

function resultIn(line: string): keyof Tally | undefined {
  const result = /^(not ok|ok) \d+(?: |$)/.exec(line)?.[1];
  if (result === undefined) return undefined;
  // A test that is known to fail is marked TODO and counts as one that did not run.
  if (/ # (?:SKIP|TODO)\b/i.test(line)) return 'skipped';
  return result === 'ok' ? 'passed' : 'failed';
}

/** Both together. */
export function add(one: Tally, other: Tally): Tally {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** What `inWords` has told, where the line is nothing but that. */
export function fromWords(line: string): Tally | undefined {
  const told = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(line);
  if (told === null) return undefined;
  const [, passed = '0', failed = '0', skipped = '0'] = told;
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
}

/** `N passed, N failed`, and what was skipped if anything was. */
export function inWords({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

/** A test that has failed. */
export interface Failure {
  /** Its result: `not ok`, number and title. */
  readonly line: string;
  /** The block of YAML below it, from `---` to `...`; empty if there is none. */
  readonly why: readonly string[];
}

/** The failed tests so far. */
export interface Failures {
  readonly all: readonly Failure[];
  /** Whether the block of the last one is still to come, or to go on. */
  readonly isOpen: boolean;
}

/** Before the first line. */
export const noFailures: Failures = { all: [], isOpen: false };

/** The failed tests after one more line. */
export function note(failures: Failures, line: string): Failures {
  const { all, isOpen } = failures;
  const result = resultIn(line);
  if (result === 'failed') return { all: [...all, { line, why: [] }], isOpen: true };
  if (result !== undefined) return { all, isOpen: false };
  const last = all.at(-1);
  if (!isOpen || last === undefined) return failures;
  // What the test has logged comes before the block.
  if (last.why.length === 0 && line !== '  ---') return failures;
  const why = [...last.why, line];
  return { all: [...all.slice(0, -1), { ...last, why }], isOpen: line !== '  ...' };
}

/** How one part of a run went. */
export interface Outcome {
  readonly name: string;
  readonly tally: Tally;
  readonly failures: readonly Failure[];
}

/** So many failures are told whole; of the others, and of longer ones, it has to be enough to find them. */
const MOST_WHOLE = 10;
const HEAD_LINES = 30;
const TAIL_LINES = 10;
const MOST_CHARACTERS = 300;

/** Everything that has failed once more, with what is known of it; indented, so that it counts once. */
export function retell(outcomes: readonly Outcome[]): readonly string[] {
  let whole = 0;
  const retold = ({ line, why }: Failure) => [
    line,
    ...(++whole > MOST_WHOLE ? [] : withoutMiddle(why)),
  ];
  return outcomes
    .filter(({ tally }) => tally.failed > 0)
    .flatMap(({ name, tally, failures }) => {
      const others = tally.failed - failures.length;
      const more = others > 0 ? [`${others} that no test tells of: see above`] : [];
      const lines = [...failures.flatMap(retold), ...more];
      return [`${name}:`, ...lines.map((line) => `  ${line.slice(0, MOST_CHARACTERS)}`)];
    });
}

/** The end is worth as much as the beginning: it has the message and the place. */
function withoutMiddle(lines: readonly string[]): readonly string[] {
  const left = lines.length - HEAD_LINES - TAIL_LINES;
  if (left <= 0) return lines;
  return [...lines.slice(0, HEAD_LINES), `    (${left} lines)`, ...lines.slice(-TAIL_LINES)];
}
