/**
 * Takes out of a value what the schema found fault with, so that rules over several fields can look
 * at the rest: one typing error must not hide the faults that have nothing to do with it.
 */
import { isMap } from './schema/walk.ts';
import { pathText } from './manifest-error.ts';
import type { Path } from './manifest-error.ts';

/** A type of which any part may be missing. */
export type Partly<T> = T extends readonly (infer Item)[]
  ? readonly (Partly<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Partly<T[Key]> }
    : T;

/** A copy of the value without what is at these paths; items of lists leave a hole. */
export function soundPartsOf(value: unknown, faulty: readonly Path[]): unknown {
  if (faulty.length === 0) return value;
  const copy = copyOf(value);
  for (const path of faulty) removeAt(copy, path);
  return copy;
}

/** A copy of maps and lists; texts, which may be long, stay what they are. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, copyOf(child)]));
}

/** Whether one of these paths leads to a part of the value, or to something around it. */
export function isWithinFaulty(path: Path, faulty: ReadonlySet<string>): boolean {
  return path.some((_, index) => faulty.has(pathText(path.slice(0, index + 1))));
}

function removeAt(root: unknown, path: Path): void {
  const last = path.at(-1);
  const parent = path.slice(0, -1).reduce<unknown>((at, step) => childOf(at, step), root);
  if (Array.isArray(parent) && typeof last === 'number') parent[last] = undefined;
  else if (isMap(parent) && typeof last === 'string') Reflect.deleteProperty(parent, last);
}

function childOf(value: unknown, step: string | number): unknown {
  if (Array.isArray(value) && typeof step === 'number') return value[step];
  return isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}
