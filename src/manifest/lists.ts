/** Lists of objects, as `get -o yaml` gives them: each item is as good as a document of its own. */
import { objectKinds } from '../pod/objects.ts';
import type { ManifestDocument } from './parse.ts';
import { isMap } from './schema/walk.ts';

/** What each kind of list holds; a List says it of each item itself. */
const kindsIn: ReadonlyMap<unknown, string | undefined> = new Map<unknown, string | undefined>([
  ['List', undefined],
  ...['Pod', ...objectKinds].map((kind): [string, string] => [`${kind}List`, kind]),
]);

/** The items of a list, those of lists in it included; a document that is none as it is. */
export function withoutLists(document: ManifestDocument): readonly ManifestDocument[] {
  const { value, file, lineOf } = document;
  if (!isMap(value) || value.apiVersion !== 'v1' || !kindsIn.has(value.kind)) return [document];
  const { items } = value;
  // What is wrong with it is told by the judge of pods.
  if (!Array.isArray(items)) return [document];
  const kind = kindsIn.get(value.kind);
  return items.flatMap((item: unknown, index) =>
    withoutLists({
      file,
      value: kind !== undefined && isMap(item) ? { apiVersion: 'v1', kind, ...item } : item,
      lineOf: (path) => lineOf(['items', index, ...path]),
    }),
  );
}
