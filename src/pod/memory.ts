/**
 * What must outlive a crash. It is saved before it is acted on: after a crash we may repeat, we
 * never forget. Plain JSON. All times are milliseconds since 1970.
 *
 * Read next: decide.ts, the only place that makes a new memory out of an old one.
 */
import type { ProbeKind } from './handler.ts';
import type { HookRun } from './observed.ts';
import type { Origin } from './origin.ts';
import type { ContainerKind } from './pod.ts';

export interface Memory {
  /** Starts at 0, grows by 1 with each in-place restart. */
  readonly generation: number;
  /** Attempt of the sandbox in use; -1 before the first one. */
  readonly sandboxAttempt: number;
  /** When it was lost, if something still runs in it that has to end before the next one is made. */
  readonly sandboxLostAt?: number;
  /** status.startTime: set once. */
  readonly startTime?: number;
  /** Every init container of this generation and sandbox is done, every sidecar has started once. */
  readonly initialized: boolean;
  /** By container name; absent: no instance was ever asked for. */
  readonly containers: Readonly<Record<string, ContainerMemory>>;
  /** The in-place restart under way, until all its containers have started. */
  readonly restart?: RestartUnderWay;
  /**
   * Waits after failed pulls that have been told, by container: when the pull failed. What is
   * not told yet is shown as the failure it is.
   */
  readonly pullBackoffs?: Readonly<Record<string, number>>;
  /** Back-off of in-place restarts: the delay applied last. */
  readonly restartBackoff?: Backoff;
  /** In-place restarts that are over, oldest first; bounded. */
  readonly restarts: readonly RestartRecord[];
  /** Set when the pod is on its way out; never unset. */
  readonly ending?: Ending;
  readonly phase: PhaseMemory;
  /** By condition type. */
  readonly conditions: Readonly<Record<string, ConditionMemory>>;
  /** What others have set for its readiness gates, by condition type; absent: nothing yet. */
  readonly gates?: Readonly<Record<string, ConditionMemory>>;
  /** Carried over into the final status, when the sandbox is gone. */
  readonly podIPs: readonly string[];
}

export interface ContainerMemory extends Origin {
  /** CRI attempt of the current instance. */
  readonly attempt: number;
  readonly generation: number;
  readonly sandboxAttempt: number;
  readonly restartCount: number;
  readonly containerId?: string;
  /** Set when the current instance was seen to run (or to have run). */
  readonly startedAt?: number;
  /** How the postStart hook of the current instance ended; absent: not yet, or there is none. */
  readonly postStart?: 'done' | 'failed';
  /** What its probes have found out about the current instance. */
  readonly probes?: Readonly<Partial<Record<ProbeKind, ProbeMemory>>>;
  /** The current instance has got the stop signal that its manifest names. */
  readonly isSignalled?: boolean;
  /** It has been told that the current instance is stopped, with its pod or its sandbox. */
  readonly isStopTold?: boolean;
  /** The current instance is being stopped while the pod goes on. */
  readonly stop?: ContainerStop;
  /** How the current instance ended. Never overwritten. */
  readonly exit?: Termination;
  /** How many starts in a row were given up half-way before that of the current instance; absent: none. */
  readonly aborts?: number;
  /** The run of this instance has been counted; the container waits for its next one. */
  readonly isOver?: boolean;
  /** How the instance before it ended: lastState.terminated. */
  readonly lastExit?: Termination;
  readonly backoff?: Backoff;
  /** The wait after the current exit has been reported as an event. */
  readonly backoffReported?: boolean;
}

/** What the results of a probe amount to. */
export interface ProbeMemory {
  /** Absent until there were enough results of one kind in a row. */
  readonly result?: 'success' | 'failure';
  readonly last: 'success' | 'failure';
  /** How many like the last one there were in a row; no more are counted than matter. */
  readonly inARow: number;
  /** When it came out as a success for the first time. */
  readonly passedAt?: number;
}

/** Why and how a container is stopped. */
export interface ContainerStop {
  /** `unknown`: the runtime lost track of it. */
  readonly cause: 'postStart' | 'startup' | 'liveness' | 'unknown';
  readonly at: number;
  /** Seconds from `at` that it gets. */
  readonly graceSeconds: number;
  /** It is started again whatever its exit code says. */
  readonly isReplaced: boolean;
}

