/**
 * Errors of the scripts, told in the three parts that the command line tells them in.
 */
import { messageOf, RepriseError } from '../src/errors.ts';

/** Prints what went wrong, where, and what to try next. */
export function tellError(error: unknown): void {
  console.error(`error: ${messageOf(error)}`);
  if (!(error instanceof RepriseError)) return;
  if (error.where !== undefined) console.error(`   at: ${error.where}`);
  if (error.next !== undefined) console.error(`  try: ${error.next}`);
}

/** True for what node's parseArgs throws. */
export function isUsageError(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code?.startsWith('ERR_PARSE_ARGS') ?? false;
}
