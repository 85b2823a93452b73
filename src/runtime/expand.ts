/**
 * `$(NAME)` references to variables, as Kubernetes expands them (third_party/forked/golang/expansion):
 * `$$` is a literal `$`, a reference without an end stays as it is written, nothing is expanded twice.
 *
 * Takes time in proportion to the text, and stops before anything gets longer than can be used.
 */
import { ContainerConfigError } from './config-error.ts';
import { longestString, stringTooLong } from './program-room.ts';
import type { ProgramRoom } from './program-room.ts';

/** Environment variables by name, in the order of their first mention. */
export type Environment = ReadonlyMap<string, string>;

/** PATH_MAX without the NUL at the end. */
const longestPath = 4095;

/** Replaces references by the variable's value. What is not defined stays as it is written. */
export function expand(text: string, environment: Environment, what: string): string {
  const limit = { longest: longestString, refuse: () => stringTooLong(what) };
  return replaceReferences(text, limit, (name) => environment.get(name));
}

/** A path; what is not defined, or is empty, is an error. */
export function expandPath(text: string, environment: Environment, what: string): string {
  const refuse = (): ContainerConfigError =>
    new ContainerConfigError(`${what} has more than ${longestPath} bytes, which no path can have`, {
      next: 'make the variables in it shorter',
    });
  return replaceReferences(text, { longest: longestPath, refuse }, (name) => {
    const value = environment.get(name);
    if (value) return value;
    throw new ContainerConfigError(`missing value for "${name}"`, {
      next: 'define the variable in env before it is used in subPathExpr',
    });
  });
}

/** The words of a command, for which there must be room. */
export function expandWords(
  words: readonly string[],
  environment: Environment,
  { field, room }: { readonly field: string; readonly room: ProgramRoom },
): string[] {
  return words.map((word, index) => {
    const what = `${field}[${index}]`;
    const expanded = expand(word, environment, what);
    room.take(what, expanded);
    return expanded;
  });
}

function replaceReferences(
  text: string,
  { longest, refuse }: { readonly longest: number; readonly refuse: () => ContainerConfigError },
  valueOf: (name: string) => string | undefined,
): string {
  let result = '';
  const append = (piece: string): void => {
    result += piece;
    // No text has more characters than bytes.
    if (result.length > longest) throw refuse();
  };
  let from = 0;
  // Where the next reference ends. Looked for again only behind it, and never if there is none.
  let end = -1;
  for (let dollar = text.indexOf('$'); dollar !== -1; dollar = text.indexOf('$', from)) {
    append(text.slice(from, dollar));
    from = dollar + 2;
    const operator = text[dollar + 1];
    if (operator === '(' && end < dollar) end = indexOrInfinity(text, ')', dollar);
    if (operator === '$') {
      append('$');
    } else if (operator === '(' && end !== Infinity) {
      from = end + 1;
      append(valueOf(text.slice(dollar + 2, end)) ?? text.slice(dollar, from));
    } else {
      append(text.slice(dollar, from));
    }
  }
  append(text.slice(from));
  return result;
}

function indexOrInfinity(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index === -1 ? Infinity : index;
}
