/**
 * What a look at a pod leads to, and the parts a decision is put together from.
 */
import type { Action } from './action.ts';
import type { Memory } from './memory.ts';
import type { Observed } from './observed.ts';
import type { Pod } from './pod.ts';
import type { Settings } from './settings.ts';

/** Everything a judgement may depend on besides the memory. */
export interface Look {
  readonly pod: Pod;
  readonly observed: Observed;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly settings: Settings;
}

/** What to remember, what to do, what to tell, and when to look again without being woken. */
export interface Decision {
  /** Saved before any action is performed. */
  readonly memory: Memory;
  /** All of them may be performed side by side, and beside those still under way. */
  readonly actions: readonly Action[];
  readonly events: readonly PodEvent[];
  /** Absent: nothing is due by itself, only news can change anything. */
  readonly lookAgainAt?: number;
}

/** A Kubernetes event about the pod, or about one of its containers. */
export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly container?: string;
}

/** A decision that only remembers. */
export function only(memory: Memory): Decision {
  return { memory, actions: [], events: [] };
}

/** Two parts of one decision; the second was made from the first one's memory. */
export function both(first: Decision, second: Decision): Decision {
  return {
    memory: second.memory,
    actions: [...first.actions, ...second.actions],
    events: [...first.events, ...second.events],
    lookAgainAt: earlier(first.lookAgainAt, second.lookAgainAt),
  };
}

/** The earlier of two times, either of which may be absent. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
