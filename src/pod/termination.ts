/**
 * The way out: containers are stopped in order (stop.ts), then the sandbox, and a deleted pod leaves
 * nothing. Restart rules are ignored meanwhile.
 */
import type { Action } from './action.ts';
import type { Decision, Look } from './decision.ts';
import { both, only } from './decision.ts';
import { hasEnded, isAlive } from './instances.ts';
import type { Ending, Memory } from './memory.ts';
import type { Instance } from './observed.ts';
import { freeDevices } from './keep-devices.ts';
import { clear } from './restart-all.ts';
import { isStanding } from './sandbox.ts';
import { stopInOrder, tellStops } from './stop.ts';
import { removeAllBut } from './tidy.ts';

export function windDown(look: Look, memory: Memory, ending: Ending): Decision {
  const { observed, now } = look;
  const living = observed.instances.filter(isAlive);
  if (living.length > 0) {
    const told = tellStops(memory, living);
    const stop = ending.force
      ? { ...clear(living, now), memory: told.memory }
      : stopInOrder(look, told.memory, ending, living);
    return both(told, stop);
  }
  const unproven = unprovenIn(look);
  if (unproven.length > 0) return { ...clear(unproven, now), memory };

  // Somebody else may get them as soon as the pod is over.
  const freeing = freeDevices(look, memory.generation + 1);
  if (freeing.length > 0) return { ...only(memory), actions: freeing };

  const standing = observed.sandboxes.filter(isStanding);
  if (standing.length > 0) {
    return { ...only(memory), actions: standing.map(({ id }) => ({ kind: 'stop-sandbox', id })) };
  }
  return ending.deletedAt === undefined ? removeAllBut([], look, memory) : clearAway(look, memory);
}

/**
 * Whether no process of an ending pod can be left, nor have a device open, and its address and hostPorts
 * are free, so that its final phase may be told.
 */
export function isDown(look: Look, memory: Memory): boolean {
  const { observed } = look;
  return (
    !observed.busy &&
    !observed.sandboxes.some(isStanding) &&
    observed.instances.every((one) => !isAlive(one)) &&
    unprovenIn(look).length === 0 &&
    freeDevices(look, memory.generation + 1).length === 0
  );
}

/** Those that have ended, as it is told, while some of their processes may live on. */
function unprovenIn({ observed }: Look): readonly Instance[] {
  return observed.instances.filter((one) => hasEnded(one) && !one.gone);
}

function clearAway({ observed }: Look, memory: Memory): Decision {
  // A call that is still under way could make something new.
  if (observed.busy) return only(memory);
  const { sandboxes, instances } = observed;
  const attempts = new Set(sandboxes.map(({ attempt }) => attempt));
  // A sandbox takes its containers along; those of one that was lost are left.
  const orphans = instances.filter(({ sandboxAttempt }) => !attempts.has(sandboxAttempt));
  const actions: Action[] = [
    ...sandboxes.map(({ id }): Action => ({ kind: 'remove-sandbox', id })),
    ...orphans.flatMap(({ id, name }): Action[] =>
      id === undefined ? [] : [{ kind: 'remove-container', id, name }],
    ),
  ];
  return { ...only(memory), actions: actions.length > 0 ? actions : [{ kind: 'forget' }] };
}
