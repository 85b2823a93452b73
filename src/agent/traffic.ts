/**
 * Lets the chores of one pod wait while other pods restart: when many restart at once, removing the
 * old containers of the first ones must not slow down the starts of the last ones.
 */

/** No chore waits longer: somebody may be restarting all the time. */
const PATIENCE_MS = 30_000;

interface Waiter {
  readonly pod: string;
  readonly goOn: () => void;
}

export class Traffic {
  /** Pods that have ended are in neither, for as long as the agent runs. */
  readonly #restarting = new Set<string>();
  readonly #waiting = new Set<Waiter>();

  /** Says what a pod, by any name for it, is up to: a restart in place, its end, or neither. */
  note(pod: string, { restarts = false, ends = false }): void {
    const isNews = set(this.#restarting, pod, restarts);
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
    const over = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
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
    return this.#restarting.size === 0 || this.#restarting.has(pod);
  }
}

/** Puts a pod into a set or takes it out; whether that changes anything. */
function set(pods: Set<string>, pod: string, isIn: boolean): boolean {
  if (pods.has(pod) === isIn) return false;
  if (isIn) pods.add(pod);
  else pods.delete(pod);
  return true;
}
