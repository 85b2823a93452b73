// Of a list or a map, whatever is wrong with its items, the library hands on a few faults only.
import test from 'ava';
import { z } from 'zod';
import { mostFaults } from '../manifest-error.ts';
import { visitedPodSchema } from './ephemeral-container.ts';
import { listOf, mapOf, untoldBy } from './many.ts';
import { objectSchemas } from './objects.ts';
import { podSchema } from './pod.ts';
import { fieldsOf } from './walk.ts';

interface Found {
  readonly kept: number;
  readonly untold: number;
}

function found(type: z.core.$ZodType, value: unknown): Found {
  const issues = z.safeParse(type, value).error?.issues ?? [];
  return {
    kept: issues.filter((issue) => untoldBy(issue) === 0).length,
    untold: issues.reduce((sum, issue) => sum + untoldBy(issue), 0),
  };
}

test('the first faults are kept, the others counted', (t) => {
  const many = mostFaults * 300;
  const rest = { kept: mostFaults, untold: many - mostFaults };
  const list = Array.from({ length: many }, () => 1);
  t.deepEqual(found(listOf(z.string()), list), rest);
  t.deepEqual(found(mapOf(z.string()), Object.fromEntries(list.entries())), rest);
  t.deepEqual(found(listOf(z.string()), list.slice(0, mostFaults)), {
    kept: mostFaults,
    untold: 0,
  });
});

test('those within a list within a list are counted once', (t) => {
  const inner = Array.from({ length: mostFaults + 1 }, () => 1);
  const outer = [inner, ['a'], inner, inner];
  const whole = z.strictObject({ a: listOf(listOf(z.string())) });
  t.deepEqual(found(whole, { a: outer }), {
    kept: mostFaults,
    untold: 3 * inner.length - mostFaults,
  });
});

test('every list and map of every schema is bounded so', (t) => {
  const types = [podSchema, visitedPodSchema, ...Object.values(objectSchemas)];
  const lists = types.flatMap((type) => manyIn(type, ''));
  t.true(lists.length > 50);
  const faulty = Array.from({ length: mostFaults * 2 }, () => Symbol('neither text nor number'));
  for (const [path, type] of lists) {
    const value = type instanceof z.ZodArray ? faulty : Object.fromEntries(faulty.entries());
    const { kept } = found(type, value);
    // Some take anything; a list may have too many items besides.
    t.true(kept <= mostFaults + 1, path);
  }
});

function manyIn(
  type: z.core.$ZodType,
  path: string,
): readonly (readonly [string, z.core.$ZodType])[] {
  if (type instanceof z.ZodOptional) return manyIn(type.unwrap(), path);
  const own =
    type instanceof z.ZodArray || type instanceof z.ZodRecord ? [[path, type] as const] : [];
  const fields = fieldsOf(type).flatMap((field) => manyIn(field.type, `${path}.${field.name}`));
  return [...own, ...fields];
}
