/**
 * A node under virtual time: runtime, processes and agent in one deterministic simulation.
 *
 * The runtime's part is the truth (which process lives, what exists); the agent's part is the real
 * decision and the real picture of agent/view.ts, fed by results and exit events with whatever
 * delays the test gives. The agent can be killed at any moment; what it saved is all it keeps. Every
 * start of a process is checked against the rules that must never be broken.
 */
import type { Outcome } from '../agent/view.ts';
import { blankView, exited, failed, issued, looked, sandboxLost, succeeded } from '../agent/view.ts';
import type { Action } from '../pod/action.ts';
import { inWords } from '../pod/action.ts';
import { adopt } from '../pod/adopt.ts';
import { decide } from '../pod/decide.ts';
import type { Memory } from '../pod/memory.ts';
import { blankMemory } from '../pod/memory.ts';
import type { Instance, Observed, Request } from '../pod/observed.ts';
import type { Pod } from '../pod/pod.ts';
import { containersOf } from '../pod/pod.ts';
import type { V1PodStatus } from '../pod/pod-status.ts';
import type { Settings } from '../pod/settings.ts';
import { defaultSettings } from '../pod/settings.ts';
import { podStatus } from '../pod/status.ts';

/** What a process does: how long it runs before it exits with `code`; absent time: for ever. */
export interface Behaviour {
  readonly runsMs?: number;
  readonly code?: number;
  /** Does not end on SIGTERM. */
  readonly ignoresTerm?: boolean;
  /** Start fails: the container ends with 128, StartError. */
  readonly cannotStart?: boolean;
}

export interface Plan {
  /** What the n-th process (from 0) of a container does. */
  readonly behave: (name: string, run: number) => Behaviour;
  /** How long the runtime takes for an action, in milliseconds. */
  readonly latencyMs?: (action: Action) => number;
  /** Whether an action fails this time. */
  readonly fails?: (action: Action) => boolean;
  /** How long an exit event is under way; undefined: it is lost. */
  readonly eventDelayMs?: () => number | undefined;
  readonly settings?: Partial<Settings>;
}

interface SimContainer {
  readonly instance: Instance & { readonly id: string };
  alive: boolean;
  startedAt?: number;
  exit?: { code: number; finishedAt: number; reason: string };
}

interface Happening {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

interface SimSandbox {
  readonly id: string;
  readonly attempt: number;
  ready: boolean;
}

const FIRST_MOMENT = Date.UTC(2026, 0, 1);

export class SimulatedNode {
  readonly pod: Pod;
  now = FIRST_MOMENT;
  /** Everything worth telling, in order: actions as they begin, processes as they start and end. */
  readonly story: string[] = [];
  readonly events: string[] = [];
  readonly statuses: V1PodStatus[] = [];
  /** Broken rules; must stay empty. */
  readonly faults: string[] = [];
  memory: Memory = blankMemory;
  forgotten = false;
  /** How many turns the agent has taken. */
  turns = 0;

  readonly #plan: Plan;
  readonly #settings: Settings;
  #sandboxes: SimSandbox[] = [];
  #containers: SimContainer[] = [];
  readonly #runs = new Map<string, number>();
  #agenda: Happening[] = [];
  #order = 0;
  #ids = 0;
  #observed: Observed = blankView;
  #underWay = new Set<string>();
  #incarnation = 0;
  #isDown = false;
  #lookAgainAt: number | undefined;

  constructor(pod: Pod, plan: Plan) {
    this.pod = pod;
    this.#plan = plan;
    this.#settings = { ...defaultSettings, ...plan.settings };
    this.#agentTurn();
  }

  /** Runs until nothing is left to happen, or for so much virtual time, or so many happenings. */
  run(limits: { forMs?: number; steps?: number } = {}): 'at rest' | 'out of time' | 'out of steps' {
    const end = this.now + (limits.forMs ?? 24 * 3_600_000);
    for (let step = 0; step < (limits.steps ?? 20_000); step++) {
      const next = this.#next();
      if (next === undefined) return 'at rest';
      if (next.at > end) {
        this.now = end;
        return 'out of time';
      }
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    return 'out of steps';
  }

  /** Something from outside, so much later. */
  after(ms: number, happens: () => void): void {
    this.#plot(ms, happens);
  }

  request(request: Request): void {
    this.#observed = { ...this.#observed, requests: [...this.#observed.requests, request] };
    this.#agentTurn();
  }

  /** The agent is killed and starts again `downMs` later, with what it saved. */
  crashAgent(downMs = 0): void {
    const incarnation = ++this.#incarnation;
    this.#isDown = true;
    this.#underWay = new Set();
    this.#lookAgainAt = undefined;
    this.#observed = blankView;
    this.story.push('the agent is killed');
    this.#plot(downMs, () => {
      if (incarnation !== this.#incarnation) return;
      this.#isDown = false;
      this.#look();
      this.#agentTurn();
    });
  }

