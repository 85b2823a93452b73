/**
 * One copy of the pod while it lives: watched from before its birth, restarted, and removed.
 *
 * Disposing of it kills it and waits until nothing of it is left, whatever happened before.
 *
 * Read next: life.ts, what is kept of what is seen.
 */
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { ManifestPod } from '../api/backend.ts';
import type { Client } from '../api/client.ts';
import { NotFoundError, RepriseError, messageOf } from '../errors.ts';
import type { Pod } from '../pod/pod.ts';
import { podKey } from '../pod/pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { LONGEST_TIMER_MS } from '../timers.ts';
import { givenUp, statusesOf, witness } from './life.ts';
import type { Life, Run } from './life.ts';

export interface CopyMeans {
  readonly client: Client;
  /** Makes the copy; deletes one first that an earlier rehearsal has left, if it may. */
  readonly accept: (signal: AbortSignal) => Promise<V1Pod>;
  readonly manifest: ManifestPod;
  readonly name: string;
}

/** How many lines of the log of a failed run are kept. */
const LAST_LINES = 10;
/** SIGKILL needs no grace, but containerd may be slow. */
const REMOVED_WITHIN_MS = 60_000;

/** Something of a copy may still be there. */
export class CopyLeftBehind extends RepriseError {}

export class Copy implements AsyncDisposable {
  readonly pod: Pod;
  readonly #client: Client;
  readonly #stop: AbortController;
  readonly #logs = new Map<string, Promise<readonly string[]>>();
  readonly #watching: Promise<void>;
  #life: Life;
  #news = Promise.withResolvers<undefined>();
  /** Why nothing more will be seen. */
  #lost: Error | undefined;

  private constructor(
    { client, manifest }: CopyMeans,
    accepted: V1Pod,
    watched: Awaited<ReturnType<Client['watchPods']>>,
    stop: AbortController,
  ) {
    const { uid, creationTimestamp } = accepted.metadata;
    this.#client = client;
    this.#stop = stop;
    const { name } = accepted.metadata;
    this.pod = { ...manifest, metadata: { ...manifest.metadata, name, uid, creationTimestamp } };
    this.#life = witness(undefined, this.pod, accepted, performance.now());
    this.#watching = this.#watch(watched);
  }

  /** Makes the pod. */
  static async make(means: CopyMeans, signal: AbortSignal): Promise<Copy> {
    const { namespace } = means.manifest.metadata;
    const stop = new AbortController();
    try {
      // Begun before there is a pod, so that nothing of it can be missed.
      const watched = await means.client.watchPods({ namespace, name: means.name }, stop.signal);
      return new Copy(means, await means.accept(signal), watched, stop);
    } catch (error) {
      stop.abort();
      throw error;
    }
  }

  /** All that was seen so far. */
  get life(): Life {
    return this.#life;
  }

