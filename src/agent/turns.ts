/**
 * When an action of a pod gets its turn, of all that the pods of a node want to do at the same time:
 * starts a few at a time, in the order in which their pods began to restart, and chores when nobody
 * restarts any more.
 */
import type { Action } from '../pod/action.ts';
import { isEphemeral } from '../pod/instances.ts';
import type { Memory } from '../pod/memory.ts';
import { StartQueue } from './start-queue.ts';
import { Traffic } from './traffic.ts';

/** A pod whose actions want a turn. */
export interface Actor {
  readonly uid: string;
  readonly memory: Memory;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export class Turns {
  readonly #traffic = new Traffic();
  readonly #starts = new StartQueue();

  /** To be told of every change: others make room for who restarts. */
  note({ uid, memory }: Pick<Actor, 'uid' | 'memory'>): void {
    const ends = memory.ending !== undefined;
    this.#traffic.note(uid, { restarts: isInAHurry(memory), ends });
  }

  /** Nobody makes room for it any more. */
  leave(uid: string): void {
    this.#traffic.note(uid, {});
  }

  /** Performs an action when it is its turn; rejects with the signal's reason if that comes before. */
  async take<T>(
    action: Action,
    actor: Actor,
    perform: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    // Before the chores that follow from a restart's end look whether others are busy.
    this.note(actor);
    if (isChore(action, actor.memory)) await this.#traffic.whenCalm(actor.uid, signal);
    if (action.kind !== 'start-container') return await perform();
    const since = actor.memory.restart?.recordedAt ?? actor.now;
    return await this.#starts.do(since, perform, signal);
  }
}

/** Whether a restart is under way that others should make room for. */
export function isInAHurry({ restart, ending }: Memory): boolean {
  if (restart === undefined || ending !== undefined) return false;
  return restart.startNotBefore === undefined || restart.startingAt !== undefined;
}

/** What nobody waits for: removals, and what is created for a restart that may come one day. */
function isChore(action: Action, { generation, ending }: Memory): boolean {
  if (action.kind === 'remove-container') return ending === undefined;
  return (
    action.kind === 'create-container' && action.generation > generation && !isEphemeral(action)
  );
}