  /** The machine loses power: every process is gone at once, and so is the agent. */
  crashMachine(): void {
    for (const container of this.#containers.filter(({ alive }) => alive)) {
      container.alive = false;
      container.exit = { code: 255, finishedAt: this.now, reason: 'Unknown' };
    }
    for (const sandbox of this.#sandboxes) sandbox.ready = false;
    this.story.push('the machine restarts');
    this.crashAgent(1_000);
  }

  get status(): V1PodStatus {
    const status = this.statuses.at(-1);
    if (status === undefined) throw new Error('the agent has not looked at the pod yet');
    return status;
  }

  get living(): readonly string[] {
    return this.#containers.filter(({ alive }) => alive).map(({ instance }) => instance.name);
  }

  get left(): readonly string[] {
    return [
      ...this.#sandboxes.map(({ id }) => id),
      ...this.#containers.map(({ instance }) => `${instance.name} ${instance.attempt}`),
    ];
  }

  get sandboxIds(): readonly string[] {
    return this.#sandboxes.map(({ id }) => id);
  }

  #next(): { at: number; run: () => void } | undefined {
    const soonest = this.#agenda.reduce<Happening | undefined>(
      (best, one) =>
        best === undefined || one.at < best.at || (one.at === best.at && one.order < best.order)
          ? one
          : best,
      undefined,
    );
    const lookAt = this.#lookAgainAt;
    if (lookAt !== undefined && (soonest === undefined || lookAt <= soonest.at)) {
      return {
        at: lookAt,
        run: () => {
          this.#agentTurn();
        },
      };
    }
    if (soonest !== undefined) this.#agenda = this.#agenda.filter((one) => one !== soonest);
    return soonest;
  }

