/**
 * ConfigMaps, Secrets and PersistentVolumeClaims as they are named on the command line: `secret NAME`,
 * `cm/NAME`, `persistentvolumeclaims`.
 */
import { objectKinds, objectResources, objectShortNames } from '../pod/objects.ts';
import type { ObjectKind } from '../pod/objects.ts';
import { UsageError } from './usage-error.ts';

export interface NamedObject {
  readonly kind: ObjectKind;
  /** Absent: all of the kind. */
  readonly name?: string;
}

/** What arguments name, if they name anything but pods. */
export function objectNames(args: readonly string[]): readonly NamedObject[] | undefined {
  const [first = '', ...rest] = args;
  if (!first.includes('/')) {
    const kind = kindOf(first);
    if (kind === undefined) return undefined;
    const mixed = rest.find((name) => name.includes('/'));
    if (mixed !== undefined) throw new UsageError(`"${mixed}" does not go with a kind before it`);
    return rest.length === 0 ? [{ kind }] : rest.map((name) => ({ kind, name }));
  }
  const named = args.map((text) => {
    const [word = '', name = '', ...more] = text.split('/');
    const kind = kindOf(word);
    return kind === undefined || name === '' || more.length > 0 ? undefined : { kind, name };
  });
  if (named.every((one) => one === undefined)) return undefined;
  return named.map((one, index) => {
    if (one !== undefined) return one;
    throw new UsageError(`"${args[index]}" does not go with the other arguments`);
  });
}

function kindOf(word: string): ObjectKind | undefined {
  return objectKinds.find((kind) =>
    [kind.toLowerCase(), objectResources[kind], ...objectShortNames[kind]].includes(word),
  );
}
