/**
 * Errors as the API tells them: v1 Status objects with Kubernetes' codes and reasons.
 *
 * `details.causes` holds the single faults of an invalid object, and what to try next.
 *
 * Read next: failure.ts, which makes one of whatever was thrown.
 */
import { RepriseError } from '../errors.ts';
import type { ErrorContext } from '../errors.ts';

export interface ApiStatus {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason: ApiReason;
  readonly details?: { readonly causes: readonly ApiCause[] };
  readonly code: number;
}

export interface ApiCause {
  readonly reason: string;
  readonly message: string;
  /** Path of the field at fault. */
  readonly field?: string;
}

/** The HTTP code that belongs to each reason. */
export const codes = {
  BadRequest: 400,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  InternalError: 500,
} as const;

/** Kubernetes' word for a kind of failure. */
export type ApiReason = keyof typeof codes;

/** `details.causes[].reason` of the cause that says what to try next. */
export const nextStepReason = 'NextStep';

/** `details.causes[].reason` of the cause that says where it happened. */
export const placeReason = 'Place';

/** An answer other than success, by Kubernetes' word for it. */
export class ApiError extends RepriseError {
  readonly reason: ApiReason;
  readonly causes: readonly ApiCause[];

  constructor(
    reason: ApiReason,
    what: string,
    context: ErrorContext & { causes?: readonly ApiCause[] } = {},
  ) {
    super(what, context);
    this.reason = reason;
    this.causes = context.causes ?? [];
  }
}
