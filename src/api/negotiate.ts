/**
 * A list, an object or a watch, in the shape the caller accepts: plain JSON or a Table.
 */
import { newestVersion } from './feed.ts';
import type { Feed } from './feed.ts';
import { sendJson } from './call.ts';
import type { Call } from './call.ts';
import { checkListOptions } from './list-options.ts';
import type { Matches } from './selectors.ts';
import { tableOf } from './table.ts';
import type { Column } from './table.ts';
import { isWatch, sendWatch } from './watch.ts';

interface Listed {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string };
}

/** One kind of object, as it is listed. */
export interface Collection<T extends Listed> {
  readonly kind: 'Pod' | 'Event';
  readonly columns: readonly Column<T>[];
  readonly feed: Feed<T>;
  readonly list: readonly T[];
  readonly matches: Matches<T>;
}

/** Answers a GET of a collection: a list, or with `?watch=true` what happens to it. */
export async function sendCollection<T extends Listed>(
  call: Call,
  { kind, columns, feed, list, matches }: Collection<T>,
): Promise<void> {
  const asTable = wantsTable(call);
  if (isWatch(call.query)) {
    const show = (object: T): object => (asTable ? asRow(columns, object) : object);
    return sendWatch(call, { kind, feed, list, matches, show });
  }
  const resourceVersion = String(feed.versionOf(list));
  checkListOptions(call.query, resourceVersion);
  const items = list.filter(matches);
  sendJson(
    call,
    200,
    asTable
      ? tableOf(columns, items, resourceVersion, Date.now())
      : { kind: `${kind}List`, apiVersion: 'v1', metadata: { resourceVersion }, items },
  );
}

/** Answers a GET of one object. */
export function sendObject<T extends Listed>(
  call: Call,
  columns: readonly Column<T>[],
  object: T,
): void {
  sendJson(call, 200, wantsTable(call) ? asRow(columns, object) : object);
}

function asRow<T extends Listed>(columns: readonly Column<T>[], object: T): object {
  return tableOf(columns, [object], String(newestVersion([object])), Date.now());
}

/** Whether the caller wants a Table: kubectl sends `application/json;as=Table;v=v1;g=meta.k8s.io, application/json`. */
export function wantsTable({ request }: Call): boolean {
  return (request.headers.accept ?? '').split(',').some((type) => /;\s*as=Table\b/.test(type));
}
