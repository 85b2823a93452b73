/**
 * Files of variables that containers write for those after them (`fileKeyRef`), read as the kubelet
 * does it (pkg/kubelet/util/env): a little of a shell's syntax, with every value in single quotes.
 */
import { ContainerConfigError } from './config-error.ts';

/** What is in the files that a container's variables come from, by volume and path; absent: no such file. */
export type EnvFiles = ReadonlyMap<string, string>;

/** How such a file is called among EnvFiles. */
export function envFileName(from: { readonly volumeName: string; readonly path: string }): string {
  return `${from.volumeName}/${from.path}`;
}

/**
 * The value of a key: the first one of that name. Undefined if there is none, or if it is empty, which
 * the kubelet does not tell apart. Lines after the one that is looked for are not judged.
 */
export function valueInFile(text: string, key: string): string | undefined {
  let rest = text;
  for (;;) {
    const at = text.length - rest.length;
    const [blank] = /^(?:[ \t]*(?:#[^\n]*|\r)?\n)*/.exec(rest) ?? [''];
    rest = rest.slice(blank.length).replace(/^[ \t]+/, '');
    if (rest === '' || rest.startsWith('#')) return undefined;
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
      if (name === key) return undefined;
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
    if (name === key) return quoted.slice(1, end) || undefined;
    rest = quoted.slice(end + 1 + tail.length).replace(/^\n/, '');
  }
}
