/** `reprise get configmaps|secrets|persistentvolumeclaims`: what pods are filled from. */
import { connectAgent } from '../api/client.ts';
import { objectColumns } from '../api/object-table.ts';
import { objectKinds } from '../pod/objects.ts';
import type { ObjectKind, V1Object } from '../pod/objects.ts';
import { assertFitForNames } from './get.ts';
import type { GetOptions } from './get.ts';
import { formatted, isForPeople } from './get-output.ts';
import type { Look } from './get-output.ts';
import { withNamespace } from './namespace-column.ts';
import type { NamedObject } from './object-names.ts';
import { defaultNamespace } from './options.ts';
import { noteLine, printLine } from './output.ts';
import { throwAll, tryAtOnce } from './several.ts';
import { TextTable } from './text-table.ts';
import { UsageError } from './usage-error.ts';

/** Shows what the arguments name; without a name, all of a kind. */
export async function getObjects(
  named: readonly NamedObject[],
  options: GetOptions,
): Promise<void> {
  if (options.watch) throw new UsageError('-w is for pods');
  const names = named.filter(({ name }) => name !== undefined);
  if (names.length > 0) assertFitForNames(options);
  const client = connectAgent(options.socket);
  const { signal } = new AbortController();
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? defaultNamespace);
  const query = { namespace, labelSelector: options.selector };
  const { results, failures } = await tryAtOnce(named, async ({ kind, name }) =>
    name === undefined
      ? await client.listObjects(kind, query, signal)
      : [await client.getObject(kind, namespace ?? defaultNamespace, name, signal)],
  );
  if (results.length > 0) await show(results.flat(), options, names.length === 1);
  throwAll(failures);
}

async function show(
  objects: readonly V1Object[],
  options: GetOptions,
  isOne: boolean,
): Promise<void> {
  const { output, allNamespaces, namespace = defaultNamespace } = options;
  if (objects.length === 0 && isForPeople(output)) {
    noteLine(`No resources found${allNamespaces ? '' : ` in ${namespace} namespace.`}`);
    return;
  }
  const look: Look<V1Object> = {
    name: ({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`,
    table: (things) => objectKinds.flatMap((kind) => tableOf(kind, things, options)),
  };
  for (const line of await formatted(objects, { output, isOne }, look)) printLine(line);
}

function tableOf(
  wanted: ObjectKind,
  objects: readonly V1Object[],
  { output, headers, allNamespaces }: GetOptions,
): readonly string[] {
  const some = objects.filter(({ kind }) => kind === wanted);
  if (some.length === 0) return [];
  const columns = withNamespace(objectColumns(wanted), allNamespaces);
  const table = new TextTable(columns, { wide: output === 'wide' });
  return table.lines(some, Date.now(), { header: headers });
}
