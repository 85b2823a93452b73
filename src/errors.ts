/**
 * The base of every error a user may see: what went wrong, where, and what to try next.
 *
 * Errors are translated into these once, at the border where they arise (gRPC in runtime/, errno
 * in host/, YAML in manifest/); cli/ turns them into lines and an exit code.
 */

/** Where an error happened and what to do about it. */
export interface ErrorContext {
  /** File and line, pod, container or socket. */
  readonly where?: string;
  /** What the user can try next, as an imperative. */
  readonly next?: string;
  readonly cause?: unknown;
}

/** An error with a place and a way out; everything else that is thrown is a defect of ours. */
export class RepriseError extends Error {
  readonly where: string | undefined;
  readonly next: string | undefined;

  constructor(what: string, context: ErrorContext = {}) {
    super(what, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = new.target.name;
    this.where = context.where;
    this.next = context.next;
  }
}

/** There is no such pod. */
export class NotFoundError extends RepriseError {}

/** A pod of that name is already there. */
export class AlreadyExistsError extends RepriseError {}

/** The pod's state does not allow what was asked. */
export class ConflictError extends RepriseError {}

/** This agent does not take the pod, e.g. because it was started for another one. */
export class ForbiddenError extends RepriseError {}

/** One message for whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
