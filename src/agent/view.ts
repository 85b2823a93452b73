/**
 * What a worker knows of its pod between two full looks: every action it issued, every result and
 * every exit changes the picture at once, so that nothing has to be asked twice.
 *
 * Pure; the picture is the `Observed` that the decision is made from. An exit is final: no later
 * news about the same container overrides it, as the runtime's own view lags behind its events.
 */
import type { Action } from '../pod/action.ts';
import { subjectOf } from '../pod/action.ts';
import { countOf } from '../pod/backoff.ts';
import type { Inputs } from '../pod/inputs.ts';
import type { Loan } from '../pod/loan.ts';
import type {
  Exit,
  Failure,
  HookRun,
  Instance,
  InstanceState,
  Observed,
  ObservedSandbox,
  ProbeResult,
} from '../pod/observed.ts';
import { originOf, settledOrigin } from '../pod/origin.ts';
import type { Origin } from '../pod/origin.ts';
import { OOM_KILLED } from '../pod/restart-rules.ts';

/** What performing an action brought, beyond that it succeeded. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'lent'; readonly loan: Loan }
  /** Whose first process was in its cgroup when all of that got SIGKILL, by container id. */
  | { readonly kind: 'killed'; readonly caught: readonly string[] }
  | { readonly kind: 'sandbox'; readonly sandbox: ObservedSandbox }
  | (Origin & {
      readonly kind: 'created';
      readonly id: string;
      readonly specHash: string;
      readonly surroundings?: string;
      readonly inputs?: string;
    })
  /** It would be made otherwise now, and was removed instead of started. */
  | { readonly kind: 'outdated' }
  | ({ readonly kind: 'hooked' } & Pick<HookRun, 'message'> & {
        readonly outcome: 'done' | 'failed';
      })
  | ({ readonly kind: 'probed' } & ProbeFinding);

/** What the runtime tells of a container's start. */
export interface Start {
  /** In milliseconds since 1970. */
  readonly startedAt: number;
  /** Of its first process. */
  readonly pid: number;
}

/** What a probe has found, when it came to that. */
export type ProbeFinding = Pick<ProbeResult, 'outcome' | 'output'>;

/** One full look at the runtime. */
export interface FullLook {
  readonly sandboxes: readonly ObservedSandbox[];
  readonly instances: readonly Instance[];
}

/** Longer than any wait for a retry: an older failure has nothing to say any more. */
const FORGET_FAILURE_MS = 600_000;

/** A picture of a pod nothing is known of yet. */
export const blankView: Observed = {
  sandboxes: [],
  instances: [],
  failures: {},
  requests: [],
  busy: false,
};

/** The picture when an action has been issued. */
export function issued(
  view: Observed,
  action: Action,
  sandboxAttempt: number,
  now: number,
): Observed {
  switch (action.kind) {
    case 'create-container': {
      const { name, attempt, generation, target } = action;
      const placeholder: Instance = {
        name,
        attempt,
        generation,
        sandboxAttempt,
        specHash: '',
        ...(target !== undefined && { target }),
        state: 'creating',
        createAskedAt: now,
        gone: false,
      };
      return { ...view, instances: [...view.instances, placeholder] };
    }
    case 'start-container':
      return withInstance(view, action.id, (one) => ({
        ...one,
        state: 'starting',
        startAskedAt: now,
      }));
    case 'stop-container':
      return withInstance(view, action.id, (one) => ({
        ...one,
        stopBy: now + action.graceSeconds * 1000,
      }));
    case 'run-hook':
      return withHook(view, action, { begunAt: now });
    case 'probe-container':
      return withInstance(view, action.id, (one) => ({
        ...one,
        probes: { ...one.probes, [action.probe]: { begunAt: now, isUnderWay: true } },
      }));
    case 'kill-containers':
      return action.ids.reduce(
        (sofar, id) => withInstance(sofar, id, (one) => ({ ...one, killedAt: now })),
        view,
      );
    case 'lend':
      return { ...view, hasStaleVolumes: undefined };
    case 'run-sandbox':
    case 'prove-gone':
    case 'free-devices':
    case 'remove-container':
    case 'stop-sandbox':
    case 'remove-sandbox':
    case 'forget':
      return view;
    default:
      return action satisfies never;
  }
}

/** The picture when the runtime is asked for a start that was issued before. */
export function asked(view: Observed, containerId: string, now: number): Observed {
  return withInstance(view, containerId, (one) => ({ ...one, startAskedAt: now }));
}