  #plot(ms: number, run: () => void): void {
    this.#agenda.push({ at: this.now + ms, order: this.#order++, run });
  }

  // The agent.

  #agentTurn(): void {
    if (this.forgotten || this.#isDown) return;
    this.turns++;
    this.#lookAgainAt = undefined;
    const observed = deepFreeze({ ...this.#observed, busy: this.#underWay.size > 0 });
    const decision = decide(this.pod, observed, deepFreeze(this.memory), this.now, this.#settings);
    const again = decide(this.pod, observed, this.memory, this.now, this.#settings);
    if (JSON.stringify(decision) !== JSON.stringify(again)) {
      this.faults.push('the same look gave two decisions');
    }
    // What is saved is JSON; nothing else survives.
    this.memory = JSON.parse(JSON.stringify(decision.memory)) as Memory;
    this.#observed = { ...this.#observed, requests: [] };
    this.events.push(...decision.events.map(({ reason, message }) => `${reason}: ${message}`));
    for (const action of decision.actions) this.#begin(action);
    this.#publish();
    this.#lookAgainAt = decision.lookAgainAt;
    if (decision.lookAgainAt !== undefined && decision.lookAgainAt <= this.now) {
      this.#lookAgainAt = this.now + 1;
    }
  }

  #begin(action: Action): void {
    const words = inWords(action);
    if (this.#underWay.has(words)) return;
    this.#underWay.add(words);
    this.story.push(words);
    this.#observed = issued(this.#observed, action, this.memory.sandboxAttempt, this.now);
    const incarnation = this.#incarnation;
    const fails = this.#plan.fails?.(action) === true;
    const latency = this.#plan.latencyMs?.(action) ?? 1;
    // The runtime works half-way through the call; a killed agent does not undo it.
    this.#plot(latency / 2, () => {
      const outcome = fails ? undefined : this.#carryOut(action);
      this.#plot(latency / 2, () => {
        if (incarnation !== this.#incarnation) return;
        this.#underWay.delete(words);
        if (outcome === undefined) {
          const failure = { reason: 'Failed', message: 'it was made to fail' };
          this.#observed = failed(this.#observed, action, failure, this.now);
          this.#look();
        } else {
          this.#observed = succeeded(this.#observed, action, outcome, this.now);
        }
        this.#agentTurn();
      });
    });
  }

  #look(): void {
    const look = {
      sandboxes: this.#sandboxes
        .map(({ id, attempt, ready }) => ({ id, attempt, ready, ips: ready ? ['10.0.0.2'] : [] }))
        .toSorted((a, b) => b.attempt - a.attempt),
      instances: this.#containers.map(
        ({ instance, alive, startedAt, exit }): Instance => ({
          ...instance,
          state: alive ? 'running' : exit === undefined ? 'created' : 'exited',
          startedAt,
          exit,
        }),
      ),
    };
    this.#observed = looked(this.#observed, this.#observed, look);
    this.memory = adopt(this.pod, this.#observed, this.memory);
  }

  #publish(): void {
    const status = podStatus(this.pod, this.#observed, this.memory, this.#settings, { hostIPs: [] });
    const before = this.statuses.at(-1);
    if (JSON.stringify(status) === JSON.stringify(before)) return;
    this.statuses.push(status);
    this.#checkCounts(before, status);
  }

  #checkCounts(before: V1PodStatus | undefined, after: V1PodStatus): void {
    const all = (status: V1PodStatus) => [
      ...(status.initContainerStatuses ?? []),
      ...(status.containerStatuses ?? []),
    ];
    if (before === undefined) return;
    for (const { name, restartCount } of all(before)) {
      const now = all(after).find((one) => one.name === name)?.restartCount ?? -1;
      if (now < restartCount) this.faults.push(`the restart count of ${name} fell`);
    }
    const wasOver = before.phase === 'Succeeded' || before.phase === 'Failed';
    if (wasOver && after.phase !== before.phase) this.faults.push('a final phase changed');
  }

  // The runtime and the processes.

  #carryOut(action: Action): Outcome | undefined {
    switch (action.kind) {
      case 'lend':
        return {
          kind: 'lent',
          loan: { logDirectory: '/logs', cgroupParent: '/pod', volumes: {}, hostsFile: '/hosts' },
        };
      case 'run-sandbox':
        return this.#runSandbox(action.attempt);
      case 'create-container':
        return this.#create(action);
      case 'start-container':
        return this.#start(action.id);
      case 'stop-container':
        return this.#stop(action.id, action.graceSeconds);
      case 'kill-containers':
        for (const id of action.ids) this.#end(id, 137);
        return { kind: 'done' };
      case 'prove-gone':
        return action.ids.some((id) => this.#find(id)?.alive === true) ? undefined : { kind: 'done' };
      case 'remove-container':
        this.#end(action.id, 137);
        this.#containers = this.#containers.filter(({ instance }) => instance.id !== action.id);
        return { kind: 'done' };
      case 'stop-sandbox':
        return this.#stopSandbox(action.id);
      case 'remove-sandbox':
        this.#stopSandbox(action.id);
        this.#removeSandbox(action.id);
        return { kind: 'done' };
      case 'forget':
        if (this.left.length > 0) this.faults.push(`forgotten, but left: ${this.left.join(', ')}`);
        this.forgotten = true;
        return { kind: 'done' };
      default:
        return action satisfies never;
    }
  }

  #runSandbox(attempt: number): Outcome | undefined {
    if (this.#sandboxes.some((one) => one.attempt === attempt)) return undefined;
    if (this.living.length > 0) this.faults.push('a sandbox was made while containers live');
    const sandbox = { id: `sandbox-${attempt}`, attempt, ready: true };
    this.#sandboxes.push(sandbox);
    return { kind: 'sandbox', sandbox: { ...sandbox, ips: ['10.0.0.2'] } };
  }

  #create({ name, attempt, generation }: Action & { kind: 'create-container' }): Outcome | undefined {
    const sandbox = this.#sandboxes.find(({ ready }) => ready);
    const isTaken = this.#containers.some(
      ({ instance }) => instance.name === name && instance.attempt === attempt,
    );
    if (sandbox === undefined || isTaken) return undefined;
    const id = `c${this.#ids++}-${name}-${attempt}`;
    this.#containers.push({
      alive: false,
      instance: {
        id,
        name,
        attempt,
        generation,
        sandboxAttempt: sandbox.attempt,
        specHash: 'same',
        state: 'created',
        gone: false,
      },
    });
    return { kind: 'created', id, imageRef: 'image', specHash: 'same' };
  }

  #start(id: string): Outcome | undefined {
    const container = this.#find(id);
    if (container === undefined || container.alive || container.exit !== undefined) return undefined;
    const { name } = container.instance;
    const run = this.#runs.get(name) ?? 0;
    this.#runs.set(name, run + 1);
    const behaviour = this.#plan.behave(name, run);
    if (behaviour.cannotStart === true) {
      container.exit = { code: 128, finishedAt: this.now, reason: 'StartError' };
      return undefined;
    }
    this.#checkStart(container.instance);
    container.alive = true;
    container.startedAt = this.now;
    this.story.push(`${name} runs in generation ${container.instance.generation}`);
    if (behaviour.runsMs !== undefined) {
      this.#plot(behaviour.runsMs, () => {
        this.#end(id, behaviour.code ?? 0);
      });
    }
    return { kind: 'done' };
  }

  /** The promises: generations never overlap, and the order of the list holds. */
  #checkStart(instance: Instance): void {
    const { name, generation } = instance;
    for (const other of this.#containers.filter(({ alive }) => alive)) {
      if (other.instance.generation < generation) {
        this.faults.push(`${name} of ${generation} started while ${other.instance.name} of ${other.instance.generation} lived`);
      }
      if (other.instance.generation > generation) {
        this.faults.push(`${name} of ${generation} started in a later generation`);
      }
      if (other.instance.name === name) this.faults.push(`two of ${name} live`);
    }
    const order = containersOf(this.pod);
    const position = order.findIndex(({ container }) => container.name === name);
    const kind = order[position]?.kind;
    const hasRunHere = this.#containers.some(
      (one) =>
        one.instance.name === name &&
        one.instance.generation === generation &&
        one.instance.sandboxAttempt === instance.sandboxAttempt &&
        one.startedAt !== undefined,
    );
    // A later start of the same run is a restart of one container, which has no order.
    if (hasRunHere) return;
    for (const before of order.slice(0, position)) {
      if (before.kind === 'app' && kind === 'app') continue;
      if (!this.#wasThrough(before.container.name, before.kind, instance)) {
        this.faults.push(`${name} started before ${before.container.name} was through`);
      }
    }
  }

  #wasThrough(name: string, kind: string, { generation, sandboxAttempt }: Instance): boolean {
    return this.#everHere.some(
      (one) =>
        one.name === name &&
        one.generation === generation &&
        one.sandboxAttempt === sandboxAttempt &&
        (kind === 'sidecar' || one.code === 0),
    );
  }

  /** Processes that ran, also of containers that have been removed. */
  get #everHere(): readonly { name: string; generation: number; sandboxAttempt: number; code?: number }[] {
    const living = this.#containers
      .filter(({ startedAt }) => startedAt !== undefined)
      .map(({ instance, exit }) => ({ ...instance, code: exit?.code }));
    return [...this.#ended, ...living];
  }
  readonly #ended: { name: string; generation: number; sandboxAttempt: number; code: number }[] = [];

  #stop(id: string, graceSeconds: number): Outcome {
    const container = this.#find(id);
    if (container?.alive !== true) return { kind: 'done' };
    const run = (this.#runs.get(container.instance.name) ?? 1) - 1;
    const behaviour = this.#plan.behave(container.instance.name, run);
    if (behaviour.ignoresTerm !== true) this.#end(id, 143);
    else
      this.#plot(graceSeconds * 1000, () => {
        this.#end(id, 137);
      });
    return { kind: 'done' };
  }

  #stopSandbox(id: string): Outcome {
    const sandbox = this.#sandboxes.find((one) => one.id === id);
    if (sandbox === undefined) return { kind: 'done' };
    sandbox.ready = false;
    for (const { instance } of this.#containers) {
      if (instance.sandboxAttempt === sandbox.attempt) this.#end(instance.id, 137);
    }
    return { kind: 'done' };
  }

  #removeSandbox(id: string): void {
    const attempt = this.#sandboxes.find((one) => one.id === id)?.attempt;
    this.#sandboxes = this.#sandboxes.filter((one) => one.id !== id);
    this.#containers = this.#containers.filter(
      ({ instance }) => instance.sandboxAttempt !== attempt,
    );
  }

  /** The sandbox's own process dies. */
  killSandbox(): void {
    for (const sandbox of this.#sandboxes) {
      sandbox.ready = false;
      this.#observed = sandboxLost(this.#observed, sandbox.id);
    }
    this.#look();
    this.#agentTurn();
  }

  #end(id: string, code: number): void {
    const container = this.#find(id);
    if (container?.alive !== true) return;
    container.alive = false;
    const reason = code === 0 ? 'Completed' : 'Error';
    const exit = { code, finishedAt: this.now, reason };
    container.exit = exit;
    const { name, generation, sandboxAttempt } = container.instance;
    this.#ended.push({ name, generation, sandboxAttempt, code });
    this.story.push(`${name} of generation ${generation} ends with ${code}`);
    const incarnation = this.#incarnation;
    const delay = this.#plan.eventDelayMs ? this.#plan.eventDelayMs() : 1;
    if (delay === undefined) return;
    this.#plot(delay, () => {
      if (incarnation !== this.#incarnation || this.#isDown) return;
      this.#observed = exited(this.#observed, id, { ...exit, seenAt: this.now });
      this.#agentTurn();
    });
  }

  #find(id: string): SimContainer | undefined {
    return this.#containers.find(({ instance }) => instance.id === id);
  }
}

/** A decision that changed what it was given would throw. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
