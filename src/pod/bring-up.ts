/**
 * How one container comes up: an instance is created, then started; if one was prepared ahead,
 * it only has to be started.
 */
import { abortsUpTo } from './aborted.ts';
import type { Action } from './action.ts';
import { restartVerdict } from './backoff.ts';
import type { Decision, Look } from './decision.ts';
import { both, earlier, only } from './decision.ts';
import {
  currentInstance,
  currentSandbox,
  inThisRun,
  nextAttempt,
  preparedInstance,
} from './instances.ts';
import { isMadeLast, lacksInputs } from './inputs.ts';
import type { Backoff, ContainerMemory, Memory } from './memory.ts';
import type { Instance } from './observed.ts';
import { originOf } from './origin.ts';
import { own } from './own.ts';
import type { Pod } from './pod.ts';
import { containersOf } from './pod.ts';
import { hasStartFailed } from './restart-rules.ts';

/**
 * How long a failed start is shown as what it is, before the wait for the next one. Under the kubelet
 * the two follow from two looks at the pod; tools wait for either of them.
 */
const SHOWN_AS_FAILURE_MS = 1_000;

/** Starts a container that is due now, creating it first where nothing was prepared. */
export function bringUp(look: Look, memory: Memory, name: string, backoff?: Backoff): Decision {
  const { generation } = memory;
  const prepared = preparedInstance(look.observed, memory, name, generation);
  if (prepared === undefined) {
    return { ...only(memory), actions: [create(look, memory, name, generation)] };
  }
  if (prepared.id === undefined) return only(memory);
  const next = nextRun(look, memory, prepared, backoff);
  return {
    memory: { ...memory, containers: { ...memory.containers, [name]: next } },
    actions: [{ kind: 'start-container', id: prepared.id, name }],
    events: [],
  };
}

/** Starts a container again that has exited, when its back-off allows. */
export function bringUpAgain(look: Look, memory: Memory, name: string): Decision {
  const known = own(memory.containers, name);
  if (known?.exit === undefined) return bringUp(look, memory, name);
  const verdict = restartVerdict(known, look.now, look.settings.containerBackoffMaxMs);
  if (verdict.kind === 'go') return bringUp(look, memory, name, verdict.backoff);

  const actions = createAhead(look, memory, name);
  const lookAgainAt = verdict.until;
  if (known.backoffReported === true) return { ...only(memory), actions, lookAgainAt };
  const tellAt = (known.exit.finishedAt ?? 0) + SHOWN_AS_FAILURE_MS;
  if (hasStartFailed(known) && look.now < tellAt) {
    return { ...only(memory), actions, lookAgainAt: earlier(lookAgainAt, tellAt) };
  }
  return {
    memory: {
      ...memory,
      containers: { ...memory.containers, [name]: { ...known, backoffReported: true } },
    },
    actions,
    events: [
      {
        type: 'Warning',
        reason: 'BackOff',
        message: `Back-off restarting failed container ${name} in pod ${podInWords(look.pod)}`,
        container: name,
      },
    ],
    lookAgainAt,
  };
}

/** While a container waits for its next run, that is created; unless its image is to be asked for then. */
function createAhead(look: Look, memory: Memory, name: string): readonly Action[] {
  const { pod, observed, settings } = look;
  const container = containersOf(pod).find((one) => one.container.name === name)?.container;
  if (!settings.standbys || container?.imagePullPolicy === 'Always') return [];
  // Its failure would be shown in the place of the back-off.
  if (lacksInputs(observed, name) || isMadeLast(pod, name)) return [];
  return preparedInstance(observed, memory, name, memory.generation) === undefined
    ? [create(look, memory, name, memory.generation)]
    : [];
}

/**
 * Creates the containers of the current generation that have not been created yet, without starting
 * any. What they need may be missing (after a crash, a lost sandbox): then they come in their turn.
 */
export function bringAhead(look: Look, memory: Memory): Decision {
  const { observed } = look;
  const isPossible =
    observed.loan !== undefined && currentSandbox(observed, memory)?.ready === true;
  if (!isPossible) return only(memory);
  return containersOf(look.pod).reduce<Decision>((sofar, { container: { name } }) => {
    const isNotDue =
      isMadeLast(look.pod, name) ||
      inThisRun(memory, name) !== undefined ||
      preparedInstance(observed, memory, name, memory.generation) !== undefined;
    const actions = isNotDue ? [] : [create(look, memory, name, memory.generation)];
    return both(sofar, { ...only(sofar.memory), actions });
  }, only(memory));
}

/** `name_namespace(uid)`, as the kubelet's messages have it. */
export function podInWords({ metadata }: Pod): string {
  return `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
}

/** The action that creates the next instance of a container for `generation`. */
export function create(look: Look, memory: Memory, name: string, generation: number): Action {
  const attempt = nextAttempt(look.observed, memory, name);
  return { kind: 'create-container', name, attempt, generation };
}

function nextRun(
  { observed }: Look,
  memory: Memory,
  instance: Instance,
  backoff?: Backoff,
): ContainerMemory {
  const before = own(memory.containers, instance.name);
  const ran = before?.startedAt !== undefined || before?.exit !== undefined;
  return {
    attempt: instance.attempt,
    generation: memory.generation,
    sandboxAttempt: memory.sandboxAttempt,
    containerId: instance.id,
    ...originOf(instance),
    restartCount: (before?.restartCount ?? 0) + (ran ? 1 : 0),
    lastExit: before?.exit ?? before?.lastExit,
    backoff: backoff ?? before?.backoff,
    aborts: abortsUpTo(observed, before, currentInstance(observed, memory, instance.name)),
  };
}
