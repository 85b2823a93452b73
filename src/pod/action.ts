/**
 * Every action there is. An action is a small value; agent/act.ts has one call for each kind.
 * Each may safely be done twice.
 */
import type { HookKind, ProbeKind } from './handler.ts';
import { EPHEMERAL_GENERATION } from './instances.ts';

export type Action =
  /** Set up what the node lends the pod: folders, volumes, cgroup. */
  | { readonly kind: 'lend' }
  | { readonly kind: 'run-sandbox'; readonly attempt: number }
  /** Make sure of the image and create the container; nothing runs yet. */
  | {
      readonly kind: 'create-container';
      readonly name: string;
      readonly attempt: number;
      readonly generation: number;
      /** Id of the container whose processes it is to see; absent: none. */
      readonly target?: string;
    }
  | { readonly kind: 'start-container'; readonly id: string; readonly name: string }
  /** Stop signal, wait, SIGKILL. */
  | {
      readonly kind: 'stop-container';
      readonly id: string;
      readonly name: string;
      readonly graceSeconds: number;
      /** Without the signal: it has got that. */
      readonly isSignalled?: boolean;
    }
  | {
      readonly kind: 'run-hook';
      readonly id: string;
      readonly name: string;
      readonly hook: HookKind;
    }
  | {
      readonly kind: 'probe-container';
      readonly id: string;
      readonly name: string;
      readonly probe: ProbeKind;
    }
  /** SIGKILL to every process of every one of these containers, at once. */
  | {
      readonly kind: 'kill-containers';
      readonly ids: readonly string[];
      /** Those of them that were killed before: the runtime has to do it, or to say why they live on. */
      readonly again?: readonly string[];
    }
  /** Check that no process is left in the cgroups of these exited containers. */
  | { readonly kind: 'prove-gone'; readonly ids: readonly string[] }
  /** See to it that nothing of generations below `before` has a device of the pod open. */
  | { readonly kind: 'free-devices'; readonly before: number }
  | { readonly kind: 'remove-container'; readonly id: string; readonly name: string }
  | { readonly kind: 'stop-sandbox'; readonly id: string }
  | { readonly kind: 'remove-sandbox'; readonly id: string }
  /** Take back everything the node lent, logs included, and forget the pod. */
  | { readonly kind: 'forget' };

/** An action in words: for logs and tests, and to tell whether the same one is already under way. */
export function inWords(action: Action): string {
  switch (action.kind) {
    case 'lend':
    case 'forget':
      return action.kind;
    case 'run-sandbox':
      return `run sandbox ${action.attempt}`;
    case 'create-container':
      return action.generation === EPHEMERAL_GENERATION
        ? `create ${action.name} ${action.attempt} beside all generations`
        : `create ${action.name} ${action.attempt} of generation ${action.generation}`;
    case 'start-container':
      return `start ${action.name} (${action.id})`;
    case 'stop-container':
      return `stop ${action.name} (${action.id}) within ${action.graceSeconds} s`;
    case 'run-hook':
      return `run ${action.hook} of ${action.name} (${action.id})`;
    case 'probe-container':
      return `probe ${action.probe} of ${action.name} (${action.id})`;
    case 'kill-containers':
      return `kill ${action.ids.join(' ')}`;
    case 'prove-gone':
      return `prove gone ${action.ids.join(' ')}`;
    case 'free-devices':
      return `free devices of generations before ${action.before}`;
    case 'remove-container':
      return `remove ${action.name} (${action.id})`;
    case 'stop-sandbox':
      return `stop sandbox ${action.id}`;
    case 'remove-sandbox':
      return `remove sandbox ${action.id}`;
    default:
      return action satisfies never;
  }
}

/** What an action is about: its failures are counted and its retries spaced under this name. */
export function subjectOf(action: Action): string {
  switch (action.kind) {
    // What is different at each try (a number, the time left) does not make it another subject.
    case 'create-container':
      return `create ${action.name}`;
    case 'run-sandbox':
      return 'run sandbox';
    case 'stop-container':
      return `stop ${action.name} (${action.id})`;
    case 'lend':
    case 'start-container':
    case 'run-hook':
    case 'probe-container':
    case 'kill-containers':
    case 'prove-gone':
    case 'free-devices':
    case 'remove-container':
    case 'stop-sandbox':
    case 'remove-sandbox':
    case 'forget':
      return inWords(action);
    default:
      return action satisfies never;
  }
}

type Visit = Action & { kind: 'run-hook' | 'probe-container' };

/** Whether an action is something at a running container: it makes nothing, and is over with it. */
export function isVisit(action: Action): action is Visit {
  return action.kind === 'run-hook' || action.kind === 'probe-container';
}
