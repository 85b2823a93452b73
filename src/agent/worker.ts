/**
 * One worker per pod: look, decide, remember, act; again until nothing is left to do.
 *
 * The worker has no opinions: all judgement is in pod/decide.ts, all waiting is here. News wakes it
 * and may add a fact; news that is lost, doubled or late costs time, never correctness. Actions run
 * beside the loop, so that an exit is acted on while a slow call is still under way; the same action
 * is never under way twice.
 *
 * Read next: act.ts, which performs one action; view.ts, what is known between two full looks.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { Action } from '../pod/action.ts';
import { inWords, isVisit } from '../pod/action.ts';
import { adopt } from '../pod/adopt.ts';
import { decide } from '../pod/decide.ts';
import type { PodEvent } from '../pod/decision.ts';
import { earlier } from '../pod/decision.ts';
import type { DeviceView } from '../pod/devices.ts';
import type { Inputs } from '../pod/inputs.ts';
import type { Memory } from '../pod/memory.ts';
import type { Exit, Failure, Observed, Request } from '../pod/observed.ts';
import { inThePast } from '../pod/past.ts';
import type { Pod } from '../pod/pod.ts';
import { rememberRequest } from '../pod/remember.ts';
import type { Settings } from '../pod/settings.ts';
import { LONGEST_TIMER_MS } from '../timers.ts';
import type { FullLook, Outcome, Start } from './view.ts';
import {
  asked,
  blankView,
  exited,
  failed,
  issued,
  looked,
  objectsChanged,
  progressed,
  pullSecretChanged,
  ranOutOfMemory,
  sandboxLost,
  signalled,
  spoke,
  started,
  succeeded,
} from './view.ts';

/** A full look happens at least this often; it only heals what events should have told. */
const LOOK_AGAIN_MS = 120_000;
/**
 * How long the runtime may call a container running after it has told its end. An end that was told
 * when nobody listened is not in the first look then, but in one that comes so much later.
 */
const IN_STEP_WITHIN_MS = 5_000;
/** How long to wait before another try when the runtime cannot be looked at. */
const LOOK_RETRY_MS = 1_000;
/** How long to wait before another try when the memory cannot be saved. */
const SAVE_RETRY_MS = 1_000;
/** What no action depends on is saved at least this soon. */
const SAVE_WITHIN_MS = 1_000;

/** How long a start under way may still take when the worker is told to end. */
const FINISH_START_MS = 5_000;

/** What a worker needs of the world, for one pod. */
export interface PodTools {
  /** Performs one action; throws an ActionError when it fails. */
  readonly perform: (action: Action, now: Picture, signal: AbortSignal) => Promise<Outcome>;
  readonly look: (signal: AbortSignal) => Promise<FullLook>;
  /** Saves the memory, as JSON, before it is acted on; synchronous, as everything waits for it. */
  readonly save: (memory: string) => void;
  /** Tells the world how the pod is now. */
  readonly publish: (picture: Picture, events: readonly PodEvent[]) => void;
  /** Tells the world what has happened. */
  readonly tell: (event: PodEvent) => void;
  /** Tells about something that failed: an action, or what the worker does by itself. */
  readonly report: (what: Action | string, error: unknown) => void;
  /** Why an action failed, as Kubernetes' reason and a message. */
  readonly explain: (
    action: Action,
    error: unknown,
  ) => Pick<Failure, 'reason' | 'message' | 'image'>;
  /** What the containers take from objects and from the node's addresses now. */
  readonly inputs: (pod: Pod) => Inputs;
  /** Milliseconds since 1970, with a fraction. */
  readonly now: () => number;
  readonly settings: Settings;
}

/** The pod as its worker sees it. */
export interface Picture {
  readonly observed: Observed;
  readonly memory: Memory;
}

