/** `reprise get configmaps|secrets|persistentvolumeclaims`: what pods are filled from. */
import { connectAgent } from '../api/client.ts';
import { objectColumns } from '../api/object-table.ts';
import { objectKinds } from '../pod/objects.ts';
import type { V1Object } from '../pod/objects.ts';
import { assertFitForNames, listOf } from './get.ts';
import type { GetOptions } from './get.ts';
import { asText, parseJsonPath } from './json-path.ts';
import type { NamedObject } from './object-names.ts';
import { defaultNamespace } from './options.ts';
import { noteLine, printLine } from './output.ts';
import { throwAll, tryAtOnce } from './several.ts';
import { TextTable } from './text-table.ts';
import { UsageError } from './usage-error.ts';
import { toYaml } from './yaml.ts';

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
  { output, headers, allNamespaces, namespace = defaultNamespace }: GetOptions,
  isOne: boolean,
): Promise<void> {
  const [first] = objects;
  if (output === 'json' || output === 'yaml') {
    const whole = isOne && first !== undefined ? first : listOf(objects);
    printLine(
      output === 'json' ? JSON.stringify(whole, undefined, 4) : (await toYaml(whole)).trimEnd(),
    );
    return;
  }
  if (output?.startsWith('jsonpath=')) {
    const path = parseJsonPath(output.slice('jsonpath='.length));
    for (const object of objects) printLine(path(object).map(asText).join(' '));
    return;
  }
  if (first === undefined) {
    const where = allNamespaces ? '' : ` in ${namespace} namespace.`;
    noteLine(`No resources found${where}`);
    return;
  }
  if (output === 'name') {
    for (const { kind, metadata } of objects) printLine(`${kind.toLowerCase()}/${metadata.name}`);
    return;
  }
  if (output !== undefined && output !== 'wide') {
    throw new UsageError(`unknown output format "${output}"`, {
      next: 'use json, yaml, name or jsonpath={...}',
    });
  }
  for (const kind of objectKinds) {
    const some = objects.filter((object) => object.kind === kind);
    if (some.length === 0) continue;
    const columns = allNamespaces ? [namespaceColumn, ...objectColumns(kind)] : objectColumns(kind);
    const table = new TextTable(columns, { wide: output === 'wide' });
    for (const line of table.lines(some, Date.now(), { header: headers })) printLine(line);
  }
}

const namespaceColumn = {
  name: 'Namespace',
  type: 'string',
  format: '',
  description: 'Namespace of the object',
  priority: 0,
  cell: ({ metadata }: V1Object) => metadata.namespace,
} as const;
