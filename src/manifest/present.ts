/** Leaves out what is absent, as JSON does. */

/** The fields that have a value; an absent field is not there at all. */
export function present<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
