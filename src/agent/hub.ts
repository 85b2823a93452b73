/** Hands every change on to all who watch: in order, without a limit of its own, until they end. */
import type { WatchEvent } from '../api/backend.ts';

export class Hub<T> {
  readonly #watchers = new Set<(event: WatchEvent<T>) => void>();

  send(event: WatchEvent<T>): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  /** Registered when this is called, not when it is first read. */
  watch(
    initial: readonly T[],
    matches: (object: T) => boolean,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const queue: WatchEvent<T>[] = initial
      .filter(matches)
      .map((object) => ({ type: 'ADDED', object }));
    let wake: () => void = () => undefined;
    const watcher = (event: WatchEvent<T>) => {
      if (!matches(event.object)) return;
      queue.push(event);
      wake();
    };
    this.#watchers.add(watcher);
    const end = () => {
      this.#watchers.delete(watcher);
      wake();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    return drain();

    async function* drain(): AsyncGenerator<WatchEvent<T>, void, void> {
      try {
        for (;;) {
          const event = queue.shift();
          if (event !== undefined) yield event;
          else if (signal.aborted) return;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        signal.removeEventListener('abort', end);
        end();
      }
    }
  }
}
