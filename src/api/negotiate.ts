/**
 * A list, an object or a watch, in the shape the caller accepts: plain JSON or a Table.
 */
import { ApiError } from './api-status.ts';
import type { Feed } from './feed.ts';
import { sendJson } from './call.ts';
import type { Call } from './call.ts';
import { checkListOptions } from './list-options.ts';
import type { Matches } from './selectors.ts';
import { rowParts, tableOf } from './table.ts';
import type { Column, RowPart } from './table.ts';
import { isWatch, sendWatch } from './watch.ts';

interface Versioned {
  readonly metadata: { readonly resourceVersion: string };
}

interface Listed extends Versioned {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string };
}

/** Objects of one kind, as they are listed. */
export interface List<T extends Versioned> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly columns: readonly Column<T>[];
  /** Those that were selected. */
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** One kind of object that can be watched, too. */
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
  if (isWatch(call.query)) {
    const show = showFor(call, columns);
    return sendWatch(call, { kind, feed, list, matches, show });
  }
  const resourceVersion = String(feed.versionOf(list));
  const items = list.filter(matches);
  sendList(call, { apiVersion: 'v1', kind, columns, items, resourceVersion });
}

/** Answers a GET of a list. */
export function sendList<T extends Versioned>(
  call: Call,
  { apiVersion, kind, columns, items, resourceVersion }: List<T>,
): void {
  checkListOptions(call.query, resourceVersion);
  const part = rowPartFor(call);
  sendJson(
    call,
    200,
    part === undefined
      ? { kind: `${kind}List`, apiVersion, metadata: { resourceVersion }, items }
      : tableOf(columns, items, resourceVersion, Date.now(), part),
  );
}

/** Answers a GET of one object. */
export function sendObject<T extends Versioned>(
  call: Call,
  columns: readonly Column<T>[],
  object: T,
): void {
  sendJson(call, 200, showFor(call, columns)(object));
}

/** How one object is shown to the caller: as it is, or as a Table with one row. */
function showFor<T extends Versioned>(
  call: Call,
  columns: readonly Column<T>[],
): (object: T) => object {
  const part = rowPartFor(call);
  if (part === undefined) return (object) => object;
  return (object) => {
    const { resourceVersion } = object.metadata;
    return tableOf(columns, [object], resourceVersion, Date.now(), part);
  };
}

/**
 * What the rows of a Table are to carry; undefined if the caller wants no Table. kubectl wants one with
 * `application/json;as=Table;v=v1;g=meta.k8s.io, application/json`, and whole objects in it to sort by.
 */
function rowPartFor({ request, query }: Call): RowPart | undefined {
  const types = (request.headers.accept ?? '').split(',');
  if (!types.some((type) => /;\s*as=Table\b/.test(type))) return undefined;
  const asked = query.get('includeObject') ?? '';
  const part = asked === '' ? 'Metadata' : rowParts.find((known) => known === asked);
  if (part !== undefined) return part;
  const supported = rowParts.map((known) => `"${known}"`).join(', ');
  throw new ApiError(
    'BadRequest',
    'Unable to convert to Table as requested: ' +
      `includeObject: Unsupported value: "${asked}": supported values: ${supported}`,
  );
}
