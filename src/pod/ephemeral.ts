/**
 * Ephemeral containers: guests that somebody adds to a running pod to look into it.
 *
 * Each is started once, as soon as there is a sandbox, whatever the pod is busy with; init containers
 * and in-place restarts do not wait for it, and it does not wait for them. It belongs to no generation,
 * so no restart kills it, and nothing that ends is waited for on its account. Only the end of the pod,
 * or of its sandbox, ends it.
 *
 * Source: the kubelet's computePodActions and startSpec.getTargetID. There a target that does not run
 * is tried again and again; here its start is news that leads back to this file.
 */
import { abortsUpTo, replaceAt } from './aborted.ts';
import type { Decision, Look } from './decision.ts';
import { both, only } from './decision.ts';
import { hasCurrentInputs } from './inputs.ts';
import {
  EPHEMERAL_GENERATION,
  currentInstance,
  currentSandbox,
  inThisRun,
  isUnused,
  nextAttempt,
} from './instances.ts';
import type { ContainerMemory, Memory } from './memory.ts';
import type { Instance, Observed } from './observed.ts';
import { originOf } from './origin.ts';
import { own } from './own.ts';
import type { EphemeralContainer, Pod } from './pod.ts';
import type { V1ContainerWaiting } from './pod-status.ts';

/** Starts those that have not been started yet. */
export function startEphemeral(look: Look, memory: Memory): Decision {
  const { pod, observed } = look;
  const isPossible =
    observed.loan !== undefined && currentSandbox(observed, memory)?.ready === true;
  if (!isPossible) return only(memory);
  return (pod.spec.ephemeralContainers ?? []).reduce<Decision>(
    (sofar, container) => both(sofar, startOne(look, sofar.memory, container)),
    only(memory),
  );
}

/** Why its target keeps a container from being started; absent: it does not, or there is none. */
export function lackOfTarget(
  { pod, observed }: Pick<Look, 'pod' | 'observed'>,
  memory: Memory,
  container: EphemeralContainer,
): V1ContainerWaiting | undefined {
  const target = targetOf(pod, container);
  if (target === undefined || runningId(observed, memory, target) !== undefined) return undefined;
  const known = inThisRun(memory, target);
  const hasRun = (known?.startedAt ?? known?.exit) !== undefined;
  return hasRun
    ? { reason: 'CreateContainerError', message: `target container ${target} is not running` }
    : {
        reason: 'CreateContainerConfigError',
        message: `unable to find target container ${target}`,
      };
}

function startOne(look: Look, memory: Memory, container: EphemeralContainer): Decision {
  const { observed } = look;
  const { name } = container;
  const known = own(memory.containers, name);
  const current = currentInstance(observed, memory, name);
  if (known !== undefined && hasBegun(known, current)) return only(memory);
  if (lackOfTarget(look, memory, container) !== undefined) return only(memory);
  const lookAgainAt = (known && replaceAt(observed, known, current)) ?? look.now;
  if (lookAgainAt > look.now) return { ...only(memory), lookAgainAt };

  const targetName = targetOf(look.pod, container);
  const target = targetName === undefined ? undefined : runningId(observed, memory, targetName);
  // What was made for a target that is gone by now could not be started any more.
  const prepared = observed.instances.find(
    (one) =>
      one.name === name &&
      isUnused(one) &&
      one.target === target &&
      one.sandboxAttempt === memory.sandboxAttempt &&
      hasCurrentInputs(observed, one),
  );
  if (prepared === undefined) return create(look, memory, container, target);
  if (prepared.id === undefined) return only(memory);
  const run = { ...theRunOf(prepared), aborts: abortsUpTo(observed, known, current) };
  return {
    memory: { ...memory, containers: { ...memory.containers, [name]: run } },
    actions: [{ kind: 'start-container', id: prepared.id, name }],
    events: [],
  };
}

/** Whether it runs, has run, or may be about to; what never ran does not count as its one run. */
function hasBegun(known: ContainerMemory, current: Instance | undefined): boolean {
  if (known.startedAt !== undefined || known.exit !== undefined) return true;
  return current !== undefined && current.state !== 'created' && current.state !== 'aborted';
}

function create(
  look: Look,
  memory: Memory,
  { name }: EphemeralContainer,
  target: string | undefined,
): Decision {
  const attempt = nextAttempt(look.observed, memory, name);
  const action = {
    kind: 'create-container' as const,
    name,
    attempt,
    generation: EPHEMERAL_GENERATION,
    ...(target !== undefined && { target }),
  };
  return { ...only(memory), actions: [action] };
}

function theRunOf(instance: Instance): ContainerMemory {
  const { id, attempt, sandboxAttempt } = instance;
  return {
    attempt,
    generation: EPHEMERAL_GENERATION,
    sandboxAttempt,
    restartCount: 0,
    containerId: id,
    ...originOf(instance),
  };
}

/** Where containers see one another, or the whole node, there is nothing that a target would add. */
function targetOf({ spec }: Pod, { targetContainerName }: EphemeralContainer): string | undefined {
  return spec.hostPID || spec.shareProcessNamespace ? undefined : targetContainerName;
}

function runningId(observed: Observed, memory: Memory, name: string): string | undefined {
  if (inThisRun(memory, name) === undefined) return undefined;
  const instance = currentInstance(observed, memory, name);
  return instance?.state === 'running' ? instance.id : undefined;
}