  /** Resolves when more was seen, or at this time. */
  async news(until: number, signal: AbortSignal): Promise<void> {
    const heard = new AbortController();
    const ms = Math.min(Math.max(0, until - performance.now()), LONGEST_TIMER_MS);
    const either = AbortSignal.any([signal, heard.signal]);
    const late = delay(ms, undefined, { signal: either });
    try {
      await Promise.race([this.#news.promise, late]);
    } finally {
      heard.abort();
      // Ended by the news, or already thrown.
      late.catch(() => undefined);
    }
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Asks for a restart in place; returns the generation that comes of it. */
  async restart(signal: AbortSignal): Promise<number> {
    const { namespace, name } = this.pod.metadata;
    const shown = await this.#client.restartPod(namespace, name, 'the rehearsal', signal);
    this.#saw(shown);
    return this.#life.generation;
  }

  /** From the request to the start of the last container; absent as long as it has not come to that. */
  async tookMs(generation: number, signal: AbortSignal): Promise<number | undefined> {
    const { namespace, name } = this.pod.metadata;
    const records = await this.#client.listRestarts(namespace, name, signal);
    const record = records.find((one) => one.generation === generation);
    if (record?.completedAt === undefined) return undefined;
    const { trigger, completedAt } = record;
    return completedAt - (trigger.kind === 'exit' ? trigger.exitedAt : trigger.at);
  }

  /** The end of the log of a run that has failed or hangs. */
  lastLines(run: Run): Promise<readonly string[]> {
    const reading = this.#logs.get(run.id) ?? this.#readLast(run);
    this.#logs.set(run.id, reading);
    return reading;
  }

  /** The message of the last event that tells of something amiss, if there is one. */
  async lastWarning(): Promise<string | undefined> {
    const { namespace, name, uid } = this.pod.metadata;
    try {
      const events = await this.#client.listEvents({ namespace, name }, this.#stop.signal);
      return events
        .filter(({ type, involvedObject }) => type === 'Warning' && involvedObject.uid === uid)
        .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .at(-1)?.message;
    } catch (error) {
      // The failure itself must be told even where they cannot be had.
      return `(no events: ${messageOf(error)})`;
    }
  }

  /** That run is not waited for any longer. */
  giveUp(run: Run): void {
    this.#life = givenUp(this.#life, run.id, performance.now());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { namespace, name, uid } = this.pod.metadata;
    const signal = AbortSignal.timeout(REMOVED_WITHIN_MS);
    try {
      if (this.#life.isGone) return;
      await this.#client.deletePod(namespace, name, { force: true }, signal);
      await this.#gone(signal);
    } catch (error) {
      if (error instanceof NotFoundError) return;
      throw new CopyLeftBehind(`the copy could not be removed: ${messageOf(error)}`, {
        where: `pod ${podKey(this.pod)}, uid ${uid}`,
        next: `remove it: reprise delete pod ${name} -n ${namespace} --force`,
        cause: error,
      });
    } finally {
      this.#stop.abort();
      await this.#watching;
      await Promise.all(this.#logs.values());
    }
  }

  async #gone(signal: AbortSignal): Promise<void> {
    while (!this.#life.isGone) await this.news(Infinity, signal);
  }

  async #watch(watched: Awaited<ReturnType<Client['watchPods']>>): Promise<void> {
    try {
      for await (const { type, object } of watched) {
        if (object.metadata.uid !== this.pod.metadata.uid) continue;
        this.#saw(object);
        if (type === 'DELETED') this.#life = { ...this.#life, isGone: true };
        this.#tell();
      }
      if (!this.#stop.signal.aborted) this.#lost = new RepriseError('the agent has stopped');
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!this.#stop.signal.aborted) this.#lost = error;
    }
    this.#tell();
  }

  #saw(shown: V1Pod): void {
    const known = Number(this.#life.pod.metadata.resourceVersion);
    // What a call answers may be ahead of the watch.
    if (Number(shown.metadata.resourceVersion) < known) return;
    this.#life = witness(this.#life, this.pod, shown, performance.now());
    if (shown.metadata.deletionTimestamp !== undefined) return;
    // At once: the log of its next run takes the place of this one.
    for (const run of this.#life.runs) if (run.end?.how === 'failed') void this.lastLines(run);
  }

  #tell(): void {
    this.#news.resolve(undefined);
    this.#news = Promise.withResolvers();
  }

  /** Which run `current` and `previous` mean may change while they are read: the status tells. */
  async #readLast({ container, id }: Run): Promise<readonly string[]> {
    const { namespace, name } = this.pod.metadata;
    const { signal } = this.#stop;
    try {
      for (const previous of [false, true]) {
        const query = { container, tailLines: LAST_LINES, previous };
        const log = await readAll(await this.#client.readLog(namespace, name, query, signal));
        const shown = await this.#client.getPod(namespace, name, signal);
        const status = statusesOf(shown).get(container);
        const { state, lastState } = status ?? {};
        const meant = previous
          ? lastState?.terminated?.containerID
          : (state?.terminated?.containerID ?? status?.containerID);
        if (meant === id) return log.split('\n').filter((line) => line !== '');
      }
      return ['(its log has made room for later ones)'];
    } catch (error) {
      // The failure itself must be told even where the log is not there.
      return [`(no log: ${messageOf(error)})`];
    }
  }
}
