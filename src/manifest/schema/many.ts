/**
 * Lists and maps, of which anything may be wrong with any number of items: only the first faults are
 * kept and the others are counted. A million of them would be more than the library can hand on, as
 * it does so in the arguments of one call.
 */
import { z } from 'zod';
import { mostFaults } from '../manifest-error.ts';

/** A list of one kind of thing. */
export function listOf<T extends z.ZodType>(item: T): z.ZodArray<T> {
  return z.array(item).check(keepFirst());
}

/** A map with free keys. */
export function mapOf<T extends z.ZodType>(value: T): z.ZodRecord<z.ZodString, T> {
  return z.record(z.string(), value).check(keepFirst());
}

/** How many faults an issue stands for that are not told; 0 if it is a fault itself. */
export function untoldBy(issue: z.core.$ZodRawIssue | z.core.$ZodIssue): number {
  const untold: unknown = issue.code === 'custom' ? issue.params?.['untold'] : undefined;
  return typeof untold === 'number' ? untold : 0;
}

function keepFirst<T>(): z.core.$ZodCheck<T> {
  const check = z.check<T>(({ issues, value }) => {
    if (issues.length <= mostFaults) return;
    const faults = issues.filter((issue) => untoldBy(issue) === 0);
    const untoldWithin = issues.reduce((sum, issue) => sum + untoldBy(issue), 0);
    const kept = faults.slice(0, mostFaults);
    const untold = faults.length - kept.length + untoldWithin;
    issues.length = 0;
    for (const fault of kept) issues.push(fault);
    if (untold > 0) issues.push({ code: 'custom', input: value, params: { untold } });
  });
  // Otherwise it is passed over as soon as an item is faulty.
  check._zod.def.when = () => true;
  return check;
}
