/**
 * Lets the chores of one pod wait while other pods restart: when many restart at once, removing the
 * old containers of the first ones must not slow down the starts of the last ones.
 */

/**
 * No chore waits longer, as somebody may be restarting all the time; nor for a pod that has been restarting
 * for so long, which may hang.
 */
const PATIENCE_MS = 30_000;

interface Waiter {
  readonly pod: string;
  readonly goOn: () => void;
}

export class Traffic {
  /** Since when. Pods that have ended are not in it, for as long as the agent runs. */
  readonly #restarting = new Map<string, number>();
  readonly #now: () => number;
  readonly #waiting = new Set<Waiter>();

  /** `now`: milliseconds, from any moment on. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Says what a pod, by any name for it, is up to: a restart in place, its end, or neither. */
  note(pod: string, { restarts = false, ends = false }): void {
    const isNews = this.#restarting.has(pod) !== restarts;
    if (isNews && restarts) this.#restarting.set(pod, this.#now());
    if (isNews && !restarts) this.#restarting.delete(pod);
    if (!isNews && !ends) return;
    for (const waiter of [...this.#waiting]) {
      if ((ends && waiter.pod === pod) || this.#isCalmFor(waiter.pod)) waiter.goOn();
    }
  }

  /**
   * Waits until no other pod restarts, or this one does: then what it prepares is needed at once; or
   * until this one ends: its end waits for all that it has begun. Ends early with the signal.
   */
  async whenCalm(pod: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#isCalmFor(pod)) return;
    const longest = Math.max(...[...this.#restarting.values()].map((since) => this.#leftOf(since)));
    const over = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(longest))]);
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        this.#waiting.delete(waiter);
        over.removeEventListener('abort', goOn);
        resolve();
      };
      const waiter: Waiter = { pod, goOn };
      this.#waiting.add(waiter);
      over.addEventListener('abort', goOn);
    });
  }

  #isCalmFor(pod: string): boolean {
    if (this.#restarting.has(pod)) return true;
    return [...this.#restarting.values()].every((since) => this.#leftOf(since) <= 0);
  }

  /** How long others make room for who restarts since then. */
  #leftOf(since: number): number {
    return since + PATIENCE_MS - this.#now();
  }
}
