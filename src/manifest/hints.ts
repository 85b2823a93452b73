/** What to try next when a value has the wrong shape: made from what the schema says of its place. */
import { didYouMean } from './did-you-mean.ts';
import type { Path } from './manifest-error.ts';
import type { z } from 'zod';
import { treatments } from './schema/field.ts';
import { fieldsOf, isOptional, typeAt, wordsOf } from './schema/walk.ts';

/** For a field that must be there: what to add, and what goes into it. */
export function hintForMissing(schema: z.ZodType, path: Path): string {
  const field = path.at(-1);
  if (typeof field !== 'string') return 'fill it in, or remove it';
  const type = typeAt(schema, path);
  const words = type === undefined ? [] : wordsOf(type);
  const why = type === undefined ? undefined : treatments.get(type as z.ZodType)?.why;
  const parts = [why, words.length > 1 ? words.join(' or ') : undefined];
  const said = parts.filter((part) => part !== undefined).join(', ');
  if (words.length === 1) return `add "${field}: ${words.join()}"`;
  return said === '' ? `add "${field}"` : `add "${field}": ${said}`;
}

/** For a word that is none of those that there are. */
export function hintForWord(
  schema: z.ZodType,
  path: Path,
  value: unknown,
  words: readonly string[],
): string {
  const guess = didYouMean(value, words);
  if (guess !== undefined) return guess;
  const [only] = words;
  const use = words.length === 1 ? `use "${only}"` : 'use one of the supported values';
  const type = typeAt(schema, path);
  return type !== undefined && isOptional(type) ? `${use}, or leave the field out` : use;
}

/** For a value of another type than what is wanted: how that is written in YAML. */
export function hintForType(
  schema: z.ZodType,
  path: Path,
  value: unknown,
  expected: string,
): string {
  if (value === null) return 'fill it in, or remove it';
  switch (expected) {
    case 'string':
      return hintForText(value);
    case 'array':
      return 'start each item of the list with "- "';
    case 'boolean':
      return 'write true or false, without quotes';
    case 'number':
    case 'int':
      return 'write a number, without quotes';
    default:
      return hintForMap(schema, path);
  }
}

function hintForText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') {
    return `put it in quotes, as YAML takes it for a ${typeof value}`;
  }
  return Array.isArray(value)
    ? 'write a single text; put it in quotes if it is to begin with "[" or "- "'
    : 'write a single text; put it in quotes if it holds ": " or begins with "{"';
}

function hintForMap(schema: z.ZodType, path: Path): string {
  const type = typeAt(schema, path);
  const fields = type === undefined ? [] : fieldsOf(type);
  const [field] = [...fields.filter(({ isRequired }) => isRequired), ...fields];
  const line = field === undefined ? 'KEY: VALUE' : `${field.name}: ...`;
  return `write its fields below it, each on a line such as "${line}" and without "- "`;
}
