/** The column that `-A` puts before all others. */
import type { Column } from '../api/table.ts';

interface Namespaced {
  readonly metadata: { readonly namespace: string };
}

/** The columns of a table that shows one namespace, or things of all of them. */
export function withNamespace<T extends Namespaced>(
  columns: readonly Column<T>[],
  allNamespaces = false,
): readonly Column<T>[] {
  return allNamespaces ? [namespaceColumn, ...columns] : columns;
}

const namespaceColumn: Column<Namespaced> = {
  name: 'Namespace',
  type: 'string',
  format: '',
  description: 'Namespace of the object',
  priority: 0,
  cell: ({ metadata }) => metadata.namespace,
};
