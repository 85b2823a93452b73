/** What the schema finds fault with -> problems in Kubernetes' words, with hints. */
import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import {
  invalidValue,
  quoted,
  requiredValue,
  tooMany,
  unsupportedValue,
} from './manifest-error.ts';
import type { Path, Problem } from './manifest-error.ts';
import { fieldsOf, isMap, typeAt } from './schema/walk.ts';

/** Everything that is wrong with a value by itself, field by field. */
export function problemsOf(schema: z.ZodType, value: unknown): readonly Problem[] {
  const { error } = schema.safeParse(value);
  return (error?.issues ?? []).flatMap((issue) => toProblems(schema, value, issue));
}

function toProblems(schema: z.ZodType, root: unknown, issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  const value = valueAt(root, path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownField(schema, path, key));
  }
  return [{ path, ...explained(issue, value, path.at(-1)) }];
}

function explained(
  issue: z.core.$ZodIssue,
  value: unknown,
  step: string | number | undefined,
): Omit<Problem, 'path'> {
  // Nothing is found fault with for being absent, unless it must be there.
  if (value === undefined) {
    return { message: requiredValue(typeof step === 'string' ? `${step} must be set` : undefined) };
  }
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, value);
    case 'invalid_value': {
      const words = issue.values.map(String);
      return { message: unsupportedValue(value, words), hint: didYouMean(value, words) };
    }
    case 'too_big':
      return { message: tooMany(Array.isArray(value) ? value.length : 0, Number(issue.maximum)) };
    case 'custom':
      return typeof issue.params?.['isProblem'] === 'boolean'
        ? { message: issue.message, hint: hintOf(issue.params['hint']) }
        : { message: invalidValue(value, issue.message) };
    case 'too_small':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
      return { message: invalidValue(value, issue.message) };
    default:
      return issue satisfies never;
  }
}

function hintOf(hint: unknown): string | undefined {
  return typeof hint === 'string' ? hint : undefined;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function wrongType(expected: string, value: unknown): Omit<Problem, 'path'> {
  const message = invalidValue(value, `must be ${typeNames[expected] ?? expected}`);
  if (expected === 'string' && ['number', 'boolean'].includes(typeof value)) {
    const hint = `put it in quotes, as YAML takes it for a ${typeof value}`;
    return { message, hint };
  }
  if (expected === 'array' && value !== null) {
    return { message, hint: 'start each item of the list with "- "' };
  }
  if (['boolean', 'number'].includes(expected) && typeof value === 'string') {
    return { message, hint: 'write it without quotes' };
  }
  return { message };
}

function unknownField(schema: z.ZodType, path: Path, key: string): Problem {
  const type = typeAt(schema, path);
  const known = type === undefined ? [] : fieldsOf(type).map(({ name }) => name);
  return {
    path: [...path, key],
    message: `unknown field ${quoted(key)}`,
    hint: didYouMean(key, known) ?? 'remove it, or check the indentation',
  };
}

/** A suggestion if one of the words is close enough to be meant. */
export function didYouMean(written: unknown, words: readonly string[]): string | undefined {
  if (typeof written !== 'string' || written.length > 100 || words.length === 0) return undefined;
  const sameButCase = words.find((word) => word.toLowerCase() === written.toLowerCase());
  const best = sameButCase ?? closest(written, words);
  const isClose =
    sameButCase !== undefined ||
    distance(written, best) <= Math.max(1, Math.floor(best.length / 3));
  return isClose ? `did you mean "${best}"?` : undefined;
}

/** What is at a path of plain data. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => {
    if (Array.isArray(value))
      return typeof step === 'number' ? (value[step] as unknown) : undefined;
    return isMap(value) && typeof step === 'string' && Object.hasOwn(value, step)
      ? value[step]
      : undefined;
  }, root);
}