/** The picture when an action that takes its time says how far it is. */
export function progressed(view: Observed, action: Action, progress: string): Observed {
  if (action.kind !== 'create-container') return view;
  return {
    ...view,
    instances: view.instances.map((one) =>
      isPlaceholderOf(one, action) ? { ...one, progress } : one,
    ),
  };
}

/** The picture when an action has succeeded. */
export function succeeded(view: Observed, action: Action, outcome: Outcome, now: number): Observed {
  const { [subjectOf(action)]: _, ...failures } = view.failures;
  const next = { ...view, failures };
  switch (action.kind) {
    case 'lend':
      return outcome.kind === 'lent' ? { ...next, loan: outcome.loan } : next;
    case 'run-sandbox':
      return outcome.kind === 'sandbox' ? withSandbox(next, outcome.sandbox) : next;
    case 'create-container':
      return {
        ...next,
        instances: next.instances.map((one) =>
          outcome.kind === 'created' && isPlaceholderOf(one, action)
            ? {
                ...one,
                ...createdFacts(outcome),
                state: 'created',
                createdAt: now,
                progress: undefined,
              }
            : one,
        ),
      };
    case 'start-container':
      if (outcome.kind === 'outdated') return without(next, action.id);
      return withInstance(next, action.id, (one) => ({
        ...one,
        state: one.exit === undefined ? 'running' : one.state,
        startedAt: one.startedAt ?? Math.min(now, one.exit?.finishedAt ?? now),
      }));
    case 'run-hook':
      if (outcome.kind !== 'hooked') return next;
      return withHook(next, action, {
        outcome: outcome.outcome,
        message: outcome.message,
        endedAt: now,
      });
    case 'probe-container': {
      const { id, name, probe } = action;
      const over = probeOver(next, action);
      if (outcome.kind !== 'probed') return over;
      const result = { id, name, probe, outcome: outcome.outcome, output: outcome.output };
      return { ...over, probeResults: [...(over.probeResults ?? []), result] };
    }
    case 'prove-gone':
      return action.ids.reduce(
        (sofar, id) => withInstance(sofar, id, (one) => ({ ...one, gone: true })),
        next,
      );
    case 'free-devices':
      return { ...next, devicesFree: action.before };
    case 'remove-container':
      return without(next, action.id);
    case 'stop-sandbox':
      return withSandboxChange(next, action.id, { ready: false, isStopped: true });
    case 'remove-sandbox': {
      const attempt = next.sandboxes.find(({ id }) => id === action.id)?.attempt;
      return {
        ...next,
        sandboxes: next.sandboxes.filter(({ id }) => id !== action.id),
        instances: next.instances.filter((one) => one.sandboxAttempt !== attempt),
      };
    }
    case 'kill-containers': {
      const caught = outcome.kind === 'killed' ? outcome.caught : [];
      return caught.reduce(
        (sofar, id) => withInstance(sofar, id, (one) => ({ ...one, isCaught: true })),
        next,
      );
    }
    case 'stop-container':
    case 'forget':
      return next;
    default:
      return action satisfies never;
  }
}

/** What is said of a failure; `at` and `count` only if it is an earlier one that is met again. */
export type Reported = Omit<Failure, 'at' | 'count'> & Partial<Failure>;

/** The picture when an action has failed. */
export function failed(view: Observed, action: Action, failure: Reported, now: number): Observed {
  const subject = subjectOf(action);
  const recent = Object.fromEntries(
    Object.entries(view.failures).filter(([, { at }]) => now - at <= FORGET_FAILURE_MS),
  );
  const count = countOf(recent[subject], failure);
  const next = { ...view, failures: { ...recent, [subject]: { at: now, count, ...failure } } };
  switch (action.kind) {
    case 'create-container':
      return { ...next, instances: next.instances.filter((one) => !isPlaceholderOf(one, action)) };
    case 'start-container':
      return withInstance(next, action.id, (one) =>
        one.state === 'starting' ? { ...one, state: 'created' } : one,
      );
    case 'stop-container':
      return withInstance(next, action.id, (one) => ({ ...one, stopBy: undefined }));
    case 'run-hook':
      return withHook(next, action, {
        outcome: 'failed',
        message: failure.message,
        endedAt: now,
      });
    case 'probe-container':
      return probeOver(next, action);
    case 'lend':
      // What it lacked may have come while it looked elsewhere: it is tried again at once.
      if (view.hasStaleVolumes === true) return view;
      return { ...next, hasStaleVolumes: next.loan === undefined ? undefined : true };
    case 'run-sandbox':
    case 'kill-containers':
    case 'prove-gone':
    case 'free-devices':
    case 'remove-container':
    case 'stop-sandbox':
    case 'remove-sandbox':
    case 'forget':
      return next;
    default:
      return action satisfies never;
  }
}

