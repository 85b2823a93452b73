/**
 * Patience with what may hang where nothing can end it: a process in a system call of a driver that does
 * not answer outlives its SIGKILL. It gets a limited time, and no second one is begun while it hangs.
 */

/** A call takes longer than it may, or was not begun, as one before it still does. */
export class HangError extends Error {
  readonly isBegun: boolean;

  constructor(isBegun: boolean) {
    super(isBegun ? 'it hangs' : 'it still hangs');
    this.isBegun = isBegun;
  }
}

export class Patience {
  readonly #limitMs: number;
  #last: Promise<unknown> = Promise.resolve();
  #isHung = false;

  /** `limitMs`: what a call may take, its end by force included. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** One call at a time, in the order in which they are asked for. Throws HangError. */
  async do<T>(begin: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const turn = Promise.withResolvers<undefined>();
    this.#last = turn.promise;
    try {
      await before;
      // Asked when the turn has come: it may be the one before that hangs.
      if (this.#isHung) throw new HangError(false);
      return await this.#within(begin());
    } finally {
      turn.resolve(undefined);
    }
  }

  async #within<T>(run: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#isHung = true;
      late.reject(new HangError(true));
    }, this.#limitMs);
    const ended = run.finally(() => {
      clearTimeout(timer);
      this.#isHung = false;
    });
    try {
      return await Promise.race([ended, late.promise]);
    } finally {
      ended.catch(() => undefined);
    }
  }
}
