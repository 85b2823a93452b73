/**
 * What happened last to one kind of object, for everyone who watches.
 *
 * The agent is watched once; its news are handed on at once, in order, to every subscriber. The
 * last of them are kept, so that somebody who listed first can watch from there without a gap.
 */
import type { WatchEvent } from './backend.ts';

interface Versioned {
  readonly metadata: { readonly resourceVersion: string };
}

interface Known extends Versioned {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string };
}

/** A piece of news, and what the object was before it. */
export interface Change<T> extends WatchEvent<T> {
  /** Absent: it is new, or the feed does not keep what there is. */
  readonly before?: T | undefined;
}

export interface FeedOptions<T> {
  /** How many of the last events are kept. */
  readonly capacity?: number;
  /**
   * What there is before the first event, of objects that may enter or leave a selection while they exist.
   * Absent: they stay in it or out of it, and what there is is not kept.
   */
  readonly there?: readonly T[];
}

export interface Subscriber<T> {
  readonly onEvent: (event: Change<T>) => void;
  /** There will be no more events. */
  readonly onEnd: () => void;
}

export class Feed<T extends Known> {
  readonly #capacity: number;
  readonly #recent: Change<T>[] = [];
  /** By uid, each object as it was handed on last. */
  readonly #there: Map<string, T> | undefined;
  readonly #subscribers = new Set<Subscriber<T>>();
  /** The version before the oldest event that is kept. */
  #floor: number;
  #newest: number;
  #ended = false;

  /** `from` is the newest version there is before the first event. */
  constructor(from: number, { capacity = 512, there }: FeedOptions<T> = {}) {
    this.#capacity = capacity;
    this.#there = there && new Map(there.map((object) => [object.metadata.uid, object]));
    this.#floor = from;
    this.#newest = from;
  }

  /** Hands on everything that comes; ends with its source. */
  async follow(source: AsyncIterable<WatchEvent<T>>): Promise<void> {
    try {
      for await (const event of source) this.#take(event);
    } finally {
      this.#ended = true;
      for (const { onEnd } of [...this.#subscribers]) onEnd();
      this.#subscribers.clear();
    }
  }

  /** The version of a list taken now: at least that of all in it and of everything handed on. */
  versionOf(list: readonly T[]): number {
    return Math.max(this.#newest, newestVersion(list));
  }

  /**
   * Hears of everything after that version: first what is remembered, at once, then what comes.
   * Undefined if that is too long ago to know.
   */
  subscribe(since: number, subscriber: Subscriber<T>): Disposable | undefined {
    if (since < this.#floor) return undefined;
    for (const event of this.#recent.filter((event) => versionIn(event.object) > since)) {
      subscriber.onEvent(event);
    }
    if (this.#ended) {
      subscriber.onEnd();
      return { [Symbol.dispose]: () => undefined };
    }
    const later: Subscriber<T> = {
      // The agent may be ahead of what was handed on when the list was taken.
      onEvent: (event) => versionIn(event.object) > since && subscriber.onEvent(event),
      onEnd: subscriber.onEnd,
    };
    this.#subscribers.add(later);
    return { [Symbol.dispose]: () => void this.#subscribers.delete(later) };
  }

  #take({ type, object }: WatchEvent<T>): void {
    const { uid } = object.metadata;
    const change = { type, object, before: this.#there?.get(uid) };
    if (type === 'DELETED') this.#there?.delete(uid);
    else this.#there?.set(uid, object);
    this.#newest = Math.max(this.#newest, versionIn(object));
    this.#recent.push(change);
    if (this.#recent.length > this.#capacity) {
      const dropped = this.#recent.shift();
      if (dropped) this.#floor = Math.max(this.#floor, versionIn(dropped.object));
    }
    for (const { onEvent } of [...this.#subscribers]) onEvent(change);
  }
}

/** The newest resourceVersion in a list; 0 for an empty one. */
export function newestVersion(list: readonly Versioned[]): number {
  return list.reduce((newest, object) => Math.max(newest, versionIn(object)), 0);
}

function versionIn(object: Versioned): number {
  return Number(object.metadata.resourceVersion);
}