/** The picture when the first process of a container runs. */
export function started(view: Observed, containerId: string, start: Start): Observed {
  const { startedAt, pid } = start;
  return withInstance(view, containerId, (one) => ({
    ...one,
    pid,
    // It may have been asked for by an agent that was killed: then it is not even `starting`.
    state: furthest(one.state, 'running'),
    startedAt: one.startedAt ?? startedAt,
  }));
}

/** The picture when a container has got its stop signal. */
export function signalled(view: Observed, containerId: string): Observed {
  return withInstance(view, containerId, (one) => ({ ...one, isSignalled: true }));
}

/** The picture after the exit of a container of the pod. */
export function exited(view: Observed, containerId: string, exit: Exit): Observed {
  return withInstance(view, containerId, (one) =>
    one.exit === undefined ? { ...one, state: 'exited', exit } : one,
  );
}

/** The picture when a container's message has been found, later than its exit. */
export function spoke(view: Observed, containerId: string, message: string): Observed {
  return withInstance(view, containerId, (one) =>
    one.exit === undefined || one.exit.message !== undefined
      ? one
      : { ...one, exit: { ...one.exit, message } },
  );
}

/** The picture when it is told that a container ran out of memory, later than that it has ended. */
export function ranOutOfMemory(view: Observed, containerId: string): Observed {
  return withInstance(view, containerId, (one) =>
    one.exit === undefined ? one : { ...one, exit: { ...one.exit, reason: OOM_KILLED } },
  );
}

/** Waiting reasons of a pod that lacks an object, or something in it. */
const lackReasons: ReadonlySet<string> = new Set(['FailedMount', 'CreateContainerConfigError']);

/** The picture when objects have changed that the pod refers to; what failed for them is tried again. */
export function objectsChanged(view: Observed, inputs: Inputs): Observed {
  const failures = Object.entries(view.failures).filter(
    ([, { reason }]) => !lackReasons.has(reason),
  );
  return { ...view, hasStaleVolumes: true, inputs, failures: Object.fromEntries(failures) };
}

/** Waiting reasons of a pod whose image is for others, as far as its credentials tell. */
const pullReasons: ReadonlySet<string> = new Set(['ErrImagePull', 'ErrImageNeverPull']);

/** The picture when a Secret with credentials has come or changed: what failed for want of it is tried again. */
export function pullSecretChanged(view: Observed): Observed {
  const failures = Object.entries(view.failures).filter(
    ([, { reason }]) => !pullReasons.has(reason),
  );
  return { ...view, failures: Object.fromEntries(failures) };
}

/** The picture after the death of a sandbox's own process. */
export function sandboxLost(view: Observed, sandboxId: string): Observed {
  return withSandboxChange(view, sandboxId, { ready: false });
}

/**
 * The picture after a full look. `before` is the picture when the look began: what was added since is
 * not in the look and stays; what was removed since is in it and stays away.
 */
export function looked(view: Observed, before: Observed, look: FullLook): Observed {
  const wasRemoved = (id: string | undefined): boolean =>
    before.instances.some((one) => one.id === id) && !view.instances.some((one) => one.id === id);
  const found = look.instances
    .filter(({ id }) => !wasRemoved(id))
    .map((one) =>
      merged(
        view.instances.find((known) => isSame(known, one)),
        one,
      ),
    );
  const stayed = view.instances.filter(
    (one) =>
      !look.instances.some((other) => isSame(one, other)) &&
      (one.state === 'creating' || !before.instances.some(({ id }) => id === one.id)),
  );
  return {
    ...view,
    sandboxes: lookedAtSandboxes(view.sandboxes, before.sandboxes, look.sandboxes),
    instances: [...found, ...stayed],
  };
}