export class Worker {
  #pod: Pod;
  readonly #tools: PodTools;
  #observed: Observed;
  #memory: Memory;
  readonly #underWay = new Map<string, Promise<void>>();
  /** Those of them that are something at a running container: they are over with it. */
  readonly #visits = new Map<string, { readonly id: string; readonly end: AbortController }>();
  /** Ends the waits that a pod on its way out does not need any more, such as image pulls. */
  readonly #preparations = new AbortController();
  /** containerd gives up a start whose caller goes away: those under way get a moment to finish. */
  readonly #starts = new AbortController();
  /** By container. */
  readonly #startsUnderWay = new Map<string, Promise<void>>();
  /** Containers whose start was told by its event, while the call has not answered. */
  readonly #toldStarts = new Set<string>();
  #lookDue = true;
  #lookedAt = 0;
  /** When a look tells everything that may have been missed. */
  #inStepAt = 0;
  /** Why the last look failed; it is told once, not again every second. */
  #lookFailure: string | undefined;
  #forgotten = false;
  #wake: () => void = () => undefined;
  #isAwake = false;
  /** As it is on disk. */
  #savedMemory: string | undefined;
  #savedAt = 0;
  #waiting: (() => void)[] = [];

  constructor(pod: Pod, memory: Memory, tools: PodTools) {
    this.#pod = pod;
    this.#tools = tools;
    const now = tools.now();
    this.#memory = inThePast(memory, now);
    this.#observed = { ...blankView, since: now, inputs: tools.inputs(pod) };
    // Of a new pod nothing can have been missed.
    if (memory.sandboxAttempt >= 0) this.#inStepAt = now + IN_STEP_WITHIN_MS;
  }

  get pod(): Pod {
    return this.#pod;
  }

