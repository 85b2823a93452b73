/**
 * The truth of a simulated node: which sandbox and container exists, which process lives.
 *
 * It behaves as containerd does where that matters: a stop answers when the container has ended, a
 * start needs a working sandbox, a name and attempt can be taken only once, and a full look may lag
 * behind. Every start of a process is checked against the rules that must never be broken.
 */
import type { FullLook, Outcome, ProbeFinding } from '../agent/view.ts';
import type { Action } from '../pod/action.ts';
import type { HookKind, ProbeKind } from '../pod/handler.ts';
import type { Inputs } from '../pod/inputs.ts';
import { isEphemeral } from '../pod/instances.ts';
import type { Exit, Instance } from '../pod/observed.ts';
import { own } from '../pod/own.ts';
import type { Pod } from '../pod/pod.ts';
import { containersOf } from '../pod/pod.ts';
import type { Agenda } from './agenda.ts';

/** What a process does: how long it runs before it exits with `code`; absent time: for ever. */
export interface Behaviour {
  readonly runsMs?: number;
  readonly code?: number;
  /** Does not end on SIGTERM. */
  readonly ignoresTerm?: boolean;
  /** How long it takes to end on SIGTERM. */
  readonly termMs?: number;
  /** What it ends with on SIGTERM; absent: 143. */
  readonly termCode?: number;
  /** Start fails: the container ends with 128, StartError. */
  readonly cannotStart?: boolean;
  /** Start fails in words that do not blame the container: it has no exit, and cannot be started any more. */
  readonly startIsGivenUp?: boolean;
  /** How many times SIGKILL has no effect: it hangs in the kernel. */
  readonly survivesKills?: number;
  /** How long its cgroup stays occupied after its end: children that hang in the kernel. */
  readonly lingersMs?: number;
}

/** What the runtime is told by a test, and what it tells. */
export interface RuntimePlan {
  /** What the n-th process (from 0) of a container does. */
  readonly behave: (name: string, run: number) => Behaviour;
  /** What a probe of the n-th process (from 0) of a container finds, so long after its start. */
  readonly probe?: (
    name: string,
    probe: ProbeKind,
    at: { readonly run: number; readonly ms: number },
  ) => ProbeFinding['outcome'];
  /** Whether a hook at the n-th process (from 0) of a container fails. */
  readonly hookFails?: (name: string, hook: HookKind, run: number) => boolean;
  /** How much longer a full look shows a process that has ended. */
  readonly lagMs?: number;
}

export interface Listener {
  readonly story: (line: string) => void;
  readonly fault: (line: string) => void;
  readonly exit: (id: string, exit: Exit) => void;
  /** What containers take from objects now. */
  readonly inputs: () => Inputs;
  /** The generation that the agent has saved. */
  readonly generation: () => number;
}

interface SimContainer {
  readonly instance: Instance & { readonly id: string };
  alive: boolean;
  kills: number;
  startedAt?: number;
  exit?: Exit;
  /** From when on a look shows the exit. */
  shownAt: number;
  isUnknown?: boolean;
  /** Its start was given up: it will never run. */
  isAborted: boolean;
  occupiedUntil: number;
  behaviour: Behaviour;
  /** Calls that wait for its end. */
  readonly onEnd: (() => void)[];
}

interface SimSandbox {
  readonly id: string;
  readonly attempt: number;
  ready: boolean;
  /** It outlives the sandbox's own process: only a stop takes it down. */
  hasNetwork: boolean;
}

/** A process that ran, or could not be started; also of a container that has been removed. */
interface Run {
  readonly id: string;
  readonly name: string;
  readonly generation: number;
  readonly sandboxAttempt: number;
  readonly couldNotStart?: boolean;
  code?: number;
}

type Answer = (outcome: Outcome | undefined) => void;

const done: Outcome = { kind: 'done' };

