/**
 * Exits of containers that no worker knows yet: an agent that has just started hears of them before
 * its workers have looked, and what they see then may lag behind the event.
 */
import type { Exit } from '../pod/observed.ts';
import type { FullLook } from './view.ts';

/** More than exit in the moment that it takes to look; pods of others on the same containerd count too. */
const CAPACITY = 500;

export class StrayExits {
  readonly #exits = new Map<string, Exit>();

  add(containerId: string, exit: Exit): void {
    this.#exits.set(containerId, exit);
    const [oldest] = this.#exits.keys();
    if (this.#exits.size > CAPACITY && oldest !== undefined) this.#exits.delete(oldest);
  }

  /** The look, with the exits that it is too early for. */
  putInto(look: FullLook): FullLook {
    return {
      ...look,
      instances: look.instances.map((one) => {
        const exit = one.id === undefined ? undefined : this.#exits.get(one.id);
        return exit === undefined || one.exit !== undefined || one.state === 'aborted'
          ? one
          : { ...one, state: 'exited', exit };
      }),
    };
  }
}
