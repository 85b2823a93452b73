/**
 * What can wait: removing instances that nothing needs any more, and creating standbys.
 * It happens only while nothing is on its way up or down.
 */
import type { Action } from './action.ts';
import { create } from './bring-up.ts';
import type { Decision, Look } from './decision.ts';
import { both, only } from './decision.ts';
import { holdBackRetries } from './hold-back.ts';
import { isMadeLast, lacksInputs } from './inputs.ts';
import {
  currentSandbox,
  hasRun,
  isAlive,
  isCurrent,
  isEphemeral,
  isUnused,
  preparedInstance,
} from './instances.ts';
import type { Memory, RestartUnderWay } from './memory.ts';
import type { Instance } from './observed.ts';
import type { Container } from './pod.ts';
import { containersOf } from './pod.ts';
import { hasRestartAllRule } from './restart-rules.ts';

/** A restart that takes longer than this has more to wait for than us. */
const LONG_RESTART_MS = 5_000;

/** Tidies up, unless something is on its way up that it would slow down. */
export function tidyWhenQuiet(look: Look, memory: Memory): Decision {
  const at = quietAt(memory.restart);
  if (look.now < at) return { ...only(memory), lookAgainAt: at };
  // The answer of a call under way leads back here by itself.
  const isUnderWay = look.observed.instances.some(
    (one) => (one.state === 'starting' || one.state === 'creating') && !isEphemeral(one),
  );
  return isUnderWay ? only(memory) : tidy(look, memory);
}

/**
 * Removes what is proven gone while the end of others is waited for, if that takes long: a pod that is
 * restarted again and again must not pile up what it has left.
 */
export function tidyProven(look: Look, memory: Memory): Decision {
  const at = quietAt(memory.restart);
  if (look.now < at) return { ...only(memory), lookAgainAt: at };
  const { actions } = removeAllBut(preparedOnes(look, memory), look, memory);
  return { ...only(memory), actions: actions.filter(({ kind }) => kind === 'remove-container') };
}

/** A restart whose start-up takes long, in init containers that work for minutes, is not disturbed by it. */
function quietAt(restart: RestartUnderWay | undefined): number {
  return restart === undefined ? 0 : restart.recordedAt + LONG_RESTART_MS;
}

function tidy(look: Look, memory: Memory): Decision {
  const removals = removeAllBut(preparedOnes(look, memory), look, memory);
  const chores = holdBackRetries(look, removals);
  return chores.actions.length > 0
    ? chores
    : both(chores, { ...only(memory), actions: standbys(look, memory) });
}

/** Removes every instance that has ended or never ran, but for the current ones and those kept. */
export function removeAllBut(kept: readonly Instance[], look: Look, memory: Memory): Decision {
  const { observed } = look;
  const leftOver = observed.instances.filter(
    (one) => !isCurrent(memory, one) && !kept.includes(one) && !(isAlive(one) && hasRun(one)),
  );
  // Sandboxes lost earlier go with all that is in them; the newest one stays.
  const oldSandboxes = observed.sandboxes.filter(
    ({ attempt }) =>
      attempt < memory.sandboxAttempt &&
      observed.instances.every((one) => one.sandboxAttempt !== attempt),
  );
  const actions = [
    ...leftOver.flatMap((one): Action[] => {
      const { id, name } = one;
      if (id === undefined) return [];
      // A removed container cannot be killed any more, so what it left behind has to end first.
      if (!isUnused(one) && !one.gone) return [{ kind: 'prove-gone', ids: [id] }];
      return [{ kind: 'remove-container', id, name }];
    }),
    ...oldSandboxes.map(({ id }): Action => ({ kind: 'remove-sandbox', id })),
  ];
  return { ...only(memory), actions };
}

function standbys(look: Look, memory: Memory): Decision['actions'] {
  const { pod, observed, settings } = look;
  if (!settings.standbys || !hasRestartAllRule(pod)) return [];
  if (!memory.initialized || memory.restart !== undefined) return [];
  if (currentSandbox(observed, memory)?.ready !== true) return [];
  const next = memory.generation + 1;
  const missing = containersOf(pod)
    .filter(({ container }) => mayBeStandby(container))
    .map(({ container }) => container.name)
    // What cannot be created now is not tried while nobody needs it.
    .filter((name) => !lacksInputs(observed, name) && !isMadeLast(pod, name))
    .find((name) => preparedInstance(observed, memory, name, next) === undefined);
  // One after the other: they are in no hurry, and the running pod needs the machine.
  return missing === undefined ? [] : [create(look, memory, missing, next)];
}

function preparedOnes({ pod, observed, settings }: Look, memory: Memory): Instance[] {
  const { generation: now } = memory;
  return containersOf(pod).flatMap(({ container }) =>
    (settings.standbys && mayBeStandby(container) ? [now, now + 1] : [now]).flatMap(
      (generation) => {
        const one = preparedInstance(observed, memory, container.name, generation);
        return one !== undefined && isUnused(one) ? [one] : [];
      },
    ),
  );
}

/** An image that is to be asked for at every start must not be that of the day of the start before. */
function mayBeStandby({ imagePullPolicy }: Container): boolean {
  return imagePullPolicy !== 'Always';
}