function lookedAtSandboxes(
  view: readonly ObservedSandbox[],
  before: readonly ObservedSandbox[],
  look: readonly ObservedSandbox[],
): ObservedSandbox[] {
  const added = view.filter(({ id }) => ![...before, ...look].some((one) => one.id === id));
  const found = look.flatMap((seen) => {
    const [then, now] = [before, view].map((all) => all.find(({ id }) => id === seen.id));
    if (then !== undefined && now === undefined) return [];
    // No sandbox ever comes back to life, but containerd (2.1 most of all) goes on calling it ready
    // for some milliseconds after it has told its exit: the look after an exit may be that early.
    const ready = seen.ready && now?.ready !== false;
    // What has lost its network by itself looks the same: only we know.
    return { ...seen, ready, ...(now?.isStopped === true && { isStopped: true }) };
  });
  return [...added, ...found];
}

/** What is known stays; only that it ran out of memory may be learned later. */
function mergedExit(known: Exit | undefined, seen: Exit | undefined): Exit | undefined {
  if (known === undefined || seen?.reason !== OOM_KILLED) return known ?? seen;
  return { ...known, reason: OOM_KILLED };
}

function merged(known: Instance | undefined, seen: Instance): Instance {
  if (known === undefined) return seen;
  return {
    ...seen,
    ...settledOrigin(known, seen),
    state: furthest(known.state, seen.state),
    exit: mergedExit(known.exit, seen.exit),
    createAskedAt: known.createAskedAt,
    createdAt: known.createdAt ?? seen.createdAt,
    startAskedAt: known.startAskedAt,
    startedAt: known.startedAt ?? seen.startedAt,
    pid: known.pid,
    isCaught: known.isCaught,
    gone: known.gone,
    stopBy: known.stopBy,
    isSignalled: known.isSignalled,
    killedAt: known.killedAt,
    hooks: known.hooks,
    probes: known.probes,
  };
}

/** A container goes through its states in one direction only: what says otherwise is old. */
function furthest(known: InstanceState, seen: InstanceState): InstanceState {
  return WAY[seen] < WAY[known] ? known : seen;
}

const WAY: Readonly<Record<InstanceState, number>> = {
  creating: 0,
  created: 1,
  starting: 2,
  running: 3,
  unknown: 3,
  aborted: 4,
  exited: 4,
};

function isSame(a: Instance, b: Instance): boolean {
  if (a.id !== undefined && b.id !== undefined) return a.id === b.id;
  return a.name === b.name && a.attempt === b.attempt;
}

function without(view: Observed, containerId: string): Observed {
  return { ...view, instances: view.instances.filter(({ id }) => id !== containerId) };
}

function isPlaceholderOf(one: Instance, action: Action & { kind: 'create-container' }): boolean {
  return one.id === undefined && one.name === action.name && one.attempt === action.attempt;
}

function createdFacts(created: Outcome & { kind: 'created' }) {
  const { id, specHash, surroundings, inputs } = created;
  return {
    id,
    ...originOf(created),
    specHash,
    ...(surroundings !== undefined && { surroundings }),
    ...(inputs !== undefined && { inputs }),
  };
}

function withHook(
  view: Observed,
  { id, hook }: Action & { kind: 'run-hook' },
  change: Partial<HookRun>,
): Observed {
  return withInstance(view, id, (one) => {
    const run = { begunAt: 0, ...one.hooks?.[hook], ...change };
    return { ...one, hooks: { ...one.hooks, [hook]: run } };
  });
}

function probeOver(view: Observed, { id, probe }: Action & { kind: 'probe-container' }): Observed {
  return withInstance(view, id, (one) => {
    const run = one.probes?.[probe];
    if (run === undefined) return one;
    return { ...one, probes: { ...one.probes, [probe]: { ...run, isUnderWay: false } } };
  });
}

function withInstance(view: Observed, id: string, change: (one: Instance) => Instance): Observed {
  return {
    ...view,
    instances: view.instances.map((one) => (one.id === id ? change(one) : one)),
  };
}

function withSandbox(view: Observed, sandbox: ObservedSandbox): Observed {
  const others = view.sandboxes.filter(({ id }) => id !== sandbox.id);
  return { ...view, sandboxes: [sandbox, ...others] };
}

function withSandboxChange(view: Observed, id: string, change: Partial<ObservedSandbox>): Observed {
  const sandboxes = view.sandboxes.map((one) => (one.id === id ? { ...one, ...change } : one));
  return { ...view, sandboxes };
}
