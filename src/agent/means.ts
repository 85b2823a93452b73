/** What actions are performed with, and what for. */
import type { Hierarchy } from '../host/cgroups.ts';
import type { LendSettings } from '../host/lend.ts';
import type { QosShares } from '../host/qos-shares.ts';
import type { PodEvent } from '../pod/decision.ts';
import type { Loan } from '../pod/loan.ts';
import type { NodeFacts, ResolverConfig } from '../pod/node-facts.ts';
import type { FindObject } from '../pod/objects.ts';
import type { Pod } from '../pod/pod.ts';
import type { ObservedSandbox } from '../pod/observed.ts';
import type { Processes } from '../runtime/added-process.ts';
import type { Cri } from '../runtime/cri.ts';
import type { Downloads } from '../runtime/downloads.ts';
import type { CheckHealth } from '../runtime/grpc-health.ts';
import type { StopWithSignal } from '../runtime/stop-signal.ts';
import type { Clock } from './clock.ts';
import type { DeferredCleanup } from './deferred-cleanup.ts';
import type { DeviceMeans } from './devices/give-devices.ts';
import type { ObjectStore } from './object-store.ts';
import type { OutOfMemory } from './out-of-memory.ts';
import type { PulledImages } from './pulled-images.ts';
import type { SharedPulls } from './shared-pulls.ts';
import type { PodStore } from './store.ts';
import type { Picture } from './worker.ts';

/** What actions are performed with; one for all pods of an agent. */
export interface Means extends Clock {
  readonly cri: Cri;
  /** As it is now: ask for it when it is needed. */
  readonly node: NodeFacts;
  /** Looks for the node's addresses; whether they are others than before. */
  readonly lookForAddresses: () => boolean;
  /** The node's, for its pods; as it is now. */
  readonly resolver: () => ResolverConfig;
  readonly lending: LendSettings;
  readonly checkHealth: CheckHealth;
  readonly stopWithSignal: StopWithSignal;
  /** Beside those that containers begin with. */
  readonly processes: Processes;
  readonly hierarchy: Hierarchy;
  readonly qosShares: QosShares;
  readonly store: PodStore;
  readonly objects: ObjectStore;
  readonly devices: DeviceMeans;
  /** Which of the images there are not for everybody. */
  readonly pulledImages: PulledImages;
  readonly pulls: SharedPulls;
  /** Begins to count what arrives of images. */
  readonly countDownloads: () => Downloads;
  /** What is known of containers for which there was no memory. */
  readonly outOfMemory: OutOfMemory;
  /** Whoever waits for the runtime to see a container's end asks it to let go. */
  readonly cleanup: DeferredCleanup;
}

/** What an action is performed for, and how it is told about. */
export interface Occasion {
  readonly pod: Pod;
  /** As it was when the action began. */
  readonly picture: Picture;
  /** The picture as it is now. */
  readonly latest: () => Picture;
  /** Finds the objects that the pod may see. */
  readonly find: FindObject;
  readonly tell: (event: PodEvent) => void;
  /** Logs what could not be done, where an event would say too much. */
  readonly report: (what: string, error: unknown) => void;
  /** Says how far an action is that takes its time; absent: nobody asks. */
  readonly progress?: (text: string) => void;
  /** Says that a container has got its stop signal. */
  readonly signalled: (id: string) => void;
  readonly signal: AbortSignal;
}

export function sandboxOf({ observed, memory }: Picture): ObservedSandbox | undefined {
  return observed.sandboxes.find(({ attempt }) => attempt === memory.sandboxAttempt);
}

export function loanOf({ observed }: Picture): Loan {
  if (observed.loan === undefined) throw new Error('nothing was lent to the pod yet');
  return observed.loan;
}
