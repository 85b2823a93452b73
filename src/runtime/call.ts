/**
 * One call to containerd as a promise: with a deadline, ended by an AbortSignal, and with gRPC's
 * status codes turned into errors that say what to do.
 *
 * A deadline or an abort ends our waiting, not the daemon's work: what was asked for may still
 * come about, and only a look tells.
 *
 * Read next: unreachable.ts, what it means when nobody answers.
 */
import { Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { RepriseError } from '../errors.ts';
import type { Containerd } from './connect.ts';
import { containerdUnreachable } from './unreachable.ts';

/** gRPC's status codes in words, but for OK and UNAVAILABLE. */
export type CallErrorCode =
  | 'cancelled'
  | 'unknown'
  | 'invalid-argument'
  | 'deadline'
  | 'not-found'
  | 'already-exists'
  | 'permission-denied'
  | 'resource-exhausted'
  | 'failed-precondition'
  | 'aborted'
  | 'out-of-range'
  | 'unimplemented'
  | 'internal'
  | 'data-loss'
  | 'unauthenticated';

/** containerd answered a call with an error, or did not answer in time. */
export class RuntimeCallError extends RepriseError {
  readonly code: CallErrorCode;
  /** The call's name, e.g. `StartContainer`. */
  readonly call: string;
  /** containerd's own words, without ours around them. */
  readonly details: string;

  constructor(call: string, code: CallErrorCode, details: string, where: string, cause?: unknown) {
    super(`containerd could not do ${call}: ${details}`, { where, next: nextFor[code], cause });
    this.call = call;
    this.code = code;
    this.details = details;
  }

  /**
   * The id of the container or sandbox that holds the name we asked for: one made by an earlier
   * call whose answer was lost, or still being made. The status code of this differs by version.
   */
  get reservedFor(): string | undefined {
    return /is reserved for "([0-9a-f]{64})"/.exec(this.details)?.[1];
  }
}

/** Whether an error is containerd's answer with this code. */
export function isCallError(error: unknown, code: CallErrorCode): error is RuntimeCallError {
  return error instanceof RuntimeCallError && error.code === code;
}

/** The answer; nothing if what was asked about is gone. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isCallError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** How long to wait for an answer. */
export interface Patience {
  readonly deadlineMs: number;
  /** Absent: only the deadline ends the wait. */
  readonly signal?: AbortSignal;
}

/** A call, as the definitions of a connection describe it. */
export interface Method<Request, Response> {
  /** `/package.Service/Call`. */
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** Makes one call. An abort rejects with the signal's own reason. */
export async function perform<Request, Response>(
  containerd: Containerd,
  method: Method<Request, Response>,
  request: Request,
  patience: Patience,
): Promise<Response> {
  patience.signal?.throwIfAborted();
  try {
    return await answerTo(containerd, method, request, patience);
  } catch (error) {
    patience.signal?.throwIfAborted();
    throw await translate(nameOf(method), containerd.socketPath, error as ServiceError);
  }
}

function answerTo<Request, Response>(
  { client }: Containerd,
  method: Method<Request, Response>,
  request: Request,
  { deadlineMs, signal }: Patience,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      headers(),
      { deadline: Date.now() + deadlineMs },
      (error, response) => {
        signal?.removeEventListener('abort', cancel);
        if (error) reject(error);
        else resolve(response as Response);
      },
    );
    const cancel = () => {
      call.cancel();
    };
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** containerd's namespace that CRI lives in; CRI itself does not need to be told. */
export const criNamespace = 'k8s.io';

/** The headers of every call. */
export function headers(): Metadata {
  const metadata = new Metadata();
  metadata.set('containerd-namespace', criNamespace);
  return metadata;
}

/** `/runtime.v1.RuntimeService/StartContainer` -> `StartContainer`. */
export function nameOf(method: { readonly path: string }): string {
  return method.path.slice(method.path.lastIndexOf('/') + 1);
}

/** The error of a call as one of ours. */
export async function translate(
  name: string,
  socketPath: string,
  error: ServiceError,
): Promise<RepriseError> {
  // Up to 1.7 a daemon that is still starting says so with the code for everything else.
  const starting = error.code === status.UNKNOWN && error.details.includes('not initialized yet');
  if (error.code === status.UNAVAILABLE || starting)
    return containerdUnreachable(socketPath, error);
  const code = codeNames[error.code] ?? 'unknown';
  return new RuntimeCallError(name, code, error.details, socketPath, error);
}

const codeNames: Readonly<Partial<Record<status, CallErrorCode>>> = {
  [status.CANCELLED]: 'cancelled',
  [status.UNKNOWN]: 'unknown',
  [status.INVALID_ARGUMENT]: 'invalid-argument',
  [status.DEADLINE_EXCEEDED]: 'deadline',
  [status.NOT_FOUND]: 'not-found',
  [status.ALREADY_EXISTS]: 'already-exists',
  [status.PERMISSION_DENIED]: 'permission-denied',
  [status.RESOURCE_EXHAUSTED]: 'resource-exhausted',
  [status.FAILED_PRECONDITION]: 'failed-precondition',
  [status.ABORTED]: 'aborted',
  [status.OUT_OF_RANGE]: 'out-of-range',
  [status.UNIMPLEMENTED]: 'unimplemented',
  [status.INTERNAL]: 'internal',
  [status.DATA_LOSS]: 'data-loss',
  [status.UNAUTHENTICATED]: 'unauthenticated',
};

const nextFor: Readonly<Partial<Record<CallErrorCode, string>>> = {
  deadline: 'look at the load of the machine and at the log of containerd',
  unimplemented:
    'check that the CRI plugin of containerd is enabled ("disabled_plugins" in its configuration) and that containerd is at least 1.6',
};
