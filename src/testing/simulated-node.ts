/**
 * A node under virtual time: runtime, processes and agent in one deterministic simulation.
 *
 * The runtime's part is the truth (simulated-runtime.ts); the agent's part is the real decision and
 * the real picture of agent/view.ts, fed by results and exit events with whatever delays the test
 * gives, as agent/worker.ts does it. The agent can be killed at any moment; what it saved is all it
 * keeps, and a call that it had begun may still take effect afterwards.
 */
import type { Outcome } from '../agent/view.ts';
import {
  blankView,
  exited,
  failed,
  issued,
  looked,
  objectsChanged,
  sandboxLost,
  succeeded,
} from '../agent/view.ts';
import type { Action } from '../pod/action.ts';
import { inWords, isVisit } from '../pod/action.ts';
import { adopt } from '../pod/adopt.ts';
import { decide } from '../pod/decide.ts';
import { lackingInputs } from '../pod/inputs.ts';
import type { Inputs } from '../pod/inputs.ts';
import { currentSandbox, isCurrent } from '../pod/instances.ts';
import type { Memory } from '../pod/memory.ts';
import { blankMemory } from '../pod/memory.ts';
import type { Exit, Observed, Request } from '../pod/observed.ts';
import { own } from '../pod/own.ts';
import type { EphemeralContainer, Pod } from '../pod/pod.ts';
import { findContainer } from '../pod/pod.ts';
import type { V1PodStatus } from '../pod/pod-status.ts';
import type { Settings } from '../pod/settings.ts';
import { defaultSettings } from '../pod/settings.ts';
import { podStatus } from '../pod/status.ts';
import { Agenda } from './agenda.ts';
import type { RuntimePlan } from './simulated-runtime.ts';
import { SimulatedRuntime } from './simulated-runtime.ts';

export type { Behaviour } from './simulated-runtime.ts';

export interface Plan extends RuntimePlan {
  /** How long the runtime takes for an action, in milliseconds. */
  readonly latencyMs?: (action: Action) => number;
  /** Whether an action fails this time, and why. */
  readonly fails?: (
    action: Action,
  ) => boolean | { readonly reason: string; readonly message: string };
  /** How long an exit event is under way; undefined: it is lost. */
  readonly eventDelayMs?: () => number | undefined;
  /** How long a full look takes; it shows what was there half-way. */
  readonly lookMs?: () => number;
  /** Whether a start takes effect though its caller has died; by default it is given up. */
  readonly landsLate?: () => boolean;
  readonly settings?: Partial<Settings>;
}

const FIRST_MOMENT = Date.UTC(2026, 0, 1);
/** As in agent/worker.ts: a full look happens at least this often. */
const LOOK_AGAIN_MS = 120_000;

export class SimulatedNode {
  pod: Pod;
  readonly runtime: SimulatedRuntime;
  /** Everything worth telling, in order: actions as they begin, processes as they start and end. */
  readonly story: string[] = [];
  /** The same, each with its time. */
  readonly transcript: string[] = [];
  readonly events: string[] = [];
  readonly statuses: V1PodStatus[] = [];
  /** Broken rules; must stay empty. */
  readonly faults: string[] = [];
  memory: Memory = blankMemory;
  forgotten = false;
  /** How many turns the agent has taken. */
  turns = 0;
  /** The most actions that were begun within one second. */
  busiestSecond = 0;

  readonly #plan: Plan;
  readonly #settings: Settings;
  readonly #agenda = new Agenda(FIRST_MOMENT);
  #observed: Observed = { ...blankView, since: FIRST_MOMENT };
  #underWay = new Set<string>();
  #visits = new Set<string>();
  #incarnation = 0;
  #boot = 0;
  #isDown = false;
  #isLooking = false;
  #lookDue = true;
  #lookedAt = FIRST_MOMENT;
  #lookAgainAt: number | undefined;
  #begun: number[] = [];
  #inputs: Inputs = {};

