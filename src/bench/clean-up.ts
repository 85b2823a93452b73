/**
 * What has to be removed in the end, however the benchmark ends. One thing that cannot be removed
 * does not keep the others; it is told.
 */
import { messageOf } from '../errors.ts';

type Removal = (signal: AbortSignal) => Promise<void>;

interface Item {
  readonly what: string;
  readonly remove: Removal;
}

const REMOVED_WITHIN_MS = 120_000;

export class CleanUp {
  readonly #onLeftover: (what: string) => void;
  readonly #pods: Item[] = [];
  readonly #tools: Item[] = [];

  constructor(onLeftover: (what: string) => void) {
    this.#onLeftover = onLeftover;
  }

  addPod(name: string, remove: Removal): void {
    this.#pods.push({ what: `pod ${name}`, remove });
  }

  /** Something that pods may need for their own removal. */
  addTool(what: string, remove: Removal): void {
    this.#tools.push({ what, remove });
  }

  /** The pods side by side, then the tools, the newest first. */
  async run(): Promise<void> {
    const signal = AbortSignal.timeout(REMOVED_WITHIN_MS);
    await Promise.all(this.#pods.map((pod) => this.#remove(pod, signal)));
    for (const tool of this.#tools.toReversed()) await this.#remove(tool, signal);
  }

  async #remove({ what, remove }: Item, signal: AbortSignal): Promise<void> {
    try {
      await remove(signal);
    } catch (error) {
      this.#onLeftover(`${what}: ${messageOf(error)}`);
    }
  }
}
