/**
 * Makes sense of containers that the memory knows nothing of: its file was lost (a power cut, a
 * user's `rm`), yet the runtime still has the pod. What was running goes on; nothing starts twice.
 */
import type { ContainerMemory, Memory } from './memory.ts';
import type { Instance, Observed } from './observed.ts';
import { hasRun, isEphemeral } from './instances.ts';
import { originOf } from './origin.ts';
import { own } from './own.ts';
import type { Pod } from './pod.ts';
import { everyContainerOf } from './pod.ts';

/** The memory, brought up to what the runtime proves to have happened already. */
export function adopt(pod: Pod, observed: Observed, memory: Memory): Memory {
  const started = observed.instances.filter(hasRun);
  const strangers = started.filter(
    (one) => one.attempt > (own(memory.containers, one.name)?.attempt ?? -1),
  );
  if (strangers.length === 0) return memory;

  const generations = started.filter((one) => !isEphemeral(one)).map((one) => one.generation);
  const generation = Math.max(memory.generation, ...generations);
  const sandboxAttempt = Math.max(
    memory.sandboxAttempt,
    ...started.map((one) => one.sandboxAttempt),
  );
  const containers = { ...memory.containers };
  for (const one of strangers.toSorted((a, b) => a.attempt - b.attempt)) {
    const isKnown = own(memory.containers, one.name) !== undefined;
    containers[one.name] = asCurrent(one, own(containers, one.name), isKnown);
  }
  const appsRan = pod.spec.containers.some(({ name }) => {
    const known = own(containers, name);
    return known?.generation === generation && known.sandboxAttempt === sandboxAttempt;
  });
  const known = new Set(everyContainerOf(pod).map(({ container }) => container.name));
  return {
    ...memory,
    generation,
    sandboxAttempt,
    containers: Object.fromEntries(Object.entries(containers).filter(([name]) => known.has(name))),
    initialized: appsRan || (memory.initialized && generation === memory.generation),
  };
}

function asCurrent(
  one: Instance,
  before: ContainerMemory | undefined,
  isKnown: boolean,
): ContainerMemory {
  return {
    attempt: one.attempt,
    generation: one.generation,
    sandboxAttempt: one.sandboxAttempt,
    // Of whom nothing is remembered, the attempt is the best guess there is.
    restartCount: isKnown ? countedOn(before) : one.attempt,
    containerId: one.id,
    ...originOf(one),
    startedAt: one.startedAt,
    lastExit: before?.exit ?? before?.lastExit,
  };
}

/** One start more than is remembered; whoever was ended by a restart in place was counted with it. */
function countedOn(before: ContainerMemory | undefined): number {
  return (before?.restartCount ?? 0) + (before?.isOver === true ? 0 : 1);
}
