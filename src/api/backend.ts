/**
 * What the API needs of the agent, as an interface: the API knows HTTP, the agent knows pods.
 *
 * The agent implements it (agent/agent.ts); tests of the API hand in one that lives in memory.
 * Everything handed out is a value that is never changed afterwards. The errors named here are
 * those of errors.ts.
 */
import type { Readable, Writable } from 'node:stream';
import type { RestartRecord } from '../pod/memory.ts';
import type { ManifestObject, ObjectKind, V1Object } from '../pod/objects.ts';
import type { V1Device } from '../pod/v1-device.ts';
import type { EphemeralContainer, Pod, PodMetadata } from '../pod/pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import type { GateChanges } from '../pod/readiness-gates.ts';

export interface Backend {
  readonly node: { readonly name: string };
  /** That of pods and events as they are now; above every version of an earlier life. */
  readonly resourceVersion: string;
  /** The pods that are there now, in the order of namespace and name. */
  list(namespace?: string): readonly V1Pod[];
  get(namespace: string, name: string): V1Pod | undefined;
  /** The devices of the node, with who uses them. */
  devices(): readonly V1Device[];
  /** What pods are filled from. */
  readonly objects: ObjectBackend;
  /**
   * Accepts a validated pod, with uid and creation time filled in; throws AlreadyExistsError. The
   * objects are this pod's own: it sees them before all others, and they go with it.
   */
  create(pod: ManifestPod, objects?: readonly ManifestObject[]): Promise<V1Pod>;
  /**
   * Asks for the end of a pod and returns at once with its deletionTimestamp; the watch shows
   * DELETED when it is gone. Asking again may shorten the grace. Throws NotFoundError.
   */
  delete(namespace: string, name: string, options: DeleteOptions): Promise<V1Pod>;
  /** Restarts a pod in place; throws NotFoundError, or ConflictError if it is ending or over. */
  restart(namespace: string, name: string, by: string): Promise<V1Pod>;
  /**
   * Gives a pod these ephemeral containers, which are valid, and among which are all that it has; those
   * that are new are started. Throws NotFoundError.
   */
  setEphemeralContainers(
    namespace: string,
    name: string,
    containers: readonly EphemeralContainer[],
  ): Promise<V1Pod>;
  /** Changes conditions that a pod has by its readiness gates. Throws NotFoundError. */
  setGates(namespace: string, name: string, changes: GateChanges): Promise<V1Pod>;
  /** The latest in-place restarts of a pod, oldest first; the last one may be under way. */
  restarts(namespace: string, name: string): readonly RestartRecord[];
  /**
   * Every transition, however short, in order. Registered when this is called, not when first
   * read, so that nothing between a `list()` and a watch is lost. Ends with the signal.
   */
  watchPods(filter: WatchFilter, signal: AbortSignal): AsyncIterable<WatchEvent<V1Pod>>;
  /** Oldest first. */
  events(filter: ObjectFilter): readonly V1Event[];
  /** Like watchPods. */
  watchEvents(filter: WatchFilter, signal: AbortSignal): AsyncIterable<WatchEvent<V1Event>>;
  /** Where the logs of a container are; absent if there is no such pod or container. */
  logSource(namespace: string, name: string, container: string): Promise<LogSource | undefined>;
  /**
   * Starts a process in a running container; it is killed when the answer is disposed of. Throws
   * NotFoundError, ConflictError if the container does not run, and what the runtime says of a command
   * that cannot be started.
   */
  exec(
    namespace: string,
    name: string,
    request: ExecRequest,
    signal: AbortSignal,
  ): Promise<ExecSession>;
}

export interface ExecRequest {
  readonly container: string;
  /** Program and arguments; never empty. */
  readonly command: readonly string[];
  /** Whether it has an input that somebody writes to. */
  readonly stdin: boolean;
  /** Whether it has a terminal: then it has one output. */
  readonly tty: boolean;
}

/** A process that somebody is connected to. */
export interface ExecSession extends AsyncDisposable {
  readonly input?: Writable;
  readonly output: Readable;
  readonly errors?: Readable;
  /** To call when `input` has ended. */
  readonly closeInput: () => Promise<void>;
  readonly resize: (size: TerminalSize) => Promise<void>;
  /** Its exit code; rejects if it ended with its container, and nobody knows. */
  readonly exited: Promise<number>;
}

/** In characters. */
export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** ConfigMaps, Secrets and PersistentVolumeClaims. Everything is on disk when a call returns. */
export interface ObjectBackend {
  /** In the order of namespace and name. */
  list(kind: ObjectKind, namespace?: string): readonly V1Object[];
  get(kind: ObjectKind, namespace: string, name: string): V1Object | undefined;
  /** Throws AlreadyExistsError. */
  create(object: ManifestObject): V1Object;
  /** Throws NotFoundError. */
  replace(object: ManifestObject): V1Object;
  /** Throws NotFoundError. */
  delete(kind: ObjectKind, namespace: string, name: string): V1Object;
}

/** A pod as a manifest gives it: the agent fills in what is missing when it accepts it. */
export interface ManifestPod {
  readonly metadata: Omit<PodMetadata, 'uid' | 'creationTimestamp'> &
    Partial<Pick<PodMetadata, 'uid' | 'creationTimestamp'>>;
  readonly spec: Pod['spec'];
}

export interface DeleteOptions {
  /** Absent: the pod's own grace period. */
  readonly graceSeconds?: number;
  /** SIGKILL at once. */
  readonly force: boolean;
}

/** Absent fields let everything through; for events they mean the object the event is about. */
export interface ObjectFilter {
  readonly namespace?: string;
  readonly name?: string;
}

export interface WatchFilter extends ObjectFilter {
  /** Whether the watch starts with ADDED for everything that is already there. */
  readonly initial: boolean;
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/** A v1 Event: something that happened to a pod, counted when it happens again. */
export interface V1Event {
  readonly apiVersion: 'v1';
  readonly kind: 'Event';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
  };
  readonly involvedObject: {
    readonly apiVersion: 'v1';
    readonly kind: 'Pod';
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    /** `spec.containers{main}` when the event is about one container. */
    readonly fieldPath?: string;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly source: { readonly component: string; readonly host: string };
  /** The same once more, under its newer names. */
  readonly reportingComponent: string;
  readonly reportingInstance: string;
}

/** The log files of one container, `<directory>/<container>/<attempt>.log`. */
export interface LogSource {
  /** Host directory of the pod's logs. */
  readonly directory: string;
  /** Attempt of the current instance; absent if none was ever started. */
  readonly current?: number;
  /** Attempt of the instance before it. */
  readonly previous?: number;
  /**
   * Resolves when the current instance has ended (at once if it has) and its log is whole, or with
   * the signal; never rejects.
   */
  readonly finished: (signal: AbortSignal) => Promise<void>;
}
