/**
 * A backend without a node, for tests of the API and of its clients: pods are what the test says.
 */
import { PassThrough } from 'node:stream';
import type { Readable, Writable } from 'node:stream';
import type {
  Backend,
  ExecRequest,
  ExecSession,
  LogSource,
  ManifestPod,
  ObjectFilter,
  TerminalSize,
  V1Event,
  WatchEvent,
  WatchFilter,
} from '../api/backend.ts';
import { ObjectStore } from '../agent/object-store.ts';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../errors.ts';
import type { RestartRecord } from '../pod/memory.ts';
import type { ManifestObject } from '../pod/objects.ts';
import type { EphemeralContainer } from '../pod/pod.ts';
import { podKey } from '../pod/pod.ts';
import { generationAnnotation } from '../pod/pod-status.ts';
import type { GateChanges } from '../pod/readiness-gates.ts';
import type { V1Pod, V1PodStatus } from '../pod/pod-status.ts';
import type { V1Device } from '../pod/v1-device.ts';
import { v1Container, v1Spec } from '../pod/v1-spec.ts';

/** What a command does that is run in a container; resolves to its exit code. */
export type Program = (process: {
  readonly request: ExecRequest;
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  /** The sizes its terminal has had. */
  readonly sizes: readonly TerminalSize[];
  readonly killed: AbortSignal;
}) => Promise<number>;

export class MemoryBackend implements Backend {
  readonly node = { name: 'test-node' };
  readonly objects = new ObjectStore();
  /** As the test sets them. */
  readonly found: V1Device[] = [];
  /** Log sources by container name, as the test sets them. */
  readonly logs = new Map<string, LogSource>();
  /** What can be run in containers, by the first word of the command. */
  readonly programs = new Map<string, Program>();
  /** Every call that changes something, in words. */
  readonly calls: string[] = [];
  readonly #pods = new Map<string, V1Pod>();
  readonly #events: V1Event[] = [];
  readonly #podWatchers = new Set<(event: WatchEvent<V1Pod>) => void>();
  readonly #eventWatchers = new Set<(event: WatchEvent<V1Event>) => void>();
  #version = 100;

