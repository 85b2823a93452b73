/**
 * The conditions of a pod, after the kubelet's status/generate.go. They are part of the memory, as
 * lastTransitionTime is the time of a change and not of a look.
 */
import type { Look } from './decision.ts';
import { currentInstance, currentSandbox, inThisRun } from './instances.ts';
import type { ConditionMemory, Memory, Phase } from './memory.ts';
import type { Container } from './pod.ts';
import { containersOf } from './pod.ts';
import { devicesHealthyCondition, unhealthyIn } from './keep-devices.ts';
import { phaseOf } from './phase.ts';
import { isFoundReady, isStarted } from './probes.ts';
import { readyWithGates } from './readiness-gates.ts';
import { describeTrigger, isClearing } from './restart-all.ts';
import { beganAt } from './restart-record.ts';
import { hasRestartAllRule } from './restart-rules.ts';
import { isThrough } from './start-order.ts';

/** Brings phase and conditions up to date with the rest of the memory. */
export function settle(look: Look, memory: Memory): Memory {
  const phase = phaseOf(look, memory);
  const conditions = { ...memory.conditions };
  for (const [type, wanted] of Object.entries(conditionsOf(look, memory, phase.phase))) {
    const known = conditions[type];
    const since = known?.status === wanted.status ? known.since : look.now;
    conditions[type] = { ...wanted, since };
  }
  return { ...memory, phase, conditions };
}

/** Whether a container counts as ready. */
export function isReady(
  { observed }: Pick<Look, 'observed'>,
  memory: Memory,
  container: Container,
): boolean {
  const known = inThisRun(memory, container.name);
  if (known === undefined || known.exit !== undefined) return false;
  if (currentInstance(observed, memory, container.name)?.state !== 'running') return false;
  return isStarted(container, known) && isFoundReady(container, known);
}

type Condition = Omit<ConditionMemory, 'since'>;

function conditionsOf(look: Look, memory: Memory, phase: Phase): Record<string, Condition> {
  const ContainersReady = containersReady(look, memory, phase);
  const before = {
    PodReadyToStartContainers: {
      status: currentSandbox(look.observed, memory)?.ready === true ? 'True' : 'False',
    } as const,
    Initialized: initialized(look, memory, phase),
  };
  const after = {
    ContainersReady,
    PodScheduled: scheduled(look),
    ...(look.observed.devices && { [devicesHealthyCondition]: devicesHealthy(look) }),
    ...(hasRestartAllRule(look.pod) || memory.generation > 0
      ? { AllContainersRestarting: allContainersRestarting(memory, phase) }
      : {}),
  };
  const found = { ...before, ...after };
  return {
    ...before,
    Ready: readyWithGates(look.pod.spec, memory, ContainersReady, found),
    ...after,
  };
}

/** On a single node the only thing that a pod can wait for before it begins is a device. */
function scheduled({ observed }: Look): Condition {
  const { waits } = observed.devices ?? {};
  return waits === undefined
    ? { status: 'True' }
    : { status: 'False', reason: 'Unschedulable', message: waits };
}

function devicesHealthy({ observed }: Look): Condition {
  const faults = unhealthyIn(observed.devices);
  return faults.length === 0
    ? { status: 'True' }
    : { status: 'False', reason: 'DeviceUnhealthy', message: faults.join('; ') };
}

function initialized(look: Look, memory: Memory, phase: Phase): Condition {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  // Once true it stays so, through restarts in place as well.
  if (memory.initialized || memory.conditions.Initialized?.status === 'True') {
    return { status: 'True' };
  }
  const incomplete = look.pod.spec.initContainers
    .filter((container) => !isThrough(look, memory, container))
    .map(({ name }) => name);
  if (incomplete.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  };
}

function containersReady(look: Look, memory: Memory, phase: Phase): Condition {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = containersOf(look.pod)
    .filter(({ kind, container }) => kind !== 'init' && !isReady(look, memory, container))
    .map(({ container }) => container.name);
  if (unready.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

/** KEP-5532's own reason and message; the kubelet v1.36 has a fixed text that names nothing. */
function allContainersRestarting(memory: Memory, phase: Phase): Condition {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const { restart } = memory;
  if (restart === undefined || !isClearing(memory)) return { status: 'False' };
  const { trigger, startNotBefore } = restart;
  const waitMs = startNotBefore === undefined ? 0 : startNotBefore - beganAt(trigger);
  return {
    status: 'True',
    reason: trigger.kind === 'exit' ? 'ContainerExited' : 'RequestedByUser',
    message:
      describeTrigger(trigger) + (waitMs > 0 ? `; back-off ${Math.round(waitMs / 1000)}s` : ''),
  };
}
