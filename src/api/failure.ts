/**
 * Whatever a handler throws, as the Status that goes back to the caller.
 */
import {
  AlreadyExistsError,
  ConflictError,
  ForbiddenError,
  messageOf,
  NotFoundError,
  RepriseError,
} from '../errors.ts';
import { ManifestError } from '../manifest/manifest-error.ts';
import type { Fault } from '../manifest/manifest-error.ts';
import { ApiError, codes, nextStepReason, placeReason } from './api-status.ts';
import type { ApiCause, ApiReason, ApiStatus } from './api-status.ts';

/** The Status for whatever was thrown. */
export function statusOf(error: unknown): ApiStatus {
  const reason = reasonOf(error);
  const causes = causesOf(error);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: messageOf(error),
    reason,
    ...(causes.length > 0 && { details: { causes } }),
    code: codes[reason],
  };
}

function reasonOf(error: unknown): ApiReason {
  if (error instanceof ApiError) return error.reason;
  if (error instanceof NotFoundError) return 'NotFound';
  if (error instanceof AlreadyExistsError) return 'AlreadyExists';
  if (error instanceof ConflictError) return 'Conflict';
  if (error instanceof ForbiddenError) return 'Forbidden';
  if (error instanceof ManifestError) return 'Invalid';
  return 'InternalError';
}

function causesOf(error: unknown): readonly ApiCause[] {
  if (!(error instanceof RepriseError)) return [];
  const { where, next } = error;
  return [
    ...(error instanceof ManifestError ? error.faults.map(causeOf) : []),
    ...(error instanceof ApiError ? error.causes : []),
    ...(where === undefined ? [] : [{ reason: placeReason, message: where }]),
    ...(next === undefined ? [] : [{ reason: nextStepReason, message: next }]),
  ];
}

function causeOf({ path, message }: Fault): ApiCause {
  const [, reason] = causeReasons.find(([begin]) => message.startsWith(begin)) ?? [];
  return { reason: reason ?? 'FieldValueInvalid', message, field: path };
}

/** Kubernetes' word for each kind of fault, by how its message begins. */
const causeReasons = [
  ['Required value', 'FieldValueRequired'],
  ['Unsupported value', 'FieldValueNotSupported'],
  ['Duplicate value', 'FieldValueDuplicate'],
  ['Forbidden', 'FieldValueForbidden'],
  ['Too many', 'FieldValueTooMany'],
] as const;
