/**
 * What `get` prints of things, whatever they are, in each of its formats.
 */
import { asText, parseJsonPath } from './json-path.ts';
import { UsageError } from './usage-error.ts';
import { toYaml } from './yaml.ts';

/** What is not the same for all kinds. */
export interface Look<T> {
  readonly table: (things: readonly T[]) => readonly string[];
  /** For `-o name`. */
  readonly name: (thing: T) => string;
}

/** Refuses a format that there is not, before anybody is asked for what it would show. */
export function assertFormat(output: string | undefined): void {
  if (output?.startsWith('jsonpath=')) parseJsonPath(pathIn(output));
  else if (output !== undefined && !['wide', 'json', 'yaml', 'name'].includes(output)) {
    throw new UsageError(`unknown output format "${output}"`, {
      next: 'use wide, json, yaml, name or jsonpath={...}',
    });
  }
}

/** Whether the format is one for people, who are told when there is nothing. */
export function isForPeople(output: string | undefined): boolean {
  return output === undefined || output === 'wide' || output === 'name';
}

/** The lines; what was asked for by its only name is itself, everything else a list. */
export async function formatted<T extends object>(
  things: readonly T[],
  { output, isOne }: { readonly output: string | undefined; readonly isOne: boolean },
  look: Look<T>,
): Promise<readonly string[]> {
  const whole = isOne && things[0] !== undefined ? things[0] : listOf(things);
  if (output === 'json') return [JSON.stringify(whole, undefined, 4)];
  if (output === 'yaml') return [(await toYaml(whole)).trimEnd()];
  if (output === 'name') return things.map(look.name);
  if (output?.startsWith('jsonpath=')) {
    const path = parseJsonPath(pathIn(output));
    // As with kubectl, `{.items[*]...}` goes through the list; any other path goes through each of them.
    const isOfList = !isOne && /^\{?\$?\.items\b/.test(pathIn(output));
    return (isOfList ? [whole] : things).map((one) => path(one).map(asText).join(' '));
  }
  return look.table(things);
}

/** Several objects in one, as kubectl prints them. */
export function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items };
}

function pathIn(output: string): string {
  return output.slice('jsonpath='.length);
}
