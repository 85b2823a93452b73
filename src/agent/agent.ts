/**
 * All workers of a node: takes pods in, hands exits to the right worker, and shows everybody how
 * the pods are. It knows nothing of what should happen to a pod.
 *
 * Read next: worker.ts, one pod; runtime-news.ts, who hears of what; start.ts, how an agent comes to life.
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  Backend,
  DeleteOptions,
  ExecRequest,
  ExecSession,
  LogSource,
  ManifestPod,
  ObjectFilter,
  V1Event,
  WatchEvent,
  WatchFilter,
} from '../api/backend.ts';
import {
  AlreadyExistsError,
  ConflictError,
  ForbiddenError,
  NotFoundError,
  messageOf,
} from '../errors.ts';
import { countHugePages } from '../host/node-facts.ts';
import type { Logger } from '../log.ts';
import { inWords } from '../pod/action.ts';
import type { PodEvent } from '../pod/decision.ts';
import { findRejection, rejectedMemory } from '../pod/admission.ts';
import { parseDuration } from '../pod/duration.ts';
import type { Memory, RestartRecord } from '../pod/memory.ts';
import { blankMemory } from '../pod/memory.ts';
import type { ManifestObject, V1Object } from '../pod/objects.ts';
import { isOver, isTerminal } from '../pod/phase.ts';
import type { EphemeralContainer, Pod } from '../pod/pod.ts';
import { podKey } from '../pod/pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import type { GateChanges } from '../pod/readiness-gates.ts';
import { restartsOf } from '../pod/restart-record.ts';
import type { V1Device } from '../pod/v1-device.ts';
import type { Settings } from '../pod/settings.ts';
import type { RuntimeEvent } from '../runtime/events.ts';
import { allInputsOf } from '../runtime/inputs.ts';
import { lookAtPod } from '../runtime/observe.ts';
import { act } from './act.ts';
import { execInContainer } from './exec.ts';
import { explain } from './explain.ts';
import type { Means } from './means.ts';
import { withMovedImages } from './moved-images.ts';
import { watchAddresses } from './current-node.ts';
import type { AddressWatch } from './current-node.ts';
import { showDevice } from './devices/show-devices.ts';
import { withNames } from './container-names.ts';
import { EventLog } from './event-log.ts';
import { failureEvents } from './failure-events.ts';
import { holdRunning } from './hold-running.ts';
import { Hub } from './hub.ts';
import { complete } from './object-store.ts';
import type { ObjectStore } from './object-store.ts';
import { withLastWords } from './last-words.ts';
import { keepLogsShort } from './log-keeper.ts';
import { findLogSource } from './log-source.ts';
import type { Subject } from './log-source.ts';
import { objectsFor, pullsWith, refersTo } from './pod-objects.ts';
import { RuntimeNews } from './runtime-news.ts';
import { eventOnClock, lookOnClock } from './runtime-times.ts';
import { SetAside } from './set-aside.ts';
import { show } from './show.ts';
import { tellEach } from './tell-each.ts';
import { isInAHurry, Turns } from './turns.ts';
import type { Picture } from './worker.ts';
import { Worker } from './worker.ts';

export interface AgentParts {
  readonly means: Means;
  readonly settings: Settings;
  /** Kernel parameters beyond the safe ones that pods may set. */
  readonly allowedUnsafeSysctls: readonly string[];
  readonly log: Logger;
  /** Absent: all pods are welcome. */
  readonly only?: { readonly namespace: string; readonly name: string };
}

/** How long an answer waits for a decision before it shows the pod as it is. */
const ANSWER_WITHIN_MS = 2_000;

interface Entry extends Subject {
  readonly worker: Worker;
  shown: V1Pod;
  /** What was published last, without its version. */
  text?: string;
  /** Why its worker has ended before it: nothing happens to this pod any more. */
  failure?: string;
}

export class Agent implements Backend {
  readonly node: { readonly name: string };
  readonly #parts: AgentParts;
  readonly #entries = new Map<string, Entry>();
  readonly #setAside = new SetAside();
  readonly #reserved = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #pods = new Hub<V1Pod>();
  readonly #eventHub = new Hub<V1Event>();
  readonly #eventLog: EventLog;
  readonly #news: RuntimeNews;
  readonly #turns = new Turns();
  readonly #stop = new AbortController();
  // Above every version of an earlier life of the agent, unless it made one a millisecond for years.
  #version = Date.now();

