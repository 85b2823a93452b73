/**
 * GET .../pods/NAME/log: what a container wrote, from the files that containerd keeps.
 *
 * Which file it is, is settled here; how such a file is read is handed in with the server.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { NotFoundError } from '../errors.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { ApiError } from './api-status.ts';
import type { LogSource } from './backend.ts';
import { isSet, wholeNumber } from './call.ts';
import type { ApiContext, Call } from './call.ts';
import { containerState, pickContainer } from './pod-containers.ts';
import { findPod } from './pods.ts';

export interface ReadLogOptions {
  /** Only that many lines from the end. */
  readonly tailLines?: number;
  /** Only what was written at this time or later, in milliseconds since 1970. */
  readonly sinceMs?: number;
  /** The time in front of every line. */
  readonly timestamps: boolean;
  /** Nothing after that many bytes. */
  readonly limitBytes?: number;
  /** Go on until this resolves: the container has ended. Absent: end at the end of the file. */
  readonly followUntil?: Promise<void>;
}

/** Reads a log file as text; throws NotFoundError, ends early without an error with the signal. */
export type ReadLog = (
  file: string,
  options: ReadLogOptions,
  signal: AbortSignal,
) => AsyncIterable<Buffer>;

/** Streams a container's log. */
export async function sendLog(call: Call, { backend, readLog }: ApiContext): Promise<void> {
  const pod = findPod(call, backend);
  const { namespace, name } = pod.metadata;
  const isPrevious = isSet(call.query, 'previous');
  const isFollowed = isSet(call.query, 'follow') && !isPrevious;
  const options = optionsOf(call);
  const container = pickContainer(pod, call.query.get('container'));
  const source = await backend.logSource(namespace, name, container);
  if (!source) throw new NotFoundError(`container ${container} of pod ${name} has no logs`);
  const attempt = attemptOf(source, isPrevious, pod, container);
  const file = join(source.directory, container, `${attempt}.log`);
  const followUntil = isFollowed ? source.finished(call.signal) : undefined;
  await sendPieces(call, readLog(file, { ...options, followUntil }, call.signal));
}

function optionsOf({ query }: Call): ReadLogOptions {
  const stream = query.get('stream') ?? 'All';
  if (stream !== 'All') {
    throw new ApiError('BadRequest', `stream=${stream}: only All is supported`);
  }
  return {
    tailLines: wholeNumber(query, 'tailLines', 0),
    sinceMs: sinceMsOf(query),
    timestamps: isSet(query, 'timestamps'),
    limitBytes: wholeNumber(query, 'limitBytes', 1),
  };
}

function sinceMsOf(query: URLSearchParams): number | undefined {
  const seconds = wholeNumber(query, 'sinceSeconds', 1);
  const time = query.get('sinceTime');
  if (time === null) return seconds === undefined ? undefined : Date.now() - seconds * 1000;
  if (seconds !== undefined) {
    throw new ApiError('Invalid', 'at most one of `sinceTime` or `sinceSeconds` may be specified');
  }
  const isWhole = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)$/.test(time);
  const ms = isWhole ? Date.parse(time) : NaN;
  if (!Number.isNaN(ms)) return ms;
  const what = 'must be a time as RFC 3339 has it, e.g. 2026-01-02T03:04:05Z';
  throw new ApiError('BadRequest', `sinceTime=${time}: ${what}`);
}

/** The headers go out with the first piece, so that a log that cannot be read is still an error. */
async function sendPieces(
  { response, signal }: Call,
  pieces: AsyncIterable<Buffer>,
): Promise<void> {
  const begin = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    response.flushHeaders();
  };
  try {
    for await (const piece of pieces) {
      begin();
      if (!response.write(piece)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  begin();
  response.end();
}

function attemptOf(source: LogSource, previous: boolean, pod: V1Pod, container: string): number {
  const attempt = previous ? source.previous : source.current;
  if (attempt !== undefined) return attempt;
  const { name } = pod.metadata;
  if (previous) {
    throw new ApiError(
      'BadRequest',
      `previous terminated container "${container}" in pod "${name}" not found`,
    );
  }
  const waiting = containerState(pod, container)?.waiting?.reason;
  throw new ApiError(
    'BadRequest',
    `container "${container}" in pod "${name}" is waiting to start: ${waiting ?? 'PodInitializing'}`,
  );
}