  constructor(pod: Pod, plan: Plan) {
    this.pod = pod;
    this.#plan = plan;
    this.#settings = { ...defaultSettings, ...plan.settings };
    this.runtime = new SimulatedRuntime(pod, plan, this.#agenda, {
      story: (line) => this.#tell(line),
      fault: (line) => this.faults.push(line),
      exit: (id, exit) => this.#exited(id, exit),
      generation: () => this.memory.generation,
      inputs: () => this.#inputs,
    });
    this.#agentTurn();
  }

  get now(): number {
    return this.#agenda.now;
  }

  /** Runs until nothing is left to happen, or for so much virtual time, or so many happenings. */
  run(limits: { forMs?: number; steps?: number } = {}): 'at rest' | 'out of time' | 'out of steps' {
    const end = this.now + (limits.forMs ?? 24 * 3_600_000);
    for (let step = 0; step < (limits.steps ?? 20_000); step++) {
      const { nextAt } = this.#agenda;
      const lookAt = this.#lookAgainAt ?? Infinity;
      const at = Math.min(nextAt ?? Infinity, lookAt);
      if (at === Infinity) return 'at rest';
      if (at > end) {
        this.#agenda.now = end;
        return 'out of time';
      }
      if (lookAt > at) this.#agenda.advance();
      else {
        this.#agenda.now = Math.max(this.now, lookAt);
        this.#agentTurn();
      }
    }
    return 'out of steps';
  }

  /** Something from outside, so much later. */
  after(ms: number, happens: () => void): void {
    this.#agenda.plot(ms, happens);
  }

  request(request: Request): void {
    this.#observed = { ...this.#observed, requests: [...this.#observed.requests, request] };
    this.#agentTurn();
  }

  /** Somebody adds an ephemeral container, if the agent is there to be asked. */
  debug(container: EphemeralContainer): void {
    if (this.#isDown || this.forgotten || findContainer(this.pod, container.name)) return;
    const { ephemeralContainers = [] } = this.pod.spec;
    const spec = { ...this.pod.spec, ephemeralContainers: [...ephemeralContainers, container] };
    this.pod = { ...this.pod, spec };
    this.#tell(`${container.name} is asked for`);
    this.#agentTurn();
  }

  /** Objects change; what containers take from them is this now, by container. */
  changeObjects(inputs: Inputs): void {
    this.#inputs = inputs;
    if (this.#isDown) this.#observed = { ...this.#observed, inputs };
    else this.#observed = objectsChanged(this.#observed, inputs);
    this.#agentTurn();
  }

  /** The agent is killed and starts again `downMs` later, with what it saved. */
  crashAgent(downMs = 0): void {
    const incarnation = ++this.#incarnation;
    this.#isDown = true;
    this.#isLooking = false;
    this.#underWay = new Set();
    this.#visits = new Set();
    this.#lookAgainAt = undefined;
    this.#observed = { ...blankView, since: this.now + downMs, inputs: this.#inputs };
    this.#tell('the agent is killed');
    this.#agenda.plot(downMs, () => {
      if (incarnation !== this.#incarnation) return;
      this.#isDown = false;
      this.#lookDue = true;
      this.#agentTurn();
    });
  }

  /** The machine loses power: every process is gone at once, and so is the agent. */
  crashMachine(): void {
    this.#boot++;
    this.runtime.crash();
    this.#tell('the machine restarts');
    this.crashAgent(1_000);
  }

  /** Events may have been missed. */
  lookAgain(): void {
    this.#lookDue = true;
    this.#agentTurn();
  }

  /** The sandbox's own process dies. */
  killSandbox(): void {
    for (const id of this.runtime.killSandbox()) {
      this.#observed = sandboxLost(this.#observed, id);
    }
    this.#lookDue = true;
    this.#agentTurn();
  }

  get status(): V1PodStatus {
    const status = this.statuses.at(-1);
    if (status === undefined) throw new Error('the agent has not looked at the pod yet');
    return status;
  }

  /** What the agent knows. */
  get observed(): Observed {
    return this.#observed;
  }

  get living(): readonly string[] {
    return this.runtime.living;
  }

  get left(): readonly string[] {
    return this.runtime.left;
  }

  get sandboxIds(): readonly string[] {
    return this.runtime.sandboxIds;
  }

  // The agent, as agent/worker.ts is.

  #agentTurn(): void {
    if (this.forgotten || this.#isDown || this.#isLooking) return;
    if (this.#lookDue) {
      this.#look();
      return;
    }
    this.turns++;
    const observed = deepFreeze({
      ...this.#observed,
      busy: this.#underWay.size > this.#visits.size,
    });
    const decision = decide(this.pod, observed, deepFreeze(this.memory), this.now, this.#settings);
    const again = decide(this.pod, observed, this.memory, this.now, this.#settings);
    const before = this.memory;
    // What is saved is JSON; nothing else survives.
    const saved = JSON.stringify(decision.memory);
    if (saved !== JSON.stringify(again.memory) || inOneLine(decision) !== inOneLine(again)) {
      this.faults.push('the same look gave two decisions');
    }
    this.memory = JSON.parse(saved) as Memory;
    this.#observed = { ...this.#observed, requests: [], probeResults: undefined };
    this.events.push(...decision.events.map(({ reason, message }) => `${reason}: ${message}`));
    for (const action of decision.actions) {
      this.#checkInputs(action, before);
      this.#begin(action);
    }
    this.#publish();
    this.#lookAgainAt = decision.lookAgainAt;
    if (decision.lookAgainAt !== undefined && decision.lookAgainAt <= this.now) {
      this.faults.push('to look again at once is to spin');
      this.#lookAgainAt = undefined;
    }
  }

  #tell(line: string): void {
    this.story.push(line);
    this.transcript.push(`${(this.now - FIRST_MOMENT) / 1000} s: ${line}`);
  }

  #begin(action: Action): void {
    const words = inWords(action);
    if (this.#underWay.has(words)) return;
    this.#checkBegin(action);
    if (action.kind === 'kill-containers' && this.#wasKilled(action.ids)) this.#lookDue = true;
    this.#underWay.add(words);
    if (isVisit(action)) this.#visits.add(words);
    this.#tell(words);
    const { sandboxAttempt } = this.memory;
    this.#observed = issued(this.#observed, action, sandboxAttempt, this.now);
    const [incarnation, boot] = [this.#incarnation, this.#boot];
    const failure = this.#lack(action) ?? this.#plan.fails?.(action) ?? false;
    const latency = this.#plan.latencyMs?.(action) ?? 1;
    // The runtime works half-way through the call; a killed agent does not undo it.
    this.#agenda.plot(latency / 2, () => {
      const isAbandoned = incarnation !== this.#incarnation;
      // What lands after that belongs to a pod nobody knows: the next start of an agent removes it.
      if (boot !== this.#boot || (this.forgotten && isAbandoned)) return;
      if (action.kind === 'start-container' && isAbandoned && this.#plan.landsLate?.() !== true) {
        this.runtime.abortStart(action.id);
        return;
      }
      const answered = (outcome: Outcome | undefined) => {
        this.#agenda.plot(latency / 2, () => {
          if (incarnation !== this.#incarnation) return;
          this.#answered(action, outcome, typeof failure === 'object' ? failure : undefined);
        });
      };
      if (failure !== false) {
        if (action.kind === 'stop-sandbox') this.runtime.failToStop(action.id);
        answered(undefined);
      } else this.runtime.carryOut(action, sandboxAttempt, answered);
    });
  }

  /** A container whose object is missing cannot be created. */
  #lack(action: Action): { readonly reason: string; readonly message: string } | undefined {
    if (action.kind !== 'create-container') return undefined;
    if (own(this.#inputs, action.name) !== lackingInputs) return undefined;
    return { reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' };
  }

  #answered(
    action: Action,
    outcome: Outcome | undefined,
    failure = { reason: 'Failed', message: 'it was made to fail' },
  ): void {
    this.#underWay.delete(inWords(action));
    this.#visits.delete(inWords(action));
    if (outcome === undefined) {
      this.#observed = failed(this.#observed, action, failure, this.now);
      this.#lookDue = true;
    } else {
      this.#observed = succeeded(this.#observed, action, outcome, this.now);
      if (action.kind === 'forget') this.forgotten = true;
      if (action.kind === 'stop-container' && !this.#hasExited(action.id)) this.#lookDue = true;
    }
    this.#agentTurn();
  }

  #look(): void {
    const before = this.#observed;
    const incarnation = this.#incarnation;
    const ms = this.#plan.lookMs?.() ?? 0;
    this.#lookDue = false;
    this.#isLooking = true;
    this.#lookAgainAt = undefined;
    this.#agenda.plot(ms / 2, () => {
      const look = this.runtime.look();
      this.#agenda.plot(ms / 2, () => {
        if (incarnation !== this.#incarnation) return;
        this.#isLooking = false;
        this.#lookedAt = this.now;
        this.#observed = looked(this.#observed, before, look);
        this.memory = adopt(this.pod, this.#observed, this.memory);
        this.#agentTurn();
      });
    });
  }

  #exited(id: string, exit: Exit): void {
    const incarnation = this.#incarnation;
    const delay = this.#plan.eventDelayMs ? this.#plan.eventDelayMs() : 1;
    if (delay === undefined) {
      this.#healByLooking();
      return;
    }
    this.#agenda.plot(delay, () => {
      if (incarnation !== this.#incarnation || this.#isDown) {
        // The first look of the next one may still see what was before the exit.
        this.#healByLooking();
        return;
      }
      this.#observed = exited(this.#observed, id, { ...exit, seenAt: this.now });
      this.#agentTurn();
    });
  }

  /** The look that comes now and then; played only where there is something for it to find. */
  #healByLooking(): void {
    const sinceLook = (this.now - this.#lookedAt) % LOOK_AGAIN_MS;
    this.#agenda.plot(LOOK_AGAIN_MS - sinceLook, () => {
      this.#lookDue = true;
      this.#agentTurn();
    });
  }

  #publish(): void {
    const status = podStatus(this.pod, this.#observed, this.memory, this.#settings, {
      hostIPs: [],
      handlers: {},
    });
    const before = this.statuses.at(-1);
    if (before !== undefined && JSON.stringify(status) === JSON.stringify(before)) return;
    this.statuses.push(status);
    if (before !== undefined) this.#checkStatus(before, status);
  }

  #checkStatus(before: V1PodStatus, after: V1PodStatus): void {
    const counts = new Map(containerStatuses(after).map((one) => [one.name, one.restartCount]));
    for (const { name, restartCount } of containerStatuses(before)) {
      if ((counts.get(name) ?? -1) < restartCount) {
        this.faults.push(`the restart count of ${name} fell`);
      }
    }
    const wasOver = before.phase === 'Succeeded' || before.phase === 'Failed';
    if (wasOver && after.phase !== before.phase) this.faults.push('a final phase changed');
    const isOver = after.phase === 'Succeeded' || after.phase === 'Failed';
    // Of a sandbox that a killed agent has asked for nobody may know.
    const known = this.#observed.sandboxes;
    if (isOver && !wasOver && known.some(({ id }) => this.runtime.hasNetwork(id))) {
      this.faults.push('the pod was over while its address was taken');
    }
    if (after.startTime !== before.startTime) this.faults.push('the start time changed');
  }

  /** What is chosen to be started was made from what the objects hold now. */
  #checkInputs(action: Action, before: Memory): void {
    if (action.kind !== 'start-container') return;
    const chosen = this.#observed.instances.find(({ id }) => id === action.id);
    if (chosen === undefined || isCurrent(before, chosen)) return;
    if (chosen.inputs !== own(this.#inputs, chosen.name)) {
      this.faults.push(`${inWords(action)} with what its objects held before`);
    }
  }

  #checkBegin(action: Action): void {
    this.#begun = [...this.#begun.filter((at) => at > this.now - 1_000), this.now];
    this.busiestSecond = Math.max(this.busiestSecond, this.#begun.length);
    if (action.kind !== 'create-container' && action.kind !== 'run-sandbox') return;
    if (this.#observed.loan === undefined) this.faults.push(`${inWords(action)} without a loan`);
    if (action.kind === 'run-sandbox') return;
    if (currentSandbox(this.#observed, this.memory)?.ready !== true) {
      this.faults.push(`${inWords(action)} without a sandbox`);
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
}

/** All container statuses of a pod in one list. */
export function containerStatuses(status: V1PodStatus) {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
}

function inOneLine({ actions, events, lookAgainAt }: ReturnType<typeof decide>): string {
  return JSON.stringify([actions, events, lookAgainAt]);
}

/** A decision that changed what it was given would throw. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
