/** Virtual time: what will happen when. Time passes only by the next thing happening. */

interface Happening {
  readonly at: number;
  /** Of two things at the same moment the one that was plotted first comes first. */
  readonly order: number;
  readonly run: () => void;
}

export class Agenda {
  now: number;
  #happenings: Happening[] = [];
  #order = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** When the next thing happens; undefined if nothing is left. */
  get nextAt(): number | undefined {
    return this.#happenings.at(-1)?.at;
  }

  /** Something happens so much later. */
  plot(ms: number, run: () => void): void {
    const one = { at: this.now + ms, order: this.#order++, run };
    // The next one last, so that taking it is cheap. There are only ever a few.
    const place = this.#happenings.findIndex(({ at }) => at <= one.at);
    this.#happenings.splice(place === -1 ? this.#happenings.length : place, 0, one);
  }

  /** Lets the next thing happen. */
  advance(): void {
    const next = this.#happenings.pop();
    if (next === undefined) return;
    this.now = Math.max(this.now, next.at);
    next.run();
  }
}
