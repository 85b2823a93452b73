/**
 * What a list or a watch may be asked for besides a selection: from which version on, and how much at once.
 *
 * A list is always answered as a whole and as it is now, which `limit` and all but an exact
 * `resourceVersion` allow. Whoever asks for more is told, in Kubernetes' words.
 *
 * Source: ValidateListOptions of Kubernetes' apimachinery (apis/meta/internalversion/validation).
 */
import { ApiError } from './api-status.ts';
import { isSet, wholeNumber } from './call.ts';

/** Refuses a list for which what there is now, at that version, would be the wrong answer. */
export function checkListOptions(query: URLSearchParams, version: string): void {
  wholeNumber(query, 'limit', 0);
  const asked = versionAsked(query);
  if (query.has('sendInitialEvents')) {
    throw forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list');
  }
  if ((query.get('continue') ?? '') !== '') {
    throw new ApiError('Expired', 'the continue token is not one of this agent', {
      next: 'list again without it: a list is always answered as a whole',
    });
  }
  if (isExact(query, asked) && asked !== Number(version)) {
    throw new ApiError(
      'Expired',
      `the resourceVersion for the provided list is too old: ${asked}`,
      {
        next: `list without resourceVersionMatch, or at ${version}, which is now`,
      },
    );
  }
}

/** Where a watch begins. */
export interface WatchStart {
  /** Absent: now. */
  readonly since?: number;
  /** Whether it begins with what is there. */
  readonly isWithList: boolean;
  /** Whether the end of what is there is told. */
  readonly isWithBookmark: boolean;
}

/** Where a watch is asked to begin: as a streamed list, or as it was before there were such. */
export function watchStart(query: URLSearchParams): WatchStart {
  const field = 'resourceVersionMatch';
  const asked = versionAsked(query);
  const match = query.get(field) ?? '';
  const since = asked === 0 ? undefined : asked;
  if (!query.has('sendInitialEvents')) {
    if (match === '') return { since, isWithList: since === undefined, isWithBookmark: false };
    const why = `${field} is forbidden for watch unless sendInitialEvents is provided`;
    throw forbidden(field, why);
  }
  if (match !== 'NotOlderThan') {
    throw forbidden(field, `sendInitialEvents requires setting ${field} to NotOlderThan`);
  }
  const isWithList = isSet(query, 'sendInitialEvents');
  return { since, isWithList, isWithBookmark: isWithList && isSet(query, 'allowWatchBookmarks') };
}

/** Undefined if any version will do. */
function versionAsked(query: URLSearchParams): number | undefined {
  if (query.get('resourceVersion') === '') return undefined;
  return wholeNumber(query, 'resourceVersion', 0);
}

function isExact(query: URLSearchParams, asked: number | undefined): boolean {
  const field = 'resourceVersionMatch';
  const match = query.get(field) ?? '';
  if (match === '') return false;
  if (asked === undefined) {
    throw forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided');
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    throw invalid(
      field,
      'FieldValueNotSupported',
      `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan"`,
    );
  }
  if (match === 'Exact' && asked === 0) {
    throw forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  return match === 'Exact';
}

function forbidden(field: string, why: string): ApiError {
  return invalid(field, 'FieldValueForbidden', `Forbidden: ${why}`);
}

function invalid(field: string, reason: string, message: string): ApiError {
  return new ApiError('Invalid', `ListOptions.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    causes: [{ reason, message, field }],
  });
}
