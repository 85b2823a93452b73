/**
 * The three ways a field of the Pod spec is treated, written beside its type.
 *
 * - honoured: it does what it does under a kubelet;
 * - inert: accepted without effect, because it has no meaning on a single node; a note says so;
 * - refused: its presence is a fault that says why; values that mean the same as leaving the
 *   field out are let through.
 *
 * To honour a refused field: give it a type here, a place in pod/pod.ts and in defaults.ts, and run
 * scripts/generate-manifest-docs.ts.
 */
import { z } from 'zod';
import { forbidden, invalidValue } from '../manifest-error.ts';

export interface Treatment {
  readonly kind: 'honoured' | 'inert' | 'refused';
  /** What it does, why it does nothing, or why it is refused; a sentence without full stop. */
  readonly why: string;
}

/** Treatment of every field, by its schema. */
export const treatments = z.registry<Treatment>();

/** An optional field that does what it does under a kubelet. */
export function honoured<T extends z.ZodType>(type: T, why: string): z.ZodOptional<T> {
  return treated(type.optional(), { kind: 'honoured', why });
}

/** Like honoured, for a field that must be there. */
export function required<T extends z.ZodType>(type: T, why: string): T {
  return treated(type.clone(), { kind: 'honoured', why });
}

/** A field that is accepted and changes nothing. */
export function inert<T extends z.ZodType>(type: T, why: string): z.ZodOptional<T> {
  return treated(type.optional(), { kind: 'inert', why });
}

/** A field that must not be there, unless with one of the values that change nothing. */
export function refused(why: string, ...harmless: readonly unknown[]): z.ZodOptional<z.ZodUnknown> {
  const type = z.unknown().check(({ value, issues }) => {
    if (value === undefined || isOneOf(harmless, value)) return;
    const hint = harmless.length > 0 ? `leave it out, or use ${inWords(harmless)}` : 'leave it out';
    issues.push(problem(value, forbidden(why), hint));
  });
  return treated(type.optional(), { kind: 'refused', why });
}

/** What to try next, as an imperative; a function where that depends on what is written. */
export type HintFor<Value> = string | ((value: Value) => string);

/** Requires something of a value that has the right type already. */
export function must<T extends z.ZodType>(
  type: T,
  holds: (value: z.output<T>) => boolean,
  because: string,
  hint: HintFor<z.output<T>>,
): T {
  return type.check(({ value, issues }) => {
    if (holds(value)) return;
    const next = typeof hint === 'string' ? hint : hint(value);
    issues.push(problem(value, invalidValue(value, because), next));
  });
}

/** An issue whose message is in Kubernetes' words already; issues.ts passes it on as it is. */
function problem(input: unknown, message: string, hint: string): z.core.$ZodRawIssue {
  return { code: 'custom', input, message, params: { hint } };
}

function treated<T extends z.ZodType>(type: T, treatment: Treatment): T {
  treatments.add(type, treatment);
  return type;
}

function isOneOf(values: readonly unknown[], value: unknown): boolean {
  const text = JSON.stringify(value);
  return values.some((each) => JSON.stringify(each) === text);
}

function inWords(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(' or ');
}
