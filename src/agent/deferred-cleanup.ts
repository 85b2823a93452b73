/**
 * Puts off what the runtime does about the dead until the living are started.
 *
 * When a container has ended, containerd runs runc up to three times to clear it away. During a restart in
 * place that goes on beside the starts, which on two processors take a third longer for it. It waits for the
 * end of the container's output: containerd 2.1 with all of it, earlier ones with all but the first run, and
 * no longer than two seconds (the shim's init.go). So the output is held open from before the container's
 * program runs, and let go when it has ended, or, if its pod restarts, when no pod does any more. Until then
 * CRI calls the container running; nothing on the way of a restart asks it.
 */
import type { holdOutput, FirstProcess } from '../host/held-output.ts';
import type { Observed } from '../pod/observed.ts';

/** containerd gives up after 10 s what it has begun about an exit, and begins anew a while later. */
const LONGEST_MS = 8_000;

/** A pod as it is after a decision. */
export interface PodNow {
  readonly uid: string;
  readonly observed: Pick<Observed, 'instances'>;
  /** Whether it restarts in place, and does not wait for its back-off. */
  readonly restarts: boolean;
}

interface Held {
  readonly uid: string;
  readonly output: Disposable;
  /** Set when it has ended: its output is let go then at the latest. */
  timer?: NodeJS.Timeout;
}

export class DeferredCleanup {
  readonly #hold: typeof holdOutput;
  /** By container. */
  readonly #held = new Map<string, Held>();
  readonly #restarting = new Set<string>();

  constructor(hold: typeof holdOutput) {
    this.#hold = hold;
  }

  /** A container of a pod has its first process, and its program does not run yet. */
  created(uid: string, process: FirstProcess): void {
    const output = this.#hold(process);
    if (output === undefined) return;
    this.letGo(process.containerId);
    this.#held.set(process.containerId, { uid, output });
  }

  /** To be told of every decision about a pod. */
  note({ uid, observed: { instances }, restarts }: PodNow): void {
    if (restarts) this.#restarting.add(uid);
    else this.#restarting.delete(uid);
    for (const [id, held] of this.#of(uid)) {
      const one = instances.find((instance) => instance.id === id);
      const runs = one !== undefined && one.exit === undefined;
      if (runs || held.timer !== undefined) continue;
      // Of one that never ran the start has failed, and is not answered before it is cleared away.
      const hasRun = one?.pid !== undefined;
      if (hasRun && restarts) held.timer = setTimeout(() => this.letGo(id), LONGEST_MS).unref();
      else this.letGo(id);
    }
    this.#letDeadGo();
  }

  /** Somebody waits for the runtime to see the end of a container. */
  letGo(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    clearTimeout(held.timer);
    held.output[Symbol.dispose]();
  }

  /** Somebody waits for all containers of a pod, or nobody tells of it any more. */
  leave(uid: string): void {
    this.#restarting.delete(uid);
    for (const [id] of this.#of(uid)) this.letGo(id);
    this.#letDeadGo();
  }

  /** Nobody tells of any end any more. */
  letAllGo(): void {
    for (const id of [...this.#held.keys()]) this.letGo(id);
  }

  /** Lets the dead go if nobody restarts any more. */
  #letDeadGo(): void {
    if (this.#restarting.size > 0) return;
    for (const [id, { timer }] of this.#held) if (timer !== undefined) this.letGo(id);
  }

  #of(uid: string): [id: string, held: Held][] {
    return [...this.#held].filter(([, held]) => held.uid === uid);
  }
}
