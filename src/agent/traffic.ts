/**
 * Lets the chores of one pod wait while other pods restart: when many restart at once, removing the
 * old containers of the first ones must not slow down the starts of the last ones.
 */

/** No chore waits longer: somebody may be restarting all the time. */
const PATIENCE_MS = 30_000;

export class Traffic {
  readonly #restarting = new Set<string>();
  readonly #waiting = new Set<() => void>();

  /** Says whether a pod, by any name for it, is being restarted in place now. */
  note(pod: string, isRestarting: boolean): void {
    if (this.#restarting.has(pod) === isRestarting) return;
    if (isRestarting) this.#restarting.add(pod);
    else this.#restarting.delete(pod);
    for (const check of [...this.#waiting]) check();
  }

  /**
   * Waits until no other pod restarts, or this one does: then what it prepares is needed at once.
   * Ends early with the signal.
   */
  async whenCalm(pod: string, signal: AbortSignal): Promise<void> {
    if (this.#isCalmFor(pod)) return;
    const over = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    await new Promise<void>((resolve) => {
      const check = () => {
        if (!over.aborted && !this.#isCalmFor(pod)) return;
        this.#waiting.delete(check);
        over.removeEventListener('abort', check);
        resolve();
      };
      this.#waiting.add(check);
      over.addEventListener('abort', check);
    });
  }

  #isCalmFor(pod: string): boolean {
    return this.#restarting.size === 0 || this.#restarting.has(pod);
  }
}