  get picture(): Picture {
    return { observed: this.#observed, memory: this.#memory };
  }

  /** Whether a container or sandbox of this pod has that id. */
  owns(id: string): boolean {
    return (
      this.#observed.instances.some((one) => one.id === id) ||
      this.#observed.sandboxes.some((one) => one.id === id)
    );
  }

  /** It is the turn of a start that was issued before; no news that asks for a decision. */
  sawTurn(id: string): void {
    this.#observed = asked(this.#observed, id, this.#tools.now());
  }

  /** A start event: it comes before the answer to the call, which has bookkeeping to do first. */
  sawStart(id: string, start: Start): void {
    const asked = this.#observed.instances.find((one) => one.id === id && one.state === 'starting');
    // What follows from the start is told after it, and may come before the call has answered.
    if (asked !== undefined && !this.#toldStarts.has(id)) {
      this.#toldStarts.add(id);
      this.#tellStarted(asked.name);
    }
    this.#observed = started(this.#observed, id, start);
    this.#news();
  }

  /** An exit event: a fact, for a container; for the sandbox's own process, a reason to look. */
  sawExit(id: string, exit: Exit): void {
    if (this.#observed.sandboxes.some((one) => one.id === id && one.ready)) {
      this.#observed = sandboxLost(this.#observed, id);
      this.#lookDue = true;
    }
    this.#observed = exited(this.#observed, id, exit);
    this.#news();
  }

  /** How far an action is that takes its time. */
  sawProgress(action: Action, text: string): void {
    this.#observed = progressed(this.#observed, action, text);
    this.#news();
  }

  /** A container has got its stop signal. */
  sawSignal(id: string): void {
    this.#observed = signalled(this.#observed, id);
    this.#news();
  }

  /** What a container had to say at its end, if that was not known with its exit. */
  sawLastWords(id: string, message: string): void {
    this.#observed = spoke(this.#observed, id, message);
    this.#news();
  }

  /** One that has ended had run out of memory; returns whether it had ended, as far as is known. */
  sawOutOfMemory(id: string): boolean {
    if (!this.#hasExited(id)) return false;
    this.#observed = ranOutOfMemory(this.#observed, id);
    this.#news();
    return true;
  }

  /** Objects that the pod refers to have changed, appeared or gone. */
  objectsChanged(): void {
    this.#observed = objectsChanged(this.#observed, this.#tools.inputs(this.pod));
    this.#news();
  }

  /** The node has other addresses than before. */
  addressesChanged(): void {
    this.#observed = { ...this.#observed, inputs: this.#tools.inputs(this.pod) };
    this.#news();
  }

  /** A Secret has changed, appeared or gone that its images are pulled with. */
  pullSecretChanged(): void {
    this.#observed = pullSecretChanged(this.#observed);
    this.#news();
  }

  /** What it has of devices now, or why it waits for them. */
  sawDevices(devices: DeviceView): void {
    this.#observed = { ...this.#observed, devices };
    this.#news();
  }

  /** The pod has other ephemeral containers than before; nothing else of it ever changes. */
  podChanged(pod: Pod): void {
    this.#pod = pod;
    this.#observed = { ...this.#observed, inputs: this.#tools.inputs(this.pod) };
    this.#news();
  }

  /** A name of an image may stand for another one, which CRI learns at the same time as we do. */
  imageMoved(): void {
    this.#lookDue = true;
    this.#inStepAt = this.#tools.now() + IN_STEP_WITHIN_MS;
    this.#news();
  }

  /** Events may have been missed: nothing but a full look helps. */
  lookAgain(): void {
    this.#lookDue = true;
    this.#inStepAt = this.#tools.now() + IN_STEP_WITHIN_MS;
    // What failed while the runtime was away deserves a fresh start.
    this.#observed = { ...this.#observed, failures: {} };
    this.#news();
  }

  /**
   * Resolves when the request is on disk, a deletion also when it is acted on with a full one; a request
   * to restart may take as long as the runtime is away.
   */
  request(request: Request): Promise<void> {
    this.#observed = { ...this.#observed, requests: [...this.#observed.requests, request] };
    this.#news();
    const answered = new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#lookFailure !== undefined) this.#takeRequests(this.#lookFailure);
    return answered;
  }

  /** Ends when the pod is gone for good (resolves to true) or with the signal (false). */
  async run(signal: AbortSignal): Promise<boolean> {
    const wake = () => this.#news();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted && !this.#forgotten) {
        if (this.#lookDue && !(await this.#look(signal))) continue;
        // Something has come up while it was looked.
        if (this.#lookDue) continue;
        const lookAgainAt = this.#decideAndAct(signal);
        const nextLookAt = this.#nextLookAt();
        await this.#sleep(Math.min(lookAgainAt ?? Infinity, nextLookAt), signal);
        if (this.#tools.now() >= nextLookAt) this.#lookDue = true;
      }
      return this.#forgotten;
    } finally {
      signal.removeEventListener('abort', wake);
      this.#preparations.abort();
      for (const visit of this.#visits.values()) visit.end.abort();
      const timer = setTimeout(() => this.#starts.abort(), FINISH_START_MS);
      await Promise.all(this.#underWay.values());
      clearTimeout(timer);
      if (!this.#forgotten) this.#save(JSON.stringify(this.#memory), this.#tools.now());
    }
  }

  /** One turn; returns when the next one is due by itself. */
  #decideAndAct(signal: AbortSignal): number | undefined {
    this.#isAwake = false;
    const observed = { ...this.#observed, busy: this.#underWay.size > this.#visits.size };
    const isAsked = observed.requests.length > 0;
    // A probe may find something else the next time.
    const isAnswered = observed.probeResults !== undefined;
    const now = this.#tools.now();
    const decision = decide(this.pod, observed, this.#memory, now, this.#tools.settings);
    this.#memory = decision.memory;
    this.#observed = { ...this.#observed, requests: [], probeResults: undefined };
    this.#endVisits();
    const fresh = decision.actions.filter((action) => !this.#underWay.has(inWords(action)));
    // Nothing is done or told that is not remembered: with a full disk the pod goes on as it is. What
    // was only seen can be seen again, so it is saved along with the next action, or soon. Only the end
    // of a pod that somebody deletes goes on: it may be what has filled the disk.
    const memory = JSON.stringify(this.#memory);
    const isTold = isAsked || isAnswered || decision.events.length > 0;
    const isDue = isTold || fresh.some(needsMemory) || now >= this.#savedAt + SAVE_WITHIN_MS;
    const isUnsaved = isDue && !this.#save(memory, now);
    if (isUnsaved && decision.memory.ending?.deletedAt === undefined) return now + SAVE_RETRY_MS;
    if (decision.memory.ending !== undefined) this.#preparations.abort();
    for (const action of fresh) this.#begin(action, signal);
    this.#tools.publish(this.picture, decision.events);
    for (const resolve of this.#waiting.splice(0)) resolve();
    const isSaved = memory === this.#savedMemory;
    return isSaved ? decision.lookAgainAt : earlier(decision.lookAgainAt, now + SAVE_WITHIN_MS);
  }

  #begin(action: Action, signal: AbortSignal): void {
    const words = inWords(action);
    if (this.#underWay.has(words)) return;
    // Killed before, and yet no exit event: it was lost, or there is nothing to kill any more.
    if (action.kind === 'kill-containers' && this.#wasKilled(action.ids)) this.#lookDue = true;
    this.#observed = issued(this.#observed, action, this.#memory.sandboxAttempt, this.#tools.now());
    const performed = this.#perform(action, words, signal);
    this.#underWay.set(words, performed);
    if (action.kind === 'start-container') this.#startsUnderWay.set(action.id, performed);
  }

  async #perform(action: Action, words: string, signal: AbortSignal): Promise<void> {
    const until = this.#endOf(action, words, signal);
    // Until a start has answered the runtime has not seen it, whatever its event says, and lets a stop pass.
    const start = action.kind === 'stop-container' && this.#startsUnderWay.get(action.id);
    if (start instanceof Promise) await start;
    try {
      const performed = this.#tools.perform(action, this.picture, until);
      const outcome = await (isVisit(action) ? untilOver(performed, until) : performed);
      this.#observed = succeeded(this.#observed, action, outcome, this.#tools.now());
      if (action.kind === 'forget') this.#forgotten = true;
      const isStart = action.kind === 'start-container' && outcome.kind !== 'outdated';
      if (isStart && !this.#toldStarts.has(action.id)) this.#tellStarted(action.name);
      // Stopped, and yet no exit event: it was lost, or the runtime knew of none.
      if (action.kind === 'stop-container' && !this.#hasExited(action.id)) this.#lookDue = true;
    } catch (error) {
      if (!until.aborted) this.#tools.report(action, error);
      const reason = this.#tools.explain(action, error);
      this.#observed = failed(this.#observed, action, reason, this.#tools.now());
      this.#lookDue = true;
    } finally {
      this.#underWay.delete(words);
      this.#visits.delete(words);
      if (action.kind === 'start-container') {
        this.#toldStarts.delete(action.id);
        this.#startsUnderWay.delete(action.id);
      }
      this.#news();
    }
  }

  #tellStarted(container: string): void {
    this.#tools.tell({
      type: 'Normal',
      reason: 'Started',
      message: 'Container started',
      container,
    });
  }

  /** What ends the wait for an action early. */
  #endOf(action: Action, words: string, signal: AbortSignal): AbortSignal {
    const { kind } = action;
    if (isVisit(action)) {
      const end = new AbortController();
      this.#visits.set(words, { id: action.id, end });
      return AbortSignal.any([signal, end.signal]);
    }
    if (kind === 'start-container') return this.#starts.signal;
    if (kind !== 'create-container') return signal;
    return AbortSignal.any([signal, this.#preparations.signal]);
  }

  /** Nobody is left to answer in a container that has ended. */
  #endVisits(): void {
    if (this.#visits.size === 0) return;
    for (const { id, end } of this.#visits.values()) {
      const isAnswering = this.#observed.instances.some(
        (one) => one.id === id && one.state === 'running',
      );
      if (!isAnswering) end.abort();
    }
  }

  #wasKilled(ids: readonly string[]): boolean {
    return this.#observed.instances.some(
      ({ id, killedAt }) => id !== undefined && ids.includes(id) && killedAt !== undefined,
    );
  }

  #hasExited(id: string): boolean {
    return this.#observed.instances.every((one) => one.id !== id || one.exit !== undefined);
  }

  #nextLookAt(): number {
    const isInStep = this.#lookedAt >= this.#inStepAt;
    return isInStep ? this.#lookedAt + LOOK_AGAIN_MS : this.#inStepAt;
  }

  /** Whether the look succeeded; if not, some time has passed. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const before = this.#observed;
    this.#lookDue = false;
    try {
      const look = await this.#tools.look(signal);
      this.#observed = looked(this.#observed, before, look);
      this.#memory = adopt(this.pod, this.#observed, this.#memory);
      const now = this.#tools.now();
      if (this.#lookFailure !== undefined) this.#inStepAt = now + IN_STEP_WITHIN_MS;
      this.#lookedAt = now;
      this.#lookFailure = undefined;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      this.#lookDue = true;
      if (this.#lookFailure === undefined) this.#tellFailedLook(error);
      this.#lookFailure = messageOf(error);
      this.#takeRequests(this.#lookFailure);
      await delay(LOOK_RETRY_MS, undefined, { signal }).catch(() => undefined);
      return false;
    }
  }

  #tellFailedLook(error: unknown): void {
    this.#tools.report('look at the pod', error);
    const message = `error determining status: ${messageOf(error)}`;
    this.#tools.tell({ type: 'Warning', reason: 'FailedSync', message });
  }

  /**
   * Whoever deletes a pod does not wait for a runtime that cannot be asked, and is not forgotten if
   * this process ends meanwhile. A request to restart stays: it needs to know what runs.
   */
  #takeRequests(failure: string): void {
    const { requests } = this.#observed;
    const left = requests.filter(({ kind }) => kind === 'restart');
    if (left.length === requests.length) return;
    const now = this.#tools.now();
    const memory = requests.reduce(
      (known, request) => rememberRequest(this.pod, known, request, now),
      this.#memory,
    );
    if (!this.#save(JSON.stringify(memory), now)) return;
    this.#memory = memory;
    this.#observed = { ...this.#observed, requests: left };
    if (requests.some(({ kind }) => kind === 'delete')) {
      const message = `error killing pod: ${failure}`;
      this.#tools.tell({ type: 'Warning', reason: 'FailedKillPod', message });
    }
    this.#tools.publish(this.picture, []);
    if (left.length === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Whether that memory is on disk now. */
  #save(memory: string, now: number): boolean {
    try {
      if (memory !== this.#savedMemory) this.#tools.save(memory);
      this.#savedMemory = memory;
      this.#savedAt = now;
      return true;
    } catch (error) {
      this.#tools.report('save what is known of the pod', error);
      return false;
    }
  }

  #news(): void {
    this.#isAwake = true;
    this.#wake();
  }

  /** Returns at once if news came in since the last decision. */
  async #sleep(until: number, signal: AbortSignal): Promise<void> {
    if (this.#isAwake || signal.aborted) return;
    const ms = Math.max(0, Math.min(until - this.#tools.now(), LONGEST_TIMER_MS));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => undefined;
  }
}

/** A visit is over with its signal, whether it notices or not: neither pod nor agent waits for it. */
async function untilOver(visit: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  const { promise: over, resolve } = Promise.withResolvers<Outcome>();
  const end = () => resolve({ kind: 'done' });
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    return await Promise.race([visit, over]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** Whether an action may only be performed when the memory is on disk; to look at something, it need not be. */
function needsMemory({ kind }: Action): boolean {
  return (
    kind !== 'prove-gone' &&
    kind !== 'free-devices' &&
    kind !== 'lend' &&
    kind !== 'probe-container'
  );
}