export class SimulatedRuntime {
  /** Every process there ever was, oldest first. */
  readonly runs: Run[] = [];
  /** How often each container was started, failed starts included. */
  readonly starts = new Map<string, number>();
  lastStartAt = 0;
  sandboxesMade = 0;

  readonly #pod: Pod;
  readonly #plan: RuntimePlan;
  readonly #agenda: Agenda;
  readonly #listener: Listener;
  #sandboxes: SimSandbox[] = [];
  readonly #attemptsMade = new Set<number>();
  #containers: SimContainer[] = [];
  #ids = 0;

  constructor(pod: Pod, plan: RuntimePlan, agenda: Agenda, listener: Listener) {
    this.#pod = pod;
    this.#plan = plan;
    this.#agenda = agenda;
    this.#listener = listener;
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

  look(): FullLook {
    return {
      sandboxes: this.#sandboxes
        .map(({ id, attempt, ready }) => ({ id, attempt, ready, ips: ready ? ['10.0.0.2'] : [] }))
        .toSorted((a, b) => b.attempt - a.attempt),
      instances: this.#containers.map((container): Instance => {
        const { instance, startedAt, exit, shownAt, isAborted, isUnknown } = container;
        if (isAborted) return { ...instance, state: 'aborted' };
        if (isUnknown === true && exit === undefined) return { ...instance, state: 'unknown' };
        const shown = exit !== undefined && shownAt <= this.#agenda.now;
        const state = shown ? 'exited' : startedAt === undefined ? 'created' : 'running';
        return { ...instance, state, startedAt, exit: shown ? exit : undefined };
      }),
    };
  }

  /** Does what the action says; answers undefined where it fails. Containers go into that sandbox. */
  carryOut(action: Action, sandboxAttempt: number, answer: Answer): void {
    switch (action.kind) {
      case 'lend':
        answer({
          kind: 'lent',
          loan: {
            logDirectory: '/logs',
            messageDirectory: '/messages',
            cgroupParent: '/pod',
            volumes: {},
            hostsFile: '/hosts',
            subPaths: '/sub-paths',
          },
        });
        return;
      case 'run-sandbox':
        answer(this.#runSandbox(action.attempt));
        return;
      case 'create-container':
        answer(this.#create(action, sandboxAttempt));
        return;
      case 'start-container':
        answer(this.#start(action.id));
        return;
      case 'stop-container':
        this.#stop(action.id, action.graceSeconds, answer);
        return;
      case 'kill-containers':
        answer({
          kind: 'killed',
          caught: action.ids.filter((id) => this.#find(id)?.alive === true),
        });
        for (const id of action.ids) this.#kill(id);
        return;
      case 'run-hook':
        answer(this.#runHook(action.id, action.hook));
        return;
      case 'probe-container':
        answer(this.#probe(action.id, action.probe));
        return;
      case 'prove-gone':
        answer(action.ids.some((id) => this.#isOccupied(this.#find(id))) ? undefined : done);
        return;
      case 'free-devices':
        answer(done);
        return;
      case 'remove-container':
        this.#remove(action.id);
        answer(done);
        return;
      case 'stop-sandbox':
        this.#stopSandbox(action.id);
        answer(done);
        return;
      case 'remove-sandbox':
        this.#stopSandbox(action.id);
        this.#removeSandbox(action.id);
        answer(done);
        return;
      case 'forget':
        // It looks once more: a call of an agent that was killed may have made something.
        answer(this.left.length > 0 ? undefined : done);
        return;
      default:
        action satisfies never;
    }
  }

  /** The sandbox's own process dies; its containers live on. */
  killSandbox(): readonly string[] {
    for (const sandbox of this.#sandboxes) sandbox.ready = false;
    return this.sandboxIds;
  }

  /** containerd ends the processes of a sandbox first, and then cannot take its network down. */
  failToStop(id: string): void {
    const sandbox = this.#sandboxes.find((one) => one.id === id);
    const had = sandbox?.hasNetwork === true;
    this.#stopSandbox(id);
    if (sandbox !== undefined) sandbox.hasNetwork = had;
  }

  hasNetwork(sandboxId: string): boolean {
    return this.#sandboxes.some(({ id, hasNetwork }) => id === sandboxId && hasNetwork);
  }

  /** Somebody else removes the containers of that name. */
  removeContainers(name: string): void {
    for (const { instance } of this.#containers)
      if (instance.name === name) this.#end(instance.id, 137);
    this.#containers = this.#containers.filter(({ instance }) => instance.name !== name);
  }

  /** The runtime forgets its sandboxes, but not what was in them. */
  loseSandboxes(): void {
    this.#sandboxes = [];
  }

  /** The runtime does not know any more whether the containers of that name run. */
  loseTrackOf(name: string): void {
    for (const one of this.#containers) if (one.instance.name === name) one.isUnknown = one.alive;
  }

  /** The machine loses power: every process is gone at once, and nobody saw it. */
  crash(): void {
    for (const container of this.#containers.filter(({ alive }) => alive)) {
      container.alive = false;
      container.exit = { code: 255, finishedAt: this.#agenda.now, reason: 'Unknown' };
      const run = this.runs.findLast(({ name }) => name === container.instance.name);
      if (run !== undefined) run.code = 255;
    }
    for (const container of this.#containers) {
      container.occupiedUntil = 0;
      container.onEnd.length = 0;
    }
    this.killSandbox();
  }

  #runSandbox(attempt: number): Outcome | undefined {
    // The runtime reserves the name when the call comes, so that of two calls one has failed long ago,
    // even if the sandbox of the other one is gone again.
    if (this.#attemptsMade.has(attempt)) return undefined;
    this.#attemptsMade.add(attempt);
    if (this.living.length > 0) this.#listener.fault('a sandbox was made while containers live');
    if (this.#sandboxes.some(({ ready }) => ready))
      this.#listener.fault('a second sandbox was made');
    if (this.#sandboxes.some(({ hasNetwork }) => hasNetwork))
      this.#listener.fault('a sandbox was made while another one has its network');
    const sandbox = { id: `sandbox-${attempt}`, attempt, ready: true };
    this.#sandboxes.push({ ...sandbox, hasNetwork: true });
    this.sandboxesMade++;
    return { kind: 'sandbox', sandbox: { ...sandbox, ips: ['10.0.0.2'] } };
  }

  #create(
    { name, attempt, generation, target }: Action & { kind: 'create-container' },
    sandboxAttempt: number,
  ): Outcome | undefined {
    const isTaken = this.#containers.some(
      ({ instance }) => instance.name === name && instance.attempt === attempt,
    );
    if (isTaken || !this.#isReady(sandboxAttempt)) return undefined;
    if (target !== undefined && this.#find(target)?.alive !== true) return undefined;
    const id = `c${this.#ids++}-${name}-${attempt}`;
    const specHash = 'same';
    const inputs = own(this.#listener.inputs(), name);
    const identity = { id, name, attempt, generation, sandboxAttempt, specHash, inputs, target };
    this.#containers.push({
      alive: false,
      kills: 0,
      shownAt: 0,
      isAborted: false,
      occupiedUntil: 0,
      behaviour: {},
      onEnd: [],
      instance: { ...identity, state: 'created', gone: false },
    });
    return { kind: 'created', id, imageRef: 'image', specHash, inputs };
  }

  /** The caller has gone away while it was being started: containerd gives it up. */
  abortStart(id: string): void {
    const container = this.#find(id);
    if (container === undefined || container.exit !== undefined || container.alive) return;
    container.isAborted = true;
    this.#listener.story(`the start of ${container.instance.name} is given up`);
  }

  #start(id: string): Outcome | undefined {
    const container = this.#find(id);
    if (container === undefined || container.alive || container.isAborted) return undefined;
    if (container.exit !== undefined) return undefined;
    const { instance } = container;
    if (!this.#isReady(instance.sandboxAttempt)) return undefined;
    const run = this.starts.get(instance.name) ?? 0;
    this.starts.set(instance.name, run + 1);
    this.lastStartAt = this.#agenda.now;
    const behaviour = this.#plan.behave(instance.name, run);
    const { name, generation, sandboxAttempt } = instance;
    if (behaviour.startIsGivenUp === true) {
      this.#listener.story(`the start of ${name} is given up`);
      container.isAborted = true;
      return undefined;
    }
    const hasLostTarget =
      instance.target !== undefined && this.#find(instance.target)?.alive !== true;
    if (behaviour.cannotStart === true || hasLostTarget) {
      this.runs.push({ id, name, generation, sandboxAttempt, couldNotStart: true, code: 128 });
      container.exit = {
        code: 128,
        finishedAt: this.#agenda.now,
        reason: 'StartError',
        message: 'it cannot be started',
      };
      return undefined;
    }
    this.#checkStart(instance);
    container.alive = true;
    container.startedAt = this.#agenda.now;
    container.behaviour = behaviour;
    this.runs.push({ id, name, generation, sandboxAttempt });
    this.#listener.story(`${name} runs ${inGeneration(generation)}`);
    if (behaviour.runsMs !== undefined) {
      this.#agenda.plot(behaviour.runsMs, () => this.#end(id, behaviour.code ?? 0));
    }
    return done;
  }

  /** The promises: generations never overlap, and the order of the list holds. */
  #checkStart({ name, generation, sandboxAttempt }: Instance): void {
    const { fault } = this.#listener;
    if (isEphemeral({ generation })) {
      if (this.starts.get(name) !== 1) fault(`${name} was started again`);
      return;
    }
    if (generation > this.#listener.generation()) fault(`${name} of ${generation} started ahead`);
    for (const one of this.#containers.filter((other) => this.#isOccupied(other))) {
      const { instance: other } = one;
      if (other.generation < generation) {
        fault(`${name} of ${generation} started while ${other.name} of ${other.generation} lived`);
      }
      if (other.generation > generation && !isEphemeral(other)) {
        fault(`${name} of ${generation} started in a later generation`);
      }
      if (other.name === name && one.alive) fault(`two of ${name} live`);
    }
    const inThisRun = this.runs.filter(
      (run) =>
        run.generation === generation &&
        run.sandboxAttempt === sandboxAttempt &&
        run.couldNotStart !== true,
    );
    // A later start of the same run is a restart of one container, which has no order.
    if (inThisRun.some((run) => run.name === name)) return;
    const order = containersOf(this.#pod);
    const position = order.findIndex(({ container }) => container.name === name);
    for (const { container, kind } of order.slice(0, position)) {
      if (kind === 'app') continue;
      const wasThrough = inThisRun.some(
        (run) => run.name === container.name && (kind === 'sidecar' || run.code === 0),
      );
      if (!wasThrough) fault(`${name} started before ${container.name} was through`);
    }
  }

  #runHook(id: string, hook: HookKind): Outcome {
    const container = this.#find(id);
    if (container?.alive !== true) {
      return { kind: 'hooked', outcome: 'failed', message: 'it does not run' };
    }
    const { name } = container.instance;
    const run = (this.starts.get(name) ?? 0) - 1;
    return this.#plan.hookFails?.(name, hook, run) === true
      ? { kind: 'hooked', outcome: 'failed', message: 'it was made to fail' }
      : { kind: 'hooked', outcome: 'done' };
  }

  #probe(id: string, probe: ProbeKind): Outcome {
    const container = this.#find(id);
    if (container?.alive !== true) {
      return { kind: 'probed', outcome: 'unknown', output: 'it does not run' };
    }
    const { name } = container.instance;
    const run = (this.starts.get(name) ?? 0) - 1;
    const ms = this.#agenda.now - (container.startedAt ?? 0);
    const outcome = this.#plan.probe?.(name, probe, { run, ms }) ?? 'success';
    return { kind: 'probed', outcome, output: `as ${name} does` };
  }

  #stop(id: string, graceSeconds: number, answer: Answer): void {
    const container = this.#find(id);
    if (container?.alive !== true) {
      answer(done);
      return;
    }
    const { behaviour, onEnd } = container;
    let isAnswered = false;
    const answerOnce: Answer = (outcome) => {
      if (!isAnswered) answer(outcome);
      isAnswered = true;
    };
    // The runtime answers when it knows of the end itself.
    onEnd.push(() => this.#agenda.plot(this.#plan.lagMs ?? 0, () => answerOnce(done)));
    const { ignoresTerm, termMs = 0, termCode = 143 } = behaviour;
    if (ignoresTerm !== true && termMs === 0) {
      this.#end(id, termCode);
      return;
    }
    if (ignoresTerm !== true) this.#agenda.plot(termMs, () => this.#end(id, termCode));
    this.#agenda.plot(graceSeconds * 1000, () => this.#kill(id));
    // The deadline of the call.
    this.#agenda.plot(graceSeconds * 1000 + 120_000, () => answerOnce(undefined));
  }

  #remove(id: string): void {
    const container = this.#find(id);
    if (container !== undefined && !container.alive && this.#isOccupied(container)) {
      this.#listener.fault(`${container.instance.name} was removed while processes of it are left`);
    }
    this.#end(id, 137);
    this.#containers = this.#containers.filter(({ instance }) => instance.id !== id);
  }

  #stopSandbox(id: string): void {
    const sandbox = this.#sandboxes.find((one) => one.id === id);
    if (sandbox === undefined) return;
    sandbox.ready = false;
    sandbox.hasNetwork = false;
    for (const { instance } of this.#containers) {
      if (instance.sandboxAttempt === sandbox.attempt) this.#end(instance.id, 137);
    }
  }

  #removeSandbox(id: string): void {
    const attempt = this.#sandboxes.find((one) => one.id === id)?.attempt;
    this.#sandboxes = this.#sandboxes.filter((one) => one.id !== id);
    this.#containers = this.#containers.filter(
      ({ instance }) => instance.sandboxAttempt !== attempt,
    );
  }

  #kill(id: string): void {
    const container = this.#find(id);
    if (container === undefined) return;
    if (container.kills++ >= (container.behaviour.survivesKills ?? 0)) this.#end(id, 137);
  }

  #end(id: string, code: number): void {
    const container = this.#find(id);
    if (container?.alive !== true) return;
    // The end of the first process of a namespace is the end of all others in it.
    for (const { instance } of this.#containers.filter((one) => one.instance.target === id))
      this.#end(instance.id, 137);
    const { now } = this.#agenda;
    container.alive = false;
    container.shownAt = now + (this.#plan.lagMs ?? 0);
    container.occupiedUntil = now + (container.behaviour.lingersMs ?? 0);
    const exit = { code, finishedAt: now, reason: code === 0 ? 'Completed' : 'Error' };
    container.exit = exit;
    const { name, generation } = container.instance;
    const run = this.runs.findLast((one) => one.name === name);
    if (run !== undefined) run.code = code;
    const whose = isEphemeral({ generation }) ? '' : ` of generation ${generation}`;
    this.#listener.story(`${name}${whose} ends with ${code}`);
    this.#listener.exit(id, exit);
    for (const answer of container.onEnd.splice(0)) answer();
  }

  #isOccupied(container: SimContainer | undefined): boolean {
    return (
      container !== undefined && (container.alive || container.occupiedUntil > this.#agenda.now)
    );
  }

  #isReady(sandboxAttempt: number): boolean {
    return this.#sandboxes.some(({ attempt, ready }) => attempt === sandboxAttempt && ready);
  }

  #find(id: string): SimContainer | undefined {
    return this.#containers.find(({ instance }) => instance.id === id);
  }
}

function inGeneration(generation: number): string {
  return isEphemeral({ generation }) ? 'beside all generations' : `in generation ${generation}`;
}
