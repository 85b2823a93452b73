/**
 * Readiness gates (KEP-580): conditions that somebody else sets, without all of which a pod is not Ready.
 *
 * What others have set is remembered apart from what we find out ourselves: an in-place restart changes
 * nothing of it, as it changes nothing of it under a kubelet.
 */
import { devicesHealthyCondition } from './keep-devices.ts';
import type { ConditionMemory, Memory } from './memory.ts';
import { own } from './own.ts';
import type { PodSpec } from './pod.ts';

/** A condition as somebody else sets it. */
export type GateCondition = Pick<ConditionMemory, 'status' | 'reason' | 'message'>;

type Gated = Pick<PodSpec, 'readinessGates'>;

/** What changes of the conditions that others have set, by type; undefined takes one away. */
export type GateChanges = Readonly<Record<string, GateCondition | undefined>>;

/** The conditions that are ours to tell; nobody else can set them. */
export const ownConditions: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'AllContainersRestarting',
  'DisruptionTarget',
  devicesHealthyCondition,
]);

/** The types that others can set of a pod, in the order of its spec. */
export function gatesOf({ readinessGates = [] }: Gated): readonly string[] {
  const types = readinessGates.map(({ conditionType }) => conditionType);
  return [...new Set(types)].filter((type) => !ownConditions.has(type));
}

/** What others have set, with what they change of it now. */
export function withGates(memory: Memory, changes: GateChanges, now: number): Memory {
  const kept = Object.entries(memory.gates ?? {}).filter(([type]) => !Object.hasOwn(changes, type));
  const changed = Object.entries(changes).flatMap(([type, condition]) => {
    if (condition === undefined) return [];
    const known = own(memory.gates, type);
    const since = known?.status === condition.status ? known.since : now;
    return [[type, { ...condition, since }] as const];
  });
  const gates = Object.fromEntries([...kept, ...changed]);
  return { ...memory, gates };
}

/**
 * The condition Ready of a pod whose containers are, or are not: the kubelet's GeneratePodReadyCondition
 * (status/generate.go). `found` are the conditions that the gates may name besides those set by others.
 */
export function readyWithGates(
  { readinessGates = [] }: Gated,
  { gates = {} }: Pick<Memory, 'gates'>,
  containersReady: GateCondition,
  found: Readonly<Record<string, GateCondition>>,
): GateCondition {
  if (containersReady.status !== 'True') return containersReady;
  const known = { ...found, ...gates };
  const lacks = readinessGates.flatMap(({ conditionType: type }) => {
    const { status } = own(known, type) ?? {};
    if (status === undefined) {
      return `corresponding condition of pod readiness gate "${type}" does not exist.`;
    }
    if (status === 'True') return [];
    return `the status of pod readiness gate "${type}" is not "True", but ${status}`;
  });
  return lacks.length === 0
    ? { status: 'True' }
    : { status: 'False', reason: 'ReadinessGatesNotReady', message: lacks.join(', ') };
}
