/**
 * What runtime and host say about a pod now: one look, as plain data.
 *
 * An instance is one run of one container: CRI gives each an attempt number. All times are
 * milliseconds since 1970, with a fraction where the source has one.
 *
 * Read next: memory.ts, which says which instance of each container is the current one.
 */
import type { DeviceView } from './devices.ts';
import type { HookKind, ProbeKind } from './handler.ts';
import type { Inputs } from './inputs.ts';
import type { Loan } from './loan.ts';
import type { Origin } from './origin.ts';
import type { GateChanges } from './readiness-gates.ts';

export interface Observed {
  /** Every sandbox of the pod that the runtime still knows, newest attempt first. */
  readonly sandboxes: readonly ObservedSandbox[];
  readonly instances: readonly Instance[];
  /** Absent until the node's part (volumes, cgroup, log folder) has been set up. */
  readonly loan?: Loan;
  /** Whether objects have changed that volumes are filled from, since that was last done. */
  readonly hasStaleVolumes?: boolean;
  /** What containers would take from objects now; absent: nothing. */
  readonly inputs?: Inputs;
  /** Failures since the last success, by what failed: see `subjectOf` in action.ts. */
  readonly failures: Readonly<Record<string, Failure>>;
  /** What users and groups asked for since the last decision; consumed by it. */
  readonly requests: readonly Request[];
  /** What probes have found since the last decision, if anything; consumed by it. */
  readonly probeResults?: readonly ProbeResult[];
  /** What it has of devices; absent: it asks for none. */
  readonly devices?: DeviceView;
  /** Nothing of a generation below this one has a device of the pod open; absent: not looked yet. */
  readonly devicesFree?: number;
  /** Since when the pod is looked at: when its worker began; absent: always. */
  readonly since?: number;
  /** Whether actions are still under way that make or end something, whose outcome is not part of this look. */
  readonly busy: boolean;
}

export interface ObservedSandbox {
  readonly id: string;
  readonly attempt: number;
  /** The pause process lives and the network namespace is set up. */
  readonly ready: boolean;
  /** Primary address first; empty with the host's network. */
  readonly ips: readonly string[];
  /** We have stopped it: its network is taken down. Absent: not since the agent began. */
  readonly isStopped?: boolean;
}

export interface Instance extends Origin {
  /** Absent while the runtime is still creating it. */
  readonly id?: string;
  readonly name: string;
  readonly attempt: number;
  /** From the label that every container carries; EPHEMERAL_GENERATION for an ephemeral one. */
  readonly generation: number;
  /** Attempt of the sandbox it lives in. */
  readonly sandboxAttempt: number;
  /** Hash of everything the container was created from; the same for every run. */
  readonly specHash: string;
  /** Hash of what it found on the machine; absent: not known. */
  readonly surroundings?: string;
  /** Hash of what it took from ConfigMaps and Secrets; absent if that is nothing. */
  readonly inputs?: string;
  /** Id of the image that it was made from; absent until it is looked at. */
  readonly imageId?: string;
  /** The name of its image stands for another one by now. Found out only as long as it is unused. */
  readonly hasOldImage?: boolean;
  /** Id of the container whose processes it was made to see; absent: none. */
  readonly target?: string;
  readonly state: InstanceState;
  /** While it is being created: how far that is, in words; absent if it does not take long. */
  readonly progress?: string;
  /** When we began to create it: to see to its image, then to ask the runtime. */
  readonly createAskedAt?: number;
  readonly createdAt?: number;
  /** When we asked the runtime to start it. */
  readonly startAskedAt?: number;
  readonly startedAt?: number;
  /** Of its first process; absent: its start was not told to us. */
  readonly pid?: number;
  readonly exit?: Exit;
  /** No process is left in its cgroup, and its exit is known or it was caught. Never unset again. */
  readonly gone: boolean;
  /**
   * Its first process was in its cgroup when all of that got SIGKILL: when the cgroup is empty it has
   * ended, whether that has been told or not.
   */
  readonly isCaught?: boolean;
  /** Until when a graceful stop under way waits before SIGKILL. */
  readonly stopBy?: number;
  /** It has got the stop signal that its manifest names; absent: not from this agent since its start. */
  readonly isSignalled?: boolean;
  /** When it was last sent SIGKILL by us. */
  readonly killedAt?: number;
  readonly hooks?: Readonly<Partial<Record<HookKind, HookRun>>>;
  /** The last probe of each kind. */
  readonly probes?: Readonly<Partial<Record<ProbeKind, ProbeRun>>>;
}

/** A hook that has been begun; without an outcome it is under way. */
export interface HookRun {
  readonly begunAt: number;
  readonly outcome?: 'done' | 'failed';
  readonly endedAt?: number;
  /** Why it failed. */
  readonly message?: string;
}

export interface ProbeRun {
  readonly begunAt: number;
  readonly isUnderWay: boolean;
}

/** What one probe of one instance has found. */
export interface ProbeResult {
  /** Id of the container. */
  readonly id: string;
  readonly name: string;
  readonly probe: ProbeKind;
  /** `warning`: a success that somebody should look at; `unknown`: it could not be found out. */
  readonly outcome: 'success' | 'warning' | 'failure' | 'unknown';
  readonly output: string;
}

/**
 * `creating` and `starting`: the call is under way. `aborted`: its start was given up half-way, for no
 * fault of its own; it may have begun, but was ended at once, and cannot be started any more. `unknown`:
 * the runtime lost track.
 */
export type InstanceState =
  'creating' | 'created' | 'starting' | 'aborted' | 'running' | 'exited' | 'unknown';

/** How a process ended, as the runtime tells it. */
export interface Exit {
  readonly code: number;
  readonly finishedAt: number;
  /** Completed, Error, OOMKilled, StartError or Unknown (containerd's words). */
  readonly reason: string;
  readonly message?: string;
  /** When the news reached us; absent when found by a look. */
  readonly seenAt?: number;
}

export interface Failure {
  /** Kubernetes' waiting reason, e.g. ErrImagePull, CreateContainerError. */
  readonly reason: string;
  readonly message: string;
  /** The image that cannot be had, if that is what failed: the container's own, or that of a volume. */
  readonly image?: string;
  readonly at: number;
  /** How many times in a row, at the same pace: see `countOf` in backoff.ts. */
  readonly count: number;
}

export type Request =
  | { readonly kind: 'restart'; readonly by: string; readonly at: number }
  | {
      readonly kind: 'delete';
      readonly graceSeconds?: number;
      readonly force: boolean;
      readonly at: number;
    }
  /** Others set the conditions of its readiness gates. */
  | { readonly kind: 'gates'; readonly changes: GateChanges; readonly at: number };