/** ContainerStateTerminated, with times in milliseconds. */
export interface Termination {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly containerId?: string;
  /** We stopped it to start it again: neither rules nor policies are asked. */
  readonly isReplaced?: boolean;
  /** We stopped it as its sandbox was lost. */
  readonly isStranded?: boolean;
}

export interface Backoff {
  readonly delayMs: number;
  /** When the start that this delay was computed for was allowed. */
  readonly at: number;
}

/** What asked for an in-place restart. */
export type Trigger =
  | {
      readonly kind: 'exit';
      readonly container: string;
      readonly exitCode: number;
      /** Index into the container's restartPolicyRules. */
      readonly ruleIndex: number;
      readonly exitedAt: number;
      readonly seenAt?: number;
    }
  | { readonly kind: 'request'; readonly by: string; readonly at: number };

export interface RestartUnderWay {
  readonly trigger: Trigger;
  readonly recordedAt: number;
  /** When the first SIGKILL was sent; absent if nothing was left to kill. */
  readonly killedAt?: number;
  /** Set when every process of the old generation is proven gone. */
  readonly deadAt?: number;
  /** In-place back-off: nothing starts before. */
  readonly startNotBefore?: number;
  /** When somebody who asked for a restart ended the back-off. */
  readonly backoffEndedAt?: number;
  /** It waits for a device to be healthy again, or has waited, and that has been told. */
  readonly heldByDevices?: boolean;
  /** Set when the start-up began: the condition AllContainersRestarting is over. */
  readonly startingAt?: number;
}

/**
 * One in-place restart, for timelines and measurements: it is complete, was cut short, or is under way,
 * which only what is shown may be.
 */
export interface RestartRecord extends RestartUnderWay {
  readonly generation: number;
  /** When the last of its containers was running; absent: it never came to that. */
  readonly completedAt?: number;
  /** When it was overtaken, by the next restart or by the end of the pod. */
  readonly cutShortAt?: number;
  readonly containers: readonly ContainerSteps[];
}

/** The way of one container through an in-place restart; a time is absent if it did not come to that. */
export interface ContainerSteps {
  readonly name: string;
  /** Absent: an older version has recorded it. */
  readonly kind?: ContainerKind;
  /** When its creation began, with a pull if there was one; before `recordedAt` for a standby. */
  readonly createAskedAt?: number;
  readonly createdAt?: number;
  /** When the runtime was asked to start it. */
  readonly startAskedAt?: number;
  readonly startedAt?: number;
  /** Its postStart hook, if that has begun. */
  readonly postStart?: Pick<HookRun, 'begunAt' | 'endedAt'>;
  /** Its startup probe, if it has one. */
  readonly startupProbe?: Pick<ProbeMemory, 'passedAt'>;
  /** When it was ready for the first time, which may be later than that all were running. */
  readonly readyAt?: number;
  readonly finishedAt?: number;
  /** When the news of that end reached us; absent when it was found by a look. */
  readonly finishSeenAt?: number;
}

export interface Ending {
  readonly cause: 'deleted' | 'finished' | 'failed' | 'deadline' | 'rejected';
  readonly at: number;
  /** Seconds from `at` that containers get; shrinks only. */
  readonly graceSeconds: number;
  /** SIGKILL at once. */
  readonly force: boolean;
  /** When a delete request came (maybe after another cause): everything is removed in the end. */
  readonly deletedAt?: number;
  /** status.reason and status.message of the final status. */
  readonly reason?: string;
  readonly message?: string;
}

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface PhaseMemory {
  readonly phase: Phase;
  readonly reason?: string;
  readonly message?: string;
}

export interface ConditionMemory {
  /** Only others leave one `Unknown`. */
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  /** lastTransitionTime: moves only when `status` changes. */
  readonly since: number;
}

/** The memory of a pod nothing has happened to yet. */
export const blankMemory: Memory = {
  generation: 0,
  sandboxAttempt: -1,
  initialized: false,
  containers: {},
  restarts: [],
  phase: { phase: 'Pending' },
  conditions: {},
  podIPs: [],
};
