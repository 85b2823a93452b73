/**
 * The phase of a pod: the kubelet's getPhase (kubelet_pods.go) on what is remembered, with one
 * difference that KEP-5532 asks for: Pending from the first kill of an in-place restart until every
 * init container is done again.
 */
import type { Look } from './decision.ts';
import { awaitsPostStart } from './hooks.ts';
import { currentInstance } from './instances.ts';
import type { Memory, Phase, PhaseMemory } from './memory.ts';
import { own } from './own.ts';
import { isClearing } from './restart-all.ts';
import { isDown } from './termination.ts';

export function phaseOf(look: Look, memory: Memory): PhaseMemory {
  const { phase: known } = memory;
  if (isTerminal(known.phase)) return known;
  const { ending } = memory;
  if (ending === undefined) return { phase: livePhase(look, memory) };
  // A terminal phase says that nothing runs any more, so it waits until that is true.
  if (!isDown(look, memory)) return known;
  return { phase: finalPhase(look, memory), reason: ending.reason, message: ending.message };
}

export function isTerminal(phase: Phase): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/**
 * Whether a pod takes up nothing any more: it is over, or was rejected, and only its worker has not
 * looked yet, which is what makes its phase a terminal one.
 */
export function isOver({ phase, ending }: Memory): boolean {
  return isTerminal(phase.phase) || ending?.cause === 'rejected';
}

function livePhase({ pod, observed }: Look, memory: Memory): Phase {
  const hasToInitialize = pod.spec.initContainers.length > 0 || isClearing(memory);
  if (hasToInitialize && !memory.initialized) return 'Pending';
  const neverRan = pod.spec.containers.some((container) => {
    const { name } = container;
    const known = own(memory.containers, name);
    if ((known?.exit ?? known?.lastExit) !== undefined) return false;
    const runs =
      known?.startedAt !== undefined ||
      currentInstance(observed, memory, name)?.state === 'running';
    return !runs || awaitsPostStart(container, known);
  });
  // All have run, so each runs, waits for its next start, or has ended while another goes on.
  return neverRan ? 'Pending' : 'Running';
}

function finalPhase({ pod }: Look, memory: Memory): Phase {
  const { cause } = memory.ending ?? {};
  if (cause === 'failed' || cause === 'deadline' || cause === 'rejected') return 'Failed';
  const succeeded = pod.spec.containers.every(
    ({ name }) => own(memory.containers, name)?.exit?.exitCode === 0,
  );
  return succeeded ? 'Succeeded' : 'Failed';
}
