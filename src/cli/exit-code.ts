/**
 * An error as the lines and the exit code that the user gets.
 *
 * 1: it went wrong. 2: bad usage or manifest. 3: containerd is unreachable.
 */
import { messageOf, RepriseError } from '../errors.ts';
import { ApiFailure } from '../api/client.ts';
import { ManifestError } from '../manifest/manifest-error.ts';
import { ContainerdUnreachable } from '../runtime/unreachable.ts';
import { UsageError } from './usage-error.ts';

/** The exit code for whatever was thrown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof AggregateError) {
    const [code = 1, ...others] = new Set(error.errors.map(exitCodeOf));
    return others.length === 0 ? code : 1;
  }
  if (error instanceof ContainerdUnreachable) return 3;
  if (error instanceof ManifestError || error instanceof UsageError) return 2;
  if (error instanceof ApiFailure && error.reason === 'Invalid') return 2;
  return 1;
}

/** What is printed for whatever was thrown; the stack only of a defect, and only when asked for. */
export function errorLines(error: unknown, debug: boolean): readonly string[] {
  if (error instanceof AggregateError) {
    // An agent that is gone is gone for all of them.
    const texts = new Set(error.errors.map((each) => errorLines(each, debug).join('\n')));
    return [...texts].join('\n\n').split('\n');
  }
  const lines = [`error: ${messageOf(error)}`];
  if (error instanceof RepriseError) {
    if (error.where !== undefined) lines.push(`   at: ${error.where}`);
    if (error.next !== undefined) lines.push(`  try: ${error.next}`);
  } else {
    lines.push(
      '  try: report this as a defect of reprise; REPRISE_DEBUG=1 shows where it happened',
    );
  }
  if (debug && error instanceof Error) lines.push(...(error.stack ?? '').split('\n').slice(1));
  return lines;
}
