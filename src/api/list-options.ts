/**
 * What a list or a watch may be asked for besides a selection: from which version on, and how much at once.
 *
 * A list is always answered as a whole and as it is now, which `limit` and all but an exact
 * `resourceVersion` allow. Whoever asks for more is told, in Kubernetes' words.
 *
 * Source: ValidateListOptions of Kubernetes' apimachinery (apis/meta/internalversion/validation).
 */
import { ApiError } from './api-status.ts';
import { wholeNumber } from './call.ts';

/** The version that is asked for; undefined if any will do. */
export function versionAsked(query: URLSearchParams): number | undefined {
  if (query.get('resourceVersion') === '') return undefined;
  return wholeNumber(query, 'resourceVersion', 0);
}

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
