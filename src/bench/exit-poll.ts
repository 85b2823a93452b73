/**
 * How somebody without containerd's events finds out that a container has exited: by asking every
 * two milliseconds, from the begin of one question to that of the next. An answer that takes longer
 * skips questions.
 *
 * One container is asked for with ContainerStatus. For many at a time a single list answers for all
 * of them, which is cheaper: whoever polls must not be slowed down by that more than he has to be.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cri } from '../runtime/cri.ts';

const EVERY_MS = 2;

/**
 * When to ask next, if it was to be asked at `dueAt` and the answer has come now. Timers are as fine as a
 * millisecond; that it goes on from `dueAt` keeps the pace in the middle.
 */
export function nextQuestion(dueAt: number, now: number): number {
  const questions = Math.max(1, Math.ceil((now - dueAt) / EVERY_MS));
  return dueAt + questions * EVERY_MS;
}

interface Waiting {
  readonly id: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class ExitPoll {
  readonly #cri: Cri;
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<Waiting>();
  #polls = false;

  /** The signal ends all waits. */
  constructor(cri: Cri, signal: AbortSignal) {
    this.#cri = cri;
    this.#signal = signal;
  }

  /** Resolves when the container has exited. */
  async exitOf(id: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#waiting.add({ id, resolve: () => resolve(undefined), reject });
    if (!this.#polls) void this.#poll();
    await promise;
  }

  /** Never rejects: a failure goes to those who wait. */
  async #poll(): Promise<void> {
    this.#polls = true;
    let dueAt = performance.now();
    try {
      for (;;) {
        const exited = await this.#exited([...this.#waiting].map(({ id }) => id));
        for (const one of [...this.#waiting].filter(({ id }) => exited.has(id))) {
          this.#waiting.delete(one);
          one.resolve();
        }
        // Whoever was told, and waits for another one at once, begins anew.
        if (this.#waiting.size === 0) return;
        dueAt = nextQuestion(dueAt, performance.now());
        const ms = Math.max(0, dueAt - performance.now());
        await delay(ms, undefined, { signal: this.#signal });
      }
    } catch (error) {
      for (const { reject } of this.#waiting) reject(error);
      this.#waiting.clear();
    } finally {
      this.#polls = false;
    }
  }

  async #exited(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const [only] = ids;
    if (only !== undefined && ids.length === 1) {
      const { state } = await this.#cri.containerStatus(only, this.#signal);
      return new Set(state === 'CONTAINER_EXITED' ? [only] : []);
    }
    const filter = { state: { state: 'CONTAINER_EXITED' as const } };
    const listed = await this.#cri.listContainers(filter, this.#signal);
    const wanted = new Set(ids);
    return new Set(listed.map(({ id }) => id).filter((id) => wanted.has(id)));
  }
}
