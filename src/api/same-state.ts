/** Updates mean an object in the state in which somebody has read it; what came in between is not overridden. */
import { ConflictError } from '../errors.ts';

interface Known {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/**
 * Refuses an update whose metadata is that of another object, or of an older state of this one. Metadata
 * that says nothing of it means the object whatever it is like.
 */
export function assertSameState(
  resource: string,
  known: Known,
  given: Readonly<Record<string, unknown>>,
): void {
  const differs = (field: 'uid' | 'resourceVersion'): boolean => {
    const meant = given[field] ?? '';
    return meant !== '' && meant !== known[field];
  };
  const cannot = `Operation cannot be fulfilled on ${resource} "${known.name}"`;
  if (differs('uid')) {
    throw new ConflictError(`${cannot}: it has the uid ${known.uid}, another one was given`);
  }
  if (differs('resourceVersion')) {
    throw new ConflictError(
      `${cannot}: the object has been modified; please apply your changes to the latest version and try again`,
    );
  }
}
