/** What the schema finds fault with -> problems in Kubernetes' words, with hints. */
import type { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import { hintForMissing, hintForType, hintForWord } from './hints.ts';
import {
  invalidValue,
  mostFaults,
  quoted,
  requiredValue,
  tooMany,
  unsupportedValue,
} from './manifest-error.ts';
import type { Path, Problem } from './manifest-error.ts';
import { untoldBy } from './schema/many.ts';
import { fieldsOf, isMap, typeAt } from './schema/walk.ts';

/** What is wrong with something: the first problems, and how many more there are. */
export interface Problems {
  readonly told: readonly Problem[];
  readonly untold: number;
}

/** What is wrong with a value by itself, field by field. */
export function problemsOf(schema: z.ZodType, value: unknown): Problems {
  const { error } = schema.safeParse(value);
  const issues = error?.issues ?? [];
  return {
    told: issues
      .filter((issue) => untoldBy(issue) === 0)
      .flatMap((issue) => toProblems(schema, value, issue)),
    untold: issues.reduce((sum, issue) => sum + untoldBy(issue) + unknownUntold(issue), 0),
  };
}

function unknownUntold(issue: z.core.$ZodIssue): number {
  return issue.code === 'unrecognized_keys' ? Math.max(0, issue.keys.length - mostFaults) : 0;
}

function toProblems(schema: z.ZodType, root: unknown, issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  const value = valueAt(root, path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, mostFaults).map((key) => unknownField(schema, path, key));
  }
  return [{ path, ...explained(schema, path, issue, value) }];
}

function explained(
  schema: z.ZodType,
  path: Path,
  issue: z.core.$ZodIssue,
  value: unknown,
): Omit<Problem, 'path'> {
  // Nothing is found fault with for being absent, unless it must be there.
  if (value === undefined) {
    const field = path.at(-1);
    const because = typeof field === 'string' ? `${field} must be set` : undefined;
    return { message: requiredValue(because), hint: hintForMissing(schema, path) };
  }
  switch (issue.code) {
    case 'invalid_type':
      return {
        message: invalidValue(value, `must be ${typeNames[issue.expected] ?? issue.expected}`),
        hint: hintForType(schema, path, value, issue.expected),
      };
    case 'invalid_value': {
      const words = issue.values.map(String);
      return {
        message: unsupportedValue(value, words),
        hint: hintForWord(schema, path, value, words),
      };
    }
    case 'too_big':
      // See atMost in schema/scalar.ts.
      return {
        message: tooMany(Array.isArray(value) ? value.length : 0, Number(issue.maximum)),
        hint: issue.message,
      };
    case 'custom':
      return { message: issue.message, hint: hintOf(issue) };
    case 'too_small':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
      return { message: invalidValue(value, issue.message), hint: seeReference };
    default:
      return issue satisfies never;
  }
}

/** The schema asks for nothing that would lead here; if it ever does, there is still a way on. */
const seeReference = 'see what the field takes in docs/manifest.md';

function hintOf({ params }: z.core.$ZodIssueCustom): string {
  const hint: unknown = params?.['hint'];
  return typeof hint === 'string' ? hint : seeReference;
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

function unknownField(schema: z.ZodType, path: Path, key: string): Problem {
  const type = typeAt(schema, path);
  const known = type === undefined ? [] : fieldsOf(type).map(({ name }) => name);
  return {
    path: [...path, key],
    message: `unknown field ${quoted(key)}`,
    hint: didYouMean(key, known) ?? 'remove it, or check the indentation',
  };
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
