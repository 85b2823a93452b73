/**
 * `?watch=true`: one JSON line per event, for as long as the caller listens.
 *
 * A caller who does not read is cut off with an Expired (410) error event once too much has piled
 * up for it: the agent's memory stays bounded, and the caller knows that it has to list again. One that
 * does not even read that is hung up on.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { startTimer, timeLimit } from '../timers.ts';
import { ApiError } from './api-status.ts';
import type { WatchEvent } from './backend.ts';
import { isSet, wholeNumber } from './call.ts';
import type { Call } from './call.ts';
import { statusOf } from './failure.ts';
import type { Change, Feed } from './feed.ts';
import { watchStart } from './list-options.ts';
import type { Matches } from './selectors.ts';

/** What a watcher may leave unread. */
export const maxUnreadBytes = 4 * 1024 * 1024;

/** How many events a watcher may miss while it is still being sent what is there. */
const maxMissed = 1000;

/** Much longer than anybody takes who reads at all. */
const TAKES_WITHIN_MS = 10_000;

export interface Watch<T> {
  readonly kind: string;
  readonly feed: Feed<T & Shown>;
  /** What is there now. */
  readonly list: readonly (T & Shown)[];
  readonly matches: Matches<T>;
  /** How one object is written, e.g. as a row of a table. */
  readonly show: (object: T) => object;
  /** How long the caller may take for what is unread at the end. */
  readonly takesWithinMs?: number;
}

interface Shown {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string };
}

/** Whether the caller wants to watch. */
export function isWatch(query: URLSearchParams): boolean {
  return isSet(query, 'watch');
}

/** Answers with events until the caller hangs up, the time is over or the feed ends. */
export async function sendWatch<T>(call: Call, watch: Watch<T>): Promise<void> {
  const start = watchStart(call.query);
  const timeoutSeconds = wholeNumber(call.query, 'timeoutSeconds', 0) ?? 0;
  const takesWithinMs = watch.takesWithinMs ?? TAKES_WITHIN_MS;
  const { promise: over, resolve: end } = Promise.withResolvers<undefined>();
  let isOver = false;
  const finish = (): void => {
    isOver = true;
    end(undefined);
  };

  const now = watch.feed.versionOf(watch.list);
  const since = start.isWithList ? now : (start.since ?? now);
  const events: Change<T & Shown>[] = [];
  const waiting = { send: (event: Change<T & Shown>): unknown => events.push(event) };
  using subscription = watch.feed.subscribe(since, {
    onEvent: (event) => waiting.send(event),
    onEnd: finish,
  });
  if (subscription === undefined) {
    throw new ApiError('Expired', `too old resource version: ${since}`, {
      next: 'list again and watch from there',
    });
  }

  call.response.writeHead(200, { 'content-type': 'application/json' });
  call.response.flushHeaders();
  const { response, signal } = call;
  const write = (line: object): void => {
    if (isOver || writeLine(response, line)) return;
    expire(response);
    finish();
  };
  const send = (event: Change<T & Shown>): void => {
    const told = narrowed(event, watch.matches);
    if (told) write({ type: told.type, object: watch.show(told.object) });
  };
  signal.addEventListener('abort', finish, { once: true });
  if (signal.aborted) finish();
  // However long the list is, no more of it is on its way than the caller takes.
  for (const object of start.isWithList ? watch.list.filter(watch.matches) : []) {
    writeLine(response, { type: 'ADDED', object: watch.show(object) });
    if (events.length <= maxMissed && (await isTaken(response, takesWithinMs, signal))) continue;
    if (!signal.aborted) expire(response);
    finish();
    break;
  }
  if (start.isWithBookmark) write(endOfList(watch.kind, since));
  for (const event of events) send(event);
  waiting.send = send;

  // Kubernetes takes 0 for no limit, too.
  const timer = timeoutSeconds === 0 ? undefined : startTimer(timeoutSeconds * 1000, finish);
  await over;
  timer?.[Symbol.dispose]();
  signal.removeEventListener('abort', finish);
  endWithin(response, takesWithinMs);
}

/** Tells whoever streams a list that it has had all of it; a watch goes on from that version. */
function endOfList(kind: string, version: number): object {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const metadata = { resourceVersion: String(version), annotations };
  return { type: 'BOOKMARK', object: { kind, apiVersion: 'v1', metadata } };
}

/** Whether the caller keeps up. */
function writeLine(response: ServerResponse, line: object): boolean {
  response.write(`${JSON.stringify(line)}\n`);
  return response.writableLength <= maxUnreadBytes;
}

/** Tells one who does not keep up that it is cut off. */
function expire(response: ServerResponse): void {
  const error = statusOf(new ApiError('Expired', 'the watcher does not keep up with the events'));
  response.write(`${JSON.stringify({ type: 'ERROR', object: error })}\n`);
}

/** Whether the caller takes what was written within that time. */
async function isTaken(
  response: ServerResponse,
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (!response.writableNeedDrain) return !signal.aborted;
  using limit = timeLimit(withinMs, signal);
  return await once(response, 'drain', { signal: limit.signal }).then(
    () => true,
    () => false,
  );
}

/** An end waits for the caller to take what is left: one that never does keeps its connection no longer. */
function endWithin(response: ServerResponse, ms: number): void {
  response.end();
  if (response.closed) return;
  const timer = startTimer(ms, () => response.destroy());
  response.once('close', () => timer[Symbol.dispose]());
}

/**
 * An object enters a selection as ADDED and leaves it as DELETED, whatever happened to it really: to
 * the watcher nothing else exists. Source: convertToWatchEvent of Kubernetes' watch cache.
 */
function narrowed<T extends Shown>(
  { type, object, before = object }: Change<T>,
  matches: Matches<T>,
): WatchEvent<T> | undefined {
  const was = type !== 'ADDED' && matches(before);
  const is = type !== 'DELETED' && matches(object);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object };
  if (!was) return undefined;
  // What the watcher has selected, and not what became of it since.
  const { resourceVersion } = object.metadata;
  return {
    type: 'DELETED',
    object: { ...before, metadata: { ...before.metadata, resourceVersion } },
  };
}
