/**
 * Lets only so many containers start at a time. More of them side by side than the machine has
 * processors take longer together than in turns: what starts them (runc, most of all) then spends its
 * time on being interrupted. And in turns the first pods are back long before the last ones.
 */
import { availableParallelism } from 'node:os';

/** A start that takes longer waits for something else than a processor. */
const TURN_MS = 1_000;

interface Waiting {
  readonly since: number;
  readonly begin: () => void;
}

export class StartQueue {
  readonly #limit: number;
  readonly #turnMs: number;
  /** In the order of their turns. */
  readonly #waiting: Waiting[] = [];
  #turns = 0;

  /** One more than there are processors: while one start waits for the disk, another one goes on. */
  constructor(limit: number = availableParallelism() + 1, turnMs: number = TURN_MS) {
    this.#limit = limit;
    this.#turnMs = turnMs;
  }

  /**
   * Does a start when it is its turn: that of the one whose pod has waited longest, `since` in
   * milliseconds, so that a pod that has begun to come up is finished before the next one begins.
   * Rejects with the signal's reason if that comes before.
   */
  async do<T>(since: number, start: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turn(since, signal);
    const end = once(() => this.#end());
    const timer = setTimeout(end, this.#turnMs);
    try {
      return await start();
    } finally {
      clearTimeout(timer);
      end();
    }
  }

  async #turn(since: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#turns < this.#limit) {
      this.#turns += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(one), 1);
        reject(signal.reason as Error);
      };
      const begin = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const one: Waiting = { since, begin };
      signal.addEventListener('abort', leave, { once: true });
      const after = this.#waiting.findIndex((other) => other.since > since);
      this.#waiting.splice(after < 0 ? this.#waiting.length : after, 0, one);
    });
  }

  /** Hands the turn on. */
  #end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#turns -= 1;
    else next.begin();
  }
}

function once(call: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    call();
  };
}
