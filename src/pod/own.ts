/**
 * Looks something up by a name that was not made up here. A plain object has more than it was given:
 * `constructor` is a fine name for a container, and what every object inherits under it is none.
 */

/** What a record was given under a name; never what it inherits. */
export function own<T>(
  record: Readonly<Record<string, T>> | undefined,
  name: string,
): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
