/** What every value must keep to before anything looks into it: plain, finite, without NUL. */
import { maxDepth } from './limits.ts';
import { quoted } from './manifest-error.ts';
import type { Path } from './manifest-error.ts';

/** Far above any manifest; a text is bounded before, by limits.ts and expansion.ts. */
const maxParts = 2_000_000;

export interface UnfitPart {
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}

/** The first part of a value that no pod could carry, or undefined. */
export function findUnfitPart(value: unknown): UnfitPart | undefined {
  return look(value, [], { parts: 0 });
}

function look(
  value: unknown,
  path: (string | number)[],
  seen: { parts: number },
): UnfitPart | undefined {
  seen.parts++;
  // That is no fault of the part where it shows.
  const excess = excessOf(path.length, seen.parts);
  if (excess) return { path: [], ...excess };
  const unfit = unfitness(value);
  if (unfit) return { path: [...path], ...unfit };
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    path.push(key);
    const found =
      typeof key === 'string'
        ? (unfitKey(key, path) ?? look(child, path, seen))
        : look(child, path, seen);
    if (found) return found;
    path.pop();
  }
  return undefined;
}

function excessOf(depth: number, parts: number): Omit<UnfitPart, 'path'> | undefined {
  if (parts > maxParts) {
    return { message: `the manifest has more than ${maxParts} parts`, hint: 'split it' };
  }
  if (depth > maxDepth) {
    const hint = 'take levels out: the deepest field of a Pod is 14 levels down';
    return { message: `the manifest is nested more than ${maxDepth} levels deep`, hint };
  }
  return undefined;
}

/** For values that no text could have given. */
const asJson = 'hand over what JSON can hold';

function unfitness(value: unknown): Omit<UnfitPart, 'path'> | undefined {
  if (typeof value === 'string') return unfitText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const hint = 'write a number, or put it in quotes to make it a text';
    return { message: `${value} is not a number that a manifest can hold`, hint };
  }
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') {
    return { message: `a ${typeof value} is not a value that a manifest can hold`, hint: asJson };
  }
  if (typeof value === 'object' && value !== null && !isPlain(value)) {
    return { message: 'only plain maps and lists are allowed here', hint: asJson };
  }
  return undefined;
}

function unfitKey(key: string, path: Path): UnfitPart | undefined {
  if (key === '__proto__') {
    return {
      path: [...path],
      message: 'the key "__proto__" is not allowed',
      hint: 'remove the key, or give it another name',
    };
  }
  const unfit = unfitText(key);
  return unfit && { path: [...path], ...unfit };
}

/** C strings end at NUL, and what is not UTF-16 cannot become UTF-8: neither reaches a process. */
function unfitText(text: string): Omit<UnfitPart, 'path'> | undefined {
  if (text.includes('\0')) {
    return { message: `the text ${quoted(text)} holds a NUL character`, hint: 'remove it' };
  }
  if (!text.isWellFormed()) {
    return {
      message: `the text ${quoted(text)} is not valid Unicode`,
      hint: 'remove the lone surrogate',
    };
  }
  return undefined;
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
