/**
 * Starts that were given up half-way, as far as the runtime's words tell for no fault of the container
 * (../runtime/observe.ts): another instance takes the place of the one that cannot be started any more.
 *
 * The same words may come for a reason that stays: an OCI hook that takes too long, a shim that is killed
 * for want of memory. So the next start comes later each time, and the third in a row is a failed one.
 */
import { subjectOf } from './action.ts';
import { retryAt } from './backoff.ts';
import type { ContainerMemory } from './memory.ts';
import type { Exit, Failure, Instance, Observed } from './observed.ts';
import { START_ERROR } from './restart-rules.ts';

/** So many starts in a row may be given up before it counts. */
const TOLERATED = 2;

/** The end that the given up start of this instance amounts to; absent: it does not count as one. */
export function endOfAborted(
  observed: Observed,
  known: ContainerMemory,
  instance: Instance,
): Exit | undefined {
  const failure = failureOf(observed, instance);
  if (failure === undefined || (known.aborts ?? 0) < TOLERATED) return undefined;
  return { code: 128, reason: START_ERROR, message: failure.message, finishedAt: failure.at };
}

/** When an instance is due that takes the place of this one; absent: now. */
export function replaceAt(
  observed: Observed,
  known: ContainerMemory,
  instance: Instance | undefined,
): number | undefined {
  const failure = failureOf(observed, instance);
  return failure && retryAt({ ...failure, count: (known.aborts ?? 0) + 1 });
}

/** How many starts in a row were given up, that of this instance included; absent: that was not. */
export function abortsUpTo(
  observed: Observed,
  known: ContainerMemory | undefined,
  instance: Instance | undefined,
): number | undefined {
  return failureOf(observed, instance) && (known?.aborts ?? 0) + 1;
}

/** Absent also if it was an agent before this one that had asked for the start: it was killed at it. */
function failureOf({ failures }: Observed, instance: Instance | undefined): Failure | undefined {
  if (instance?.state !== 'aborted' || instance.id === undefined) return undefined;
  const { id, name } = instance;
  return failures[subjectOf({ kind: 'start-container', id, name })];
}
