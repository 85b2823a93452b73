/**
 * Why containers have ended, in containerd's words. As for containerd, one in which the kernel has
 * killed something for want of memory ends as `OOMKilled`, whatever its exit code: what was killed may
 * have been a child, and its parent may have gone on for long and ended as it liked.
 */
import { OOM_KILLED } from '../pod/restart-rules.ts';

/** Events of containers that are never told to have ended are never asked for: the oldest go. */
const CAPACITY = 10_000;

const SIGKILLED = 137;

/** What the kernel has killed for want of memory; undefined where its counter is gone. */
export interface OomKills {
  readonly podUid: string;
  /** Processes of the container that has ended. */
  readonly inContainer: number | undefined;
  /** Containers of its pod, each killed as a whole: with cgroup v2 only. */
  readonly inPod: number | undefined;
}

export class OutOfMemory {
  readonly #told = new Set<string>();
  /** How many of the kills in a pod, by its uid, are known to be those of one container or another. */
  readonly #explained = new Map<string, number>();

  /** The event of it. */
  saw(containerId: string): void {
    this.#told.add(containerId);
    const [oldest] = this.#told;
    if (this.#told.size > CAPACITY && oldest !== undefined) this.#told.delete(oldest);
  }

  /** A container of the pod is about to start: what was counted before the first one is not theirs. */
  willStart(podUid: string, countInPod: () => number | undefined): void {
    if (!this.#explained.has(podUid)) this.#explained.set(podUid, countInPod() ?? 0);
  }

  /** The pod is gone. */
  forget(podUid: string): void {
    this.#explained.delete(podUid);
  }

  /**
   * The reason of an exit. The event may come after that of the exit, or never, if the cgroup goes
   * before containerd has read it; so the counters are asked as well, as long as they are there.
   */
  reasonOf(containerId: string, code: number, kills: OomKills | undefined): string {
    const wasTold = this.#told.delete(containerId);
    const wasKilled = kills !== undefined && countsFor(code, kills, this.#explained);
    if (!wasTold && !wasKilled) return code === 0 ? 'Completed' : 'Error';
    if (kills !== undefined) this.#explain(kills);
    return OOM_KILLED;
  }

  #explain({ podUid, inPod = 0 }: OomKills): void {
    const known = this.#explained.get(podUid);
    if (known !== undefined && known < inPod) this.#explained.set(podUid, known + 1);
  }
}

function countsFor(
  code: number,
  { podUid, inContainer, inPod }: OomKills,
  explained: ReadonlyMap<string, number>,
): boolean {
  if (inContainer !== undefined) return inContainer > 0;
  // It was killed by somebody, and more in the pod were for want of memory than are known.
  return code === SIGKILLED && inPod !== undefined && inPod > (explained.get(podUid) ?? Infinity);
}
