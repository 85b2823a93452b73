/**
 * Counts tests in the Test Anything Protocol, line by line, as ava prints it. Pure.
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
  const result = /^(not ok|ok) \d+(?: |$)/.exec(line)?.[1];
  if (result === undefined) return tally;
  // A test that is known to fail is marked TODO and counts as one that did not run.
  if (/ # (?:SKIP|TODO)\b/i.test(line)) return { ...tally, skipped: tally.skipped + 1 };
  return result === 'ok'
    ? { ...tally, passed: tally.passed + 1 }
    : { ...tally, failed: tally.failed + 1 };
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
