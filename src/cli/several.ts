/**
 * The same with several things: none is left undone because another one has failed, and in the end
 * every failure is told.
 */

/** What came of it. */
export interface Tried<T> {
  /** Of those that went well, in their order. */
  readonly results: readonly T[];
  /** What the others have thrown, in their order. */
  readonly failures: readonly unknown[];
}

/** Tries it with all of them at once. */
export async function tryAtOnce<Thing, Result>(
  things: readonly Thing[],
  action: (thing: Thing) => Promise<Result>,
): Promise<Tried<Result>> {
  return sorted(await Promise.allSettled(things.map(action)));
}

/** Tries it with one after the other. */
export async function tryInTurn<Thing, Result>(
  things: readonly Thing[],
  action: (thing: Thing) => Promise<Result>,
): Promise<Tried<Result>> {
  const ends: PromiseSettledResult<Result>[] = [];
  for (const thing of things) ends.push(...(await Promise.allSettled([action(thing)])));
  return sorted(ends);
}

/** Throws what has failed, if anything has; exit-code.ts tells each. */
export function throwAll(failures: readonly unknown[]): void {
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures);
}

function sorted<T>(ends: readonly PromiseSettledResult<T>[]): Tried<T> {
  return {
    results: ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])),
    failures: ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : [])),
  };
}
