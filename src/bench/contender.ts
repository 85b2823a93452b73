/**
 * What competes: a way to restart pods in reply to the exit of their triggers, with pods of its own.
 */
import type { OwnShare } from './own-share.ts';
import type { SharedFolder } from './shared-folder.ts';

/** In the order of the report. */
export const methods = ['in-place', 'naive', 're-creation'] as const;

export type Method = (typeof methods)[number];

export interface Contender {
  readonly method: Method;
  readonly pods: readonly { readonly name: string; readonly shared: SharedFolder }[];
  /** Waits until nothing is left to do after its last restart, and prepares for the next. */
  readonly settle: (signal: AbortSignal) => Promise<void>;
  /**
   * Begins to wait for the exits of the triggers, which are fired after this is called; resolves
   * when every pod has been restarted, to what is known of each, in the order of `pods`.
   */
  readonly restart: (signal: AbortSignal) => Promise<readonly PodRecord[]>;
}

/** What a contender knows of one restart of a pod; only ours knows anything. */
export interface PodRecord {
  /** In the order in which they happen; times in milliseconds since 1970. */
  readonly marks: readonly Mark[];
  /** What of it neither the runtime nor the workload took. */
  readonly own?: OwnShare;
}

/** Something that happened in the course of a restart. */
export interface Mark {
  readonly what: string;
  readonly at: number;
}
