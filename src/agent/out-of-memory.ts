/**
 * Why containers have ended, in containerd's words. As for containerd, one in which the kernel has
 * killed something for want of memory ends as `OOMKilled`, whatever its exit code: what was killed may
 * have been a child, and its parent may have gone on for long and ended as it liked.
 */
import { OOM_KILLED } from '../pod/restart-rules.ts';

/** Events of containers that are never told to have ended are never asked for: the oldest go. */
const CAPACITY = 10_000;

export class OutOfMemory {
  readonly #told = new Set<string>();

  /** The event of it. */
  saw(containerId: string): void {
    this.#told.add(containerId);
    const [oldest] = this.#told;
    if (this.#told.size > CAPACITY && oldest !== undefined) this.#told.delete(oldest);
  }

  /**
   * The reason of an exit. The event may come after that of the exit, so the cgroup's own counter is
   * asked as well, as long as it is there.
   */
  reasonOf(containerId: string, code: number, countKills: () => number): string {
    const wasTold = this.#told.delete(containerId);
    if (wasTold || countKills() > 0) return OOM_KILLED;
    return code === 0 ? 'Completed' : 'Error';
  }
}
