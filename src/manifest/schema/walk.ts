/** Questions to a schema: which fields it has, what is at a path, how each field is treated. */
import { z } from 'zod';
import { own } from '../../pod/own.ts';
import type { Path } from '../manifest-error.ts';
import { treatments } from './field.ts';
import type { Treatment } from './field.ts';

/** A field of an object, with its schema and treatment. */
export interface Field {
  readonly name: string;
  readonly type: z.core.$ZodType;
  readonly treatment: Treatment | undefined;
  readonly isRequired: boolean;
  readonly isList: boolean;
}

/** The fields of an object schema, or of the objects in a list of them; none for anything else. */
export function fieldsOf(type: z.core.$ZodType): readonly Field[] {
  const object = objectIn(type);
  return object ? Object.entries(shapeOf(object)).map(toField) : [];
}

/** The object schema that a schema comes down to, without `optional` and list around it. */
export function objectIn(type: z.core.$ZodType): z.ZodObject | undefined {
  const inner = unwrapped(type);
  if (inner instanceof z.ZodArray) return objectIn(inner.element);
  return inner instanceof z.ZodObject ? inner : undefined;
}

function toField([name, type]: [string, z.core.$ZodType]): Field {
  const isRequired = !isOptional(type);
  const isList = unwrapped(type) instanceof z.ZodArray;
  return { name, type, treatment: treatments.get(type as z.ZodType), isRequired, isList };
}

/** The schema of what is at a path, or undefined where the schema says nothing. */
export function typeAt(type: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  return path.reduce<z.core.$ZodType | undefined>(
    (at, step) => (at === undefined ? undefined : stepInto(at, step)),
    type,
  );
}

function stepInto(type: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  const inner = unwrapped(type);
  if (inner instanceof z.ZodArray) return typeof step === 'number' ? inner.element : undefined;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  if (!(inner instanceof z.ZodObject)) return undefined;
  const shape = shapeOf(inner);
  return Object.hasOwn(shape, step) ? shape[step] : undefined;
}

/**
 * A value without what Kubernetes takes for absent: fields that are null or an empty text. In maps
 * with free keys and in lists they stay, since there they say something.
 */
export function withoutBlanks(type: z.core.$ZodType, value: unknown): unknown {
  const inner = unwrapped(type);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item: unknown) => withoutBlanks(inner.element, item));
  }
  if (!(inner instanceof z.ZodObject) || !isMap(value)) return value;
  const shape = shapeOf(inner);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => {
      const fieldType = own(shape, key);
      if (fieldType === undefined) return [[key, field]];
      return field === null || field === '' ? [] : [[key, withoutBlanks(fieldType, field)]];
    }),
  );
}

/** The fields without effect that a value has, each with its path. */
export function inertFieldsIn(
  type: z.core.$ZodType,
  value: unknown,
  path: Path = [],
): readonly { readonly path: Path; readonly why: string }[] {
  if (Array.isArray(value)) {
    const inner = unwrapped(type);
    if (!(inner instanceof z.ZodArray)) return [];
    return value.flatMap((item, index) => inertFieldsIn(inner.element, item, [...path, index]));
  }
  if (!isMap(value)) return [];
  return fieldsOf(type).flatMap((field) => {
    if (!Object.hasOwn(value, field.name)) return [];
    const at = [...path, field.name];
    return field.treatment?.kind === 'inert'
      ? [{ path: at, why: field.treatment.why }]
      : inertFieldsIn(field.type, value[field.name], at);
  });
}

/** Whether a field may be left out. */
export function isOptional(type: z.core.$ZodType): boolean {
  return type instanceof z.ZodOptional;
}

/** The words that a schema takes; none if it takes anything else. */
export function wordsOf(type: z.core.$ZodType): readonly string[] {
  const inner = unwrapped(type);
  return inner instanceof z.ZodEnum ? inner.options.map(String) : [];
}

function unwrapped(type: z.core.$ZodType): z.core.$ZodType {
  return type instanceof z.ZodOptional ? unwrapped(type.unwrap()) : type;
}

function shapeOf(type: z.ZodObject): Readonly<Record<string, z.core.$ZodType>> {
  return type.shape;
}

/** Whether a value is a map, as YAML and JSON have it. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