  get resourceVersion(): string {
    return String(this.#version);
  }

  devices(): readonly V1Device[] {
    return this.found;
  }

  create(pod: ManifestPod, objects: readonly ManifestObject[] = []): Promise<V1Pod> {
    const key = podKey(pod);
    for (const { kind, metadata } of objects) this.calls.push(`own ${kind} ${metadata.name}`);
    if (this.#pods.has(key)) {
      const next = 'choose another name';
      return Promise.reject(new AlreadyExistsError(`pods "${key}" already exists`, { next }));
    }
    const created: V1Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...pod.metadata,
        uid: pod.metadata.uid ?? `uid-of-${pod.metadata.name}-${this.#version}`,
        creationTimestamp: '2026-01-01T00:00:00Z',
        resourceVersion: this.#next(),
        generation: 1,
      },
      spec: v1Spec(pod.spec, this.node.name),
      status: { phase: 'Pending', conditions: [], qosClass: 'BestEffort' },
    };
    this.put(created, 'ADDED');
    return Promise.resolve(created);
  }

  list(namespace?: string): readonly V1Pod[] {
    return [...this.#pods.values()]
      .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
      .toSorted((a, b) => podKey(a).localeCompare(podKey(b)));
  }

  get(namespace: string, name: string): V1Pod | undefined {
    return this.#pods.get(`${namespace}/${name}`);
  }

  delete(
    namespace: string,
    name: string,
    options: { graceSeconds?: number; force: boolean },
  ): Promise<V1Pod> {
    this.calls.push(`delete ${namespace}/${name} ${JSON.stringify(options)}`);
    const pod = this.get(namespace, name);
    if (!pod) return Promise.reject(new NotFoundError(`pods "${name}" not found`));
    const ending = this.put({
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:01:00Z' },
    });
    // Some time later, as with real containers.
    setImmediate(() => this.remove(namespace, name));
    return Promise.resolve(ending);
  }

  restarts(): readonly RestartRecord[] {
    return [];
  }

  restart(namespace: string, name: string, by: string): Promise<V1Pod> {
    this.calls.push(`restart ${namespace}/${name} by ${by}`);
    const pod = this.get(namespace, name);
    if (!pod) return Promise.reject(new NotFoundError(`pods "${name}" not found`));
    if (pod.metadata.deletionTimestamp !== undefined) {
      return Promise.reject(new ConflictError(`pod ${name} is being deleted`));
    }
    const generation = Number(pod.metadata.annotations?.[generationAnnotation] ?? 0) + 1;
    const annotations = { [generationAnnotation]: String(generation) };
    return Promise.resolve(this.put({ ...pod, metadata: { ...pod.metadata, annotations } }));
  }

  setGates(namespace: string, name: string, changes: GateChanges): Promise<V1Pod> {
    const words = Object.entries(changes).map(([type, one]) => `${type}=${one?.status ?? 'gone'}`);
    this.calls.push(`${namespace}/${name}: ${words.join(' ')}`);
    const pod = this.get(namespace, name);
    if (!pod) return Promise.reject(new NotFoundError(`pods "${name}" not found`));
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const set = Object.entries(changes).flatMap(([type, condition]) => {
      return condition === undefined ? [] : [{ type, ...condition, lastTransitionTime }];
    });
    const others = pod.status.conditions.filter(({ type }) => !Object.hasOwn(changes, type));
    const status = { ...pod.status, conditions: [...set, ...others] };
    return Promise.resolve(this.put({ ...pod, status }));
  }

  setEphemeralContainers(
    namespace: string,
    name: string,
    containers: readonly EphemeralContainer[],
  ): Promise<V1Pod> {
    this.calls.push(`${namespace}/${name} has ${containers.map((one) => one.name).join(' ')}`);
    const pod = this.get(namespace, name);
    if (!pod) return Promise.reject(new NotFoundError(`pods "${name}" not found`));
    const spec = { ...pod.spec, ephemeralContainers: containers.map(v1Container) };
    return Promise.resolve(this.put({ ...pod, spec }));
  }

  watchPods(filter: WatchFilter, signal: AbortSignal): AsyncIterable<WatchEvent<V1Pod>> {
    const matches = ({ object: { metadata } }: WatchEvent<V1Pod>): boolean =>
      isMeant(filter, metadata);
    const initial = filter.initial ? this.list() : [];
    return watch(this.#podWatchers, initial, matches, signal);
  }

  events(filter: ObjectFilter): readonly V1Event[] {
    return this.#events.filter(({ involvedObject }) => isMeant(filter, involvedObject));
  }

  watchEvents(filter: WatchFilter, signal: AbortSignal): AsyncIterable<WatchEvent<V1Event>> {
    const matches = ({ object }: WatchEvent<V1Event>): boolean =>
      isMeant(filter, object.involvedObject);
    const initial = filter.initial ? this.#events : [];
    return watch(this.#eventWatchers, initial, matches, signal);
  }

  logSource(_namespace: string, _name: string, container: string): Promise<LogSource | undefined> {
    return Promise.resolve(this.logs.get(container));
  }

  exec(_namespace: string, _name: string, request: ExecRequest): Promise<ExecSession> {
    const program = this.programs.get(request.command[0] ?? '');
    if (program === undefined) return Promise.reject(new NotFoundError('no such program'));
    const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const kill = new AbortController();
    const sizes: TerminalSize[] = [];
    const exited = program({ request, input, output, errors, sizes, killed: kill.signal });
    const end = () => {
      output.end();
      errors.end();
    };
    exited.then(end, end);
    return Promise.resolve({
      input: request.stdin ? input : undefined,
      output,
      errors: request.tty ? undefined : errors,
      closeInput: () => Promise.resolve(),
      resize: (size) => Promise.resolve(void sizes.push(size)),
      exited,
      [Symbol.asyncDispose]: async () => {
        kill.abort();
        input.destroy();
        await exited.catch(() => undefined);
      },
    });
  }

  /** Puts a pod there, as it is from now on; its version is filled in. */
  put(pod: V1Pod, type: 'ADDED' | 'MODIFIED' = 'MODIFIED'): V1Pod {
    const object = { ...pod, metadata: { ...pod.metadata, resourceVersion: this.#next() } };
    this.#pods.set(podKey(object), object);
    for (const hear of [...this.#podWatchers]) hear({ type, object });
    return object;
  }

  /** Changes the status of a pod. */
  setStatus(pod: V1Pod, status: Partial<V1PodStatus>): V1Pod {
    const current = this.#pods.get(podKey(pod)) ?? pod;
    return this.put({ ...current, status: { ...current.status, ...status } });
  }

  remove(namespace: string, name: string): void {
    const pod = this.get(namespace, name);
    if (!pod) return;
    this.#pods.delete(podKey(pod));
    const object = { ...pod, metadata: { ...pod.metadata, resourceVersion: this.#next() } };
    for (const hear of [...this.#podWatchers]) hear({ type: 'DELETED', object });
  }

  tell(pod: V1Pod, event: Pick<V1Event, 'reason' | 'message'> & { type?: V1Event['type'] }): void {
    const { name, namespace, uid } = pod.metadata;
    const resourceVersion = this.#next();
    const time = new Date().toISOString();
    const object: V1Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${name}.${resourceVersion}`,
        namespace,
        uid: `event-${resourceVersion}`,
        resourceVersion,
        creationTimestamp: time,
      },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      type: event.type ?? 'Normal',
      reason: event.reason,
      message: event.message,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component: 'reprise', host: this.node.name },
      reportingComponent: 'reprise',
      reportingInstance: this.node.name,
    };
    this.#events.push(object);
    for (const hear of [...this.#eventWatchers]) hear({ type: 'ADDED', object });
  }

  #next(): string {
    this.#version += 1;
    return String(this.#version);
  }
}

function isMeant(filter: ObjectFilter, object: { namespace: string; name: string }): boolean {
  return (
    (filter.namespace === undefined || filter.namespace === object.namespace) &&
    (filter.name === undefined || filter.name === object.name)
  );
}

/** Registered at once; read whenever. */
function watch<T>(
  watchers: Set<(event: WatchEvent<T>) => void>,
  initial: readonly T[],
  matches: (event: WatchEvent<T>) => boolean,
  signal: AbortSignal,
): AsyncIterable<WatchEvent<T>> {
  const queue = initial.map((object): WatchEvent<T> => ({ type: 'ADDED', object })).filter(matches);
  let wake = (): void => undefined;
  const hear = (event: WatchEvent<T>): void => {
    if (matches(event)) queue.push(event);
    wake();
  };
  watchers.add(hear);
  signal.addEventListener('abort', () => wake(), { once: true });
  return (async function* () {
    while (!signal.aborted) {
      const event = queue.shift();
      if (event) yield event;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    watchers.delete(hear);
  })();
}
