/** Rehearsals, which are not supported: doing it for real would be the worst answer to one. */
import { ApiError } from './api-status.ts';
import type { Call } from './call.ts';

/** Refuses what is asked for as a rehearsal in the query. */
export function refuseDryRun({ query }: Call): void {
  if (query.has('dryRun')) throw dryRunRefused();
}

export function dryRunRefused(): ApiError {
  return new ApiError('BadRequest', 'dryRun is not supported');
}
