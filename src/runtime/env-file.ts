/**
 * Files of variables that containers write for those after them (`fileKeyRef`), read as the kubelet
 * does it (pkg/kubelet/util/env): a little of a shell's syntax, with every value in single quotes.
 */
import { ContainerConfigError } from './config-error.ts';

/** A file of variables, up to the first line that is none. */
export interface EnvFile {
  /** The first value of each name. */
  readonly values: ReadonlyMap<string, string>;
  /** What is wrong with the line after them. Absent: nothing is. */
  readonly fault?: ContainerConfigError;
}

/** The files that a container's variables come from, by volume and path; absent: no such file. */
export type EnvFiles = ReadonlyMap<string, EnvFile>;

/** How such a file is called among EnvFiles. */
export function envFileName(from: { readonly volumeName: string; readonly path: string }): string {
  return `${from.volumeName}/${from.path}`;
}

/** Reads a file once, for all keys. */
export function parseEnvFile(text: string): EnvFile {
  const values = new Map<string, string>();
  try {
    for (const [name, value] of variablesIn(text)) if (!values.has(name)) values.set(name, value);
    return { values };
  } catch (error) {
    if (error instanceof ContainerConfigError) return { values, fault: error };
    throw error;
  }
}

/**
 * The value of a key. Undefined if there is none, or if it is empty, which the kubelet does not tell
 * apart. Lines after the one that is looked for are not judged.
 */
export function valueInFile({ values, fault }: EnvFile, key: string): string | undefined {
  const value = values.get(key);
  if (value === undefined && fault !== undefined) throw fault;
  return value === '' ? undefined : value;
}

/** All variables in their order; throws at the first line that is none. */
function* variablesIn(
  text: string,
): Generator<readonly [name: string, value: string], void, undefined> {
  let rest = text;
  for (;;) {
    const at = text.length - rest.length;
    const [blank] = /^(?:[ \t]*(?:#[^\n]*|\r)?\n)*/.exec(rest) ?? [''];
    rest = rest.slice(blank.length).replace(/^[ \t]+/, '');
    if (rest === '' || rest.startsWith('#')) return;
    const fault = (what: string): ContainerConfigError => {
      const line = text.slice(0, at + blank.length).split('\n').length;
      return new ContainerConfigError(`couldn't parse env file: line ${line}: ${what}`, {
        next: "write each variable as KEY='value'",
      });
    };
    const [declaration, name = '', space = ''] = /^([^=\n]*)=([ \t]*)/.exec(rest) ?? [];
    if (declaration === undefined) throw fault("missing '='");
    if (name.trim() === '') throw fault('empty variable name');
    if (name !== name.trimEnd()) throw fault("whitespace before '=' is not allowed");
    if (space !== '') {
      // As in a shell: the variable is empty, and what follows is something else.
      yield [name, ''];
      rest = rest.replace(/^[^\n]*\n?/, '');
      continue;
    }
    const quoted = rest.slice(declaration.length);
    if (!quoted.startsWith("'")) throw fault('value must be enclosed in single quotes');
    const end = quoted.indexOf("'", 1);
    if (end === -1) throw fault('unclosed single quote');
    const [tail] = /^[^\n]*/.exec(quoted.slice(end + 1)) ?? [''];
    if (!/^[ \t]*(?:#[^\n]*|\r)?$/.test(tail))
      throw fault('unexpected content after closing quote');
    yield [name, quoted.slice(1, end)];
    rest = quoted.slice(end + 1 + tail.length).replace(/^\n/, '');
  }
}