  constructor(parts: AgentParts) {
    const { means, log } = parts;
    this.#parts = parts;
    this.node = { name: means.node.name };
    this.#eventLog = new EventLog(this.node.name, () => this.#nextVersion());
    const workers = () => [...this.#entries.values()].map(({ worker }) => worker);
    const keep = (underWay: Promise<void>) => this.#keep(underWay);
    this.#news = new RuntimeNews({ means, log, workers, keep, signal: this.#stop.signal });
    this.#keep(keepLogsShort(means, workers, log, this.#stop.signal));
    const watch: AddressWatch = {
      lookAgain: means.lookForAddresses,
      onChange: () => {
        log.info({ hostIPs: means.node.hostIPs }, 'the node has other addresses than before');
        tellEach(workers(), (worker) => worker.addressesChanged(), log);
      },
      onFailure: (err) => log.warn({ err }, "could not look for the node's addresses"),
    };
    this.#keep(watchAddresses(watch, this.#stop.signal));
    means.objects.onChange((kind, namespace, name) => {
      const tell = (worker: Worker) => {
        if (refersTo(worker.pod, kind, namespace, name)) worker.objectsChanged();
        if (kind === 'Secret' && pullsWith(worker.pod, namespace, name)) worker.pullSecretChanged();
      };
      tellEach(workers(), tell, log);
    });
  }

  /**
   * Takes up a pod that was accepted earlier, with its own objects. One that cannot be taken up is shown
   * as such, and left alone: the others do not suffer from it.
   */
  resume(pod: Pod, memory: Memory, own: readonly V1Object[] = []): void {
    const key = podKey(pod);
    const isTaken = this.#entries.has(key);
    try {
      // Its file could not be read when the other one was made.
      if (isTaken) throw new Error('another pod has its name');
      this.#start(pod, memory, own);
    } catch (error) {
      const { means, log } = this.#parts;
      const words = 'could not take up this pod; its containers are left alone';
      log.error({ err: error, pod: key, uid: pod.metadata.uid }, words);
      if (!isTaken) this.#entries.delete(key);
      const folder = path.join(means.lending.dataDir, 'pods', pod.metadata.uid);
      const [node, version] = [means.node.name, this.#nextVersion()];
      const shown = this.#setAside.add(pod, error, { folder, node, version });
      this.#pods.send({ type: 'ADDED', object: shown });
    }
  }

  /** Whether there is a pod with this uid. */
  hasUid(uid: string): boolean {
    const workers = [...this.#entries.values()].map(({ worker }) => worker);
    return [...workers.map(({ pod }) => pod), ...this.#setAside.pods()].some(
      ({ metadata }) => metadata.uid === uid,
    );
  }

  /** No new pod can have this uid until the answer is disposed of: an earlier one is still being removed. */
  reserve(uid: string): Disposable {
    this.#reserved.add(uid);
    return { [Symbol.dispose]: () => void this.#reserved.delete(uid) };
  }

  devices(): readonly V1Device[] {
    return this.#parts.means.devices.keeper.list().map(showDevice);
  }

  get objects(): ObjectStore {
    return this.#parts.means.objects;
  }

  create(manifest: ManifestPod, objects: readonly ManifestObject[] = []): Promise<V1Pod> {
    const key = podKey(manifest);
    const { only } = this.#parts;
    if (only !== undefined && podKey({ metadata: only }) !== key) {
      throw new ForbiddenError(`this agent runs only the pod ${podKey({ metadata: only })}`, {
        where: `pod ${key}`,
        next: 'start "reprise agent" for many pods, or give this one its own --data-dir and --socket',
      });
    }
    const pod = this.#accepted(manifest);
    this.#setAside.assertNone(key, pod.metadata.uid);
    const twin = [...this.#entries.values()].find(
      ({ worker }) => podKey(worker.pod) === key || worker.pod.metadata.uid === pod.metadata.uid,
    );
    if (twin !== undefined) {
      const what = podKey(twin.worker.pod) === key ? key : `with uid ${pod.metadata.uid}`;
      throw new AlreadyExistsError(`pod ${what} already exists`, {
        where: `pod ${podKey(twin.worker.pod)}`,
        next: `delete it first (reprise delete pod ${manifest.metadata.name}), or choose another name`,
      });
    }
    if (this.#reserved.has(pod.metadata.uid)) {
      throw new ConflictError('what is left of an earlier pod with this uid is being removed', {
        where: `pod ${key}, metadata.uid`,
        next: "try again later, or leave out the uid; the agent's log says what takes so long",
      });
    }
    const own = objects.map((object) => complete(object, this.#nextVersion()));
    this.#parts.means.store.accept(pod, own);
    return Promise.resolve(this.#startNew(pod, own).shown);
  }

  list(namespace?: string): readonly V1Pod[] {
    return [...[...this.#entries.values()].map(({ shown }) => shown), ...this.#setAside.list()]
      .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
      .toSorted((a, b) => (podKey(a) < podKey(b) ? -1 : 1));
  }

  get(namespace: string, name: string): V1Pod | undefined {
    const key = podKey({ metadata: { namespace, name } });
    return this.#entries.get(key)?.shown ?? this.#setAside.get(key);
  }

  async delete(namespace: string, name: string, options: DeleteOptions): Promise<V1Pod> {
    const entry = this.#workingEntry(namespace, name);
    const at = this.#parts.means.now();
    await this.#answered(entry, entry.worker.request({ kind: 'delete', ...options, at }));
    return entry.shown;
  }

  async restart(namespace: string, name: string, by: string): Promise<V1Pod> {
    const entry = this.#workingEntry(namespace, name);
    const { memory } = entry.worker.picture;
    if (memory.ending !== undefined || isTerminal(memory.phase.phase)) {
      const state = isTerminal(memory.phase.phase) ? `has ${memory.phase.phase}` : 'is ending';
      throw new ConflictError(`pod ${namespace}/${name} ${state} and cannot be restarted`, {
        where: `pod ${namespace}/${name}`,
        next: 'delete it and create it again',
      });
    }
    const at = this.#parts.means.now();
    await this.#answered(entry, entry.worker.request({ kind: 'restart', by, at }));
    return entry.shown;
  }

  setEphemeralContainers(
    namespace: string,
    name: string,
    containers: readonly EphemeralContainer[],
  ): Promise<V1Pod> {
    const entry = this.#workingEntry(namespace, name);
    const { worker } = entry;
    const { ephemeralContainers = [] } = worker.pod.spec;
    if (containers.length === ephemeralContainers.length) return Promise.resolve(entry.shown);
    const spec = { ...worker.pod.spec, ephemeralContainers: containers };
    const pod = { ...worker.pod, spec };
    // On disk before anything of it is started: a crash does not forget what runs.
    this.#parts.means.store.replace(pod);
    worker.podChanged(pod);
    this.#publish(entry, worker.picture);
    return Promise.resolve(entry.shown);
  }

  async setGates(namespace: string, name: string, changes: GateChanges): Promise<V1Pod> {
    const entry = this.#workingEntry(namespace, name);
    const at = this.#parts.means.now();
    await this.#answered(entry, entry.worker.request({ kind: 'gates', changes, at }));
    return entry.shown;
  }

  restarts(namespace: string, name: string): readonly RestartRecord[] {
    const { pod, picture } = this.#entry(namespace, name).worker;
    return restartsOf({ pod, observed: picture.observed }, picture.memory);
  }

  get resourceVersion(): string {
    return String(this.#version);
  }

  watchPods(filter: WatchFilter, signal: AbortSignal): AsyncIterable<WatchEvent<V1Pod>> {
    const matches = ({ metadata }: V1Pod) => isMeant(filter, metadata);
    return this.#pods.watch(filter.initial ? this.list() : [], matches, signal);
  }

  events(filter: ObjectFilter): readonly V1Event[] {
    return this.#eventLog.list().filter(({ involvedObject }) => isMeant(filter, involvedObject));
  }

  watchEvents(filter: WatchFilter, signal: AbortSignal): AsyncIterable<WatchEvent<V1Event>> {
    const matches = ({ involvedObject }: V1Event) => isMeant(filter, involvedObject);
    return this.#eventHub.watch(filter.initial ? this.events(filter) : [], matches, signal);
  }

  async logSource(
    namespace: string,
    name: string,
    container: string,
  ): Promise<LogSource | undefined> {
    const entry = this.#entries.get(podKey({ metadata: { namespace, name } }));
    return entry && (await findLogSource(this.#parts.means, entry, container));
  }

  async exec(
    namespace: string,
    name: string,
    request: ExecRequest,
    signal: AbortSignal,
  ): Promise<ExecSession> {
    const { worker } = this.#entry(namespace, name);
    return await execInContainer(this.#parts.means, worker, request, signal);
  }

  /** One piece of news from the runtime. */
  took(event: RuntimeEvent): void {
    this.#news.took(eventOnClock(event, this.#parts.means.fromWall));
  }

  /** Ends all workers; containers run on. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#parts.means.cleanup.letAllGo();
    await Promise.all(this.#running);
  }

  #accepted({ metadata, spec }: ManifestPod): Pod {
    const setting = metadata.annotations['reprise.dev/in-place-backoff'];
    return {
      metadata: {
        ...metadata,
        uid: metadata.uid ?? randomUUID(),
        creationTimestamp:
          metadata.creationTimestamp ?? `${new Date().toISOString().slice(0, 19)}Z`,
      },
      spec,
      ...(setting !== undefined && { inPlaceBackoffMaxMs: parseDuration(setting) }),
    };
  }

  /** Nothing is left of one that cannot be started: its creator is told, and may try again. */
  #startNew(pod: Pod, own: readonly V1Object[]): Entry {
    const { devices, store } = this.#parts.means;
    try {
      return this.#start(pod, blankMemory, own);
    } catch (error) {
      this.#entries.delete(podKey(pod));
      devices.keeper.release(pod.metadata.uid);
      store.forget(pod.metadata.uid);
      throw error;
    }
  }

  #start(pod: Pod, remembered: Memory, own: readonly V1Object[]): Entry {
    const { means, settings, log } = this.#parts;
    const memory = this.#admitted(pod, remembered);
    const find = objectsFor(pod, own, means.objects);
    const podLog = log.child({ pod: podKey(pod), uid: pod.metadata.uid });
    const tell = (event: PodEvent) => this.#tell(worker.pod, event);
    const report = (what: string, error: unknown) =>
      podLog.warn({ err: error }, `could not ${what}`);
    const worker: Worker = new Worker(pod, memory, {
      settings,
      now: means.now,
      explain,
      tell,
      inputs: (now) => allInputsOf(now, { find, hostIPs: means.node.hostIPs }),
      look: async (signal) => {
        means.cleanup.letEndedGo(pod.metadata.uid);
        const seen = await lookAtPod(means.cri, pod.metadata.uid, signal);
        await holdRunning(means, worker.pod, seen, signal).catch((error: unknown) => {
          if (!signal.aborted) report('hold the output of containers', error);
        });
        const look = lookOnClock(seen, means.fromWall);
        const known = await withMovedImages(means.cri, pod, look, signal);
        return await withLastWords(means, worker.pod, this.#news.strays.putInto(known), signal);
      },
      save: (saved) => {
        means.store.save(pod, saved);
      },
      perform: async (action, picture, signal) => {
        const progress = (text: string) => worker.sawProgress(action, text);
        const signalled = (id: string) => worker.sawSignal(id);
        const latest = () => worker.picture;
        const told = { tell, report, progress, signalled, latest };
        const perform = () => {
          if (action.kind === 'start-container') worker.sawTurn(action.id);
          return act(means, action, { pod: worker.pod, picture, find, signal, ...told });
        };
        const actor = { uid: pod.metadata.uid, memory: picture.memory, now: means.now() };
        return await this.#turns.take(action, actor, perform, signal);
      },
      publish: (picture, events) => {
        this.#turns.note({ uid: pod.metadata.uid, memory: picture.memory });
        const restarts = isInAHurry(picture.memory);
        means.cleanup.note({ uid: pod.metadata.uid, observed: picture.observed, restarts });
        // In this order: whoever reads "restarted" has already seen the last container start.
        this.#publish(entry, picture);
        for (const event of events) this.#tell(worker.pod, event);
        // Nothing of it runs any more, and nothing ever will.
        if (isTerminal(picture.memory.phase.phase)) means.devices.keeper.release(pod.metadata.uid);
      },
      report: (what, error) => {
        report(typeof what === 'string' ? what : inWords(what), error);
        if (typeof what === 'string') return;
        for (const event of failureEvents(what, error)) this.#tell(worker.pod, event);
      },
    });
    const entry: Entry = {
      worker,
      shown: show(pod, worker.picture, settings, means.node, this.#nextVersion()),
      onNews: new Set(),
    };
    this.#entries.set(podKey(pod), entry);
    this.#claimDevices(entry);
    this.#pods.send({ type: 'ADDED', object: entry.shown });
    this.#keep(this.#run(entry, podLog));
    return entry;
  }

  /** It hears of its devices before its worker begins. */
  #claimDevices({ worker }: Entry): void {
    const { keeper } = this.#parts.means.devices;
    const { pod, picture } = worker;
    if (isOver(picture.memory)) {
      keeper.release(pod.metadata.uid);
      return;
    }
    keeper.add(pod, (view, events) => {
      worker.sawDevices(view);
      for (const event of events) this.#tell(pod, event);
    });
  }

  /** The memory of a pod that is seen for the first time says whether it may run here. */
  #admitted(pod: Pod, memory: Memory): Memory {
    if (memory.startTime !== undefined) return memory;
    const { allowedUnsafeSysctls, means } = this.#parts;
    const others = [...this.#entries.values()]
      .map(({ worker }) => worker)
      .filter(({ picture }) => !isOver(picture.memory))
      .map((worker) => worker.pod)
      .concat(this.#setAside.pods());
    const node = { ...means.node, hugePageCounts: countHugePages() };
    const rejection = findRejection(pod, { allowedUnsafeSysctls, others, node });
    if (rejection === undefined) return memory;
    this.#tell(pod, { type: 'Warning', ...rejection });
    return rejectedMemory(rejection, means.now());
  }

  async #run(entry: Entry, log: Logger): Promise<void> {
    const { worker } = entry;
    try {
      if (!(await worker.run(this.#stop.signal))) return;
      this.#entries.delete(podKey(worker.pod));
      this.#parts.means.devices.keeper.release(worker.pod.metadata.uid);
      this.#parts.means.cleanup.leave(worker.pod.metadata.uid);
      const { metadata } = entry.shown;
      const last = {
        ...entry.shown,
        metadata: { ...metadata, resourceVersion: this.#nextVersion() },
      };
      this.#pods.send({ type: 'DELETED', object: last });
      for (const hear of [...entry.onNews]) hear(undefined);
    } catch (error) {
      this.#turns.leave(worker.pod.metadata.uid);
      this.#parts.means.cleanup.leave(worker.pod.metadata.uid);
      // A defect of ours: this pod stays as it is, the others go on.
      entry.failure = messageOf(error);
      log.error({ err: error }, 'the worker of this pod has failed; its containers are left alone');
      this.#show(entry, {
        ...entry.shown,
        status: {
          ...entry.shown.status,
          phase: 'Unknown',
          reason: 'WorkerFailed',
          message: `${entry.failure} (the agent's log has more; restart the agent to try again)`,
        },
      });
    }
  }

  #publish(entry: Entry, picture: Picture): void {
    const { means, settings } = this.#parts;
    const shown = show(entry.worker.pod, picture, settings, means.node, '');
    const text = JSON.stringify(shown);
    if (text !== entry.text) this.#show(entry, shown);
    entry.text = text;
    for (const hear of [...entry.onNews]) hear(picture);
  }

  #show(entry: Entry, shown: V1Pod): void {
    const metadata = { ...shown.metadata, resourceVersion: this.#nextVersion() };
    entry.shown = { ...shown, metadata };
    this.#pods.send({ type: 'MODIFIED', object: entry.shown });
  }

  #tell(pod: Pod, told: PodEvent): void {
    const { instances = [] } = this.#entries.get(podKey(pod))?.worker.picture.observed ?? {};
    const inNames = withNames(told, instances);
    const { event, isNew } = this.#eventLog.add(pod, inNames, this.#parts.means.now());
    this.#eventHub.send({ type: isNew ? 'ADDED' : 'MODIFIED', object: event });
  }

  #entry(namespace: string, name: string): Entry {
    const key = podKey({ metadata: { namespace, name } });
    const entry = this.#entries.get(key);
    if (entry !== undefined) return entry;
    this.#setAside.assertNone(key);
    throw new NotFoundError(`pods "${name}" not found`, {
      where: `pod ${key}`,
      next: 'list the pods there are: reprise get pods -A',
    });
  }

  /** One that something can be asked of. */
  #workingEntry(namespace: string, name: string): Entry {
    const entry = this.#entry(namespace, name);
    assertWorks(entry);
    return entry;
  }

  /** With the runtime away a decision may take long; the answer does not wait for it. */
  async #answered(entry: Entry, decided: Promise<void>): Promise<void> {
    const given = new AbortController();
    const late = delay(ANSWER_WITHIN_MS, undefined, { signal: given.signal }).catch(
      () => undefined,
    );
    await Promise.race([decided, late]);
    given.abort();
    // It may have failed over what was asked.
    assertWorks(entry);
  }

  /** What has to be over before the agent is. */
  #keep(underWay: Promise<void>): void {
    const kept = underWay.finally(() => this.#running.delete(kept));
    this.#running.add(kept);
  }

  #nextVersion(): string {
    return String(++this.#version);
  }
}

/** Refuses what would wait for ever. */
function assertWorks({ worker: { pod }, failure }: Entry): void {
  if (failure === undefined) return;
  throw new ConflictError(`the worker of pod ${podKey(pod)} has failed: ${failure}`, {
    where: `pod ${podKey(pod)}`,
    next: 'restart the agent: its pods run on, and it takes up this one again',
  });
}

function isMeant(filter: ObjectFilter, object: { namespace: string; name: string }): boolean {
  return (
    (filter.namespace === undefined || filter.namespace === object.namespace) &&
    (filter.name === undefined || filter.name === object.name)
  );
}
