/**
 * Puts off what the runtime does about the dead until the living are started.
 *
 * When a container has ended, containerd runs runc up to three times to clear it away. During a restart in
 * place that goes on beside the starts, which on two processors take a third longer for it. It waits with all but
 * the first run for the end of the container's output: containerd 2.1 for as long as that takes, earlier ones
 * no longer than two seconds (the shim's init.go). So the output is held open from before the container's
 * program runs, and let go when it has ended, or, if its pod restarts, when no pod does any more or nothing has
 * been started for a while. Until then CRI calls the container running; nothing on the way of a restart asks it.
 */
import type { holdOutput, FirstProcess, HeldOutput } from '../host/held-output.ts';
import type { Instance, Observed } from '../pod/observed.ts';

/** So long after a start the next one may follow: that of the container which comes after an init container. */
const LULL_MS = 1_000;
/**
 * As long as anybody makes room for a restart (traffic.ts). containerd gives up after 10 s what it has begun about
 * an exit, and begins anew a second after it could have gone on.
 */
const LONGEST_MS = 30_000;

/** A pod as it is after a decision. */
export interface PodNow {
  readonly uid: string;
  readonly observed: Pick<Observed, 'instances'>;
  /** Whether it restarts in place, and does not wait for its back-off. */
  readonly restarts: boolean;
}

interface Held {
  readonly uid: string;
  readonly output: HeldOutput;
  /** It has ended in a restart, and waits for the end of that. */
  isWaiting: boolean;
  /** Set when it has ended: its output is let go then at the latest. */
  timer?: NodeJS.Timeout;
}

export class DeferredCleanup {
  readonly #open: typeof holdOutput;
  /** By container. */
  readonly #held = new Map<string, Held>();
  /** Pods, and whether containers of theirs are being started, or wait for their turn. */
  readonly #restarting = new Map<string, boolean>();
  #lull: NodeJS.Timeout | undefined;

  constructor(hold: typeof holdOutput) {
    this.#open = hold;
  }

  /** Holds the output of a container of a pod; best before its program runs. */
  hold(uid: string, process: FirstProcess): void {
    const output = this.#open(process);
    if (output === undefined) return;
    this.letGo(process.containerId);
    this.#held.set(process.containerId, { uid, output, isWaiting: false });
  }

  holds(id: string): boolean {
    return this.#held.has(id);
  }

  /** A container has ended; a decision about its pod may not come for a while. */
  ended(id: string): void {
    const held = this.#held.get(id);
    if (held !== undefined) held.timer ??= this.#letGoIn(LONGEST_MS, id);
  }

  /** To be told of every decision about a pod. */
  note({ uid, observed: { instances }, restarts }: PodNow): void {
    if (restarts) this.#restarting.set(uid, instances.some(isStarting));
    else this.#restarting.delete(uid);
    for (const [id, held] of this.#of(uid)) {
      const one = instances.find((instance) => instance.id === id);
      if (one !== undefined && one.exit === undefined && !one.gone) continue;
      if (one !== undefined && held.isWaiting) continue;
      if (one !== undefined && restarts) this.#wait(id, held, one);
      else this.letGo(id);
    }
    this.#look();
  }

  /** Somebody waits for the runtime to see the end of a container. */
  letGo(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    clearTimeout(held.timer);
    held.output[Symbol.dispose]();
  }

  /** The runtime is asked about a pod: what it has not told of ends must not be hidden by us. */
  letEndedGo(uid: string): void {
    for (const [id, { output }] of this.#of(uid)) if (output.isOver()) this.letGo(id);
  }

  /** Nobody decides about a pod any more. */
  leave(uid: string): void {
    this.#restarting.delete(uid);
    for (const [id] of this.#of(uid)) this.letGo(id);
    this.#look();
  }

  /** Nobody tells of any end any more. */
  letAllGo(): void {
    for (const id of [...this.#held.keys()]) this.letGo(id);
  }

  #wait(id: string, held: Held, { pid }: Instance): void {
    held.isWaiting = true;
    clearTimeout(held.timer);
    // If it never ran its start has failed, and is not answered before it is cleared away; or it was so short that
    // its start is told after its end.
    held.timer = this.#letGoIn(pid === undefined ? LULL_MS : LONGEST_MS, id);
    // What follows from this end has a whole lull to begin.
    clearTimeout(this.#lull);
    this.#lull = undefined;
  }

  #letGoIn(ms: number, id: string): NodeJS.Timeout {
    return setTimeout(() => this.letGo(id), ms).unref();
  }

  /** Lets the dead go if nobody restarts any more, or when nothing has been started for a while. */
  #look(): void {
    const restarts = this.#restarting.size > 0;
    const isLull = restarts && ![...this.#restarting.values()].includes(true);
    if (isLull && this.#isAnyWaiting()) {
      this.#lull ??= setTimeout(() => this.#letWaitingGo(), LULL_MS).unref();
      return;
    }
    clearTimeout(this.#lull);
    this.#lull = undefined;
    if (!restarts) this.#letWaitingGo();
  }

  #isAnyWaiting(): boolean {
    return [...this.#held.values()].some(({ isWaiting }) => isWaiting);
  }

  #letWaitingGo(): void {
    this.#lull = undefined;
    for (const [id, { isWaiting }] of this.#held) if (isWaiting) this.letGo(id);
  }

  #of(uid: string): [id: string, held: Held][] {
    return [...this.#held].filter(([, held]) => held.uid === uid);
  }
}

function isStarting({ state }: Instance): boolean {
  return state === 'starting';
}
