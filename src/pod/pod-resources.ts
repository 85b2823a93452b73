/**
 * What a pod as a whole asks for and may use: its QoS class, and the sums over its containers.
 */
import { containersOf } from './pod.ts';
import type { Container, ContainerKind, Pod, Resources } from './pod.ts';
import type { V1PodStatus } from './pod-status.ts';
import { bytes, milliCpu } from './quantity.ts';

/** Kubernetes' QoS class. */
export type QosClass = V1PodStatus['qosClass'];

export const qosClasses: readonly QosClass[] = ['Guaranteed', 'Burstable', 'BestEffort'];

/** A limit is absent unless the pod or every container has it. */
export interface PodResources {
  readonly cpuRequestMilli: number;
  readonly cpuLimitMilli?: number;
  readonly memoryRequestBytes: number;
  readonly memoryLimitBytes?: number;
}

/** Guaranteed: all limits set and equal to the requests. BestEffort: nothing set at all. */
export function qosClassOf(pod: Pod): QosClass {
  const { resources } = pod.spec;
  // What the pod says as a whole counts alone.
  const amounts =
    resources === undefined
      ? containersOf(pod).map(({ container }) => amountsOf(container.resources))
      : [amountsOf(resources)];
  const sum = (key: keyof Amounts): number => amounts.reduce((total, each) => total + each[key], 0);
  const isNothingSet = [...amounts].every((each) => Object.values(each).every((n) => n === 0));
  if (isNothingSet) return 'BestEffort';
  const isAllLimited = amounts.every((each) => each.cpuLimit > 0 && each.memoryLimit > 0);
  return isAllLimited &&
    sum('cpuRequest') === sum('cpuLimit') &&
    sum('memoryRequest') === sum('memoryLimit')
    ? 'Guaranteed'
    : 'Burstable';
}

/** What the pod as a whole says; where it says nothing, what its containers do. */
export function podResources(pod: Pod): PodResources {
  const own = amountsOf(pod.spec.resources ?? { requests: {}, limits: {} });
  const ofContainers = containerResources(pod);
  return {
    cpuRequestMilli: own.cpuRequest || ofContainers.cpuRequestMilli,
    cpuLimitMilli: own.cpuLimit || ofContainers.cpuLimitMilli,
    memoryRequestBytes: own.memoryRequest || ofContainers.memoryRequestBytes,
    memoryLimitBytes: own.memoryLimit || ofContainers.memoryLimitBytes,
  };
}

/** What the containers need at their hungriest moment. */
export function containerResources(pod: Pick<Pod, 'spec'>): PodResources {
  const all = containersOf(pod).map(({ container }) => amountsOf(container.resources));
  const peak = peakIn(pod);
  const limit = (key: 'cpuLimit' | 'memoryLimit'): number | undefined =>
    all.every((amounts) => amounts[key] > 0) ? peak(key) : undefined;
  return {
    cpuRequestMilli: peak('cpuRequest'),
    cpuLimitMilli: limit('cpuLimit'),
    memoryRequestBytes: peak('memoryRequest'),
    memoryLimitBytes: limit('memoryLimit'),
  };
}

/**
 * The limits that a pod has in sum, 0 for none: where only some of its containers have one, theirs. It
 * is no limit of the pod, but what a runtime sizes a virtual machine by (the kubelet's PodLimits).
 */
export function limitSums(pod: Pod): { readonly cpuMilli: number; readonly memoryBytes: number } {
  const own = amountsOf(pod.spec.resources ?? { requests: {}, limits: {} });
  const peak = peakIn(pod);
  return {
    cpuMilli: own.cpuLimit || peak('cpuLimit'),
    memoryBytes: own.memoryLimit || peak('memoryLimit'),
  };
}

function peakIn(pod: Pick<Pod, 'spec'>): (key: keyof Amounts) => number {
  const all = containersOf(pod).map(({ kind, container }) => ({
    kind,
    amounts: amountsOf(container.resources),
  }));
  return (key) => peakOf(all.map(({ kind, amounts }) => ({ kind, amount: amounts[key] })));
}

/** How much one container has of something. */
export interface Share {
  readonly kind: ContainerKind;
  readonly amount: number;
}

/**
 * The most that containers have at a time, given in the order of their start: all app containers and
 * sidecars together, or one init container beside the sidecars before it.
 */
export function peakOf(shares: readonly Share[]): number {
  let sidecarsSoFar = 0;
  let duringInit = 0;
  let running = 0;
  for (const { kind, amount } of shares) {
    if (kind === 'init') duringInit = Math.max(duringInit, sidecarsSoFar + amount);
    else running += amount;
    if (kind === 'sidecar') sidecarsSoFar += amount;
  }
  return Math.max(duringInit, running);
}

/**
 * Bytes of huge pages that a pod has, by the name of the resource: as a whole, or at the hungriest
 * moment of its containers.
 */
export function hugePagesOf(pod: Pod): ReadonlyMap<string, number> {
  const own = pod.spec.resources?.limits ?? {};
  const all = containersOf(pod);
  const names = [own, ...all.map(({ container }) => container.resources.limits)]
    .flatMap(Object.keys)
    .filter((name) => name.startsWith('hugepages-'));
  return new Map(
    names.map((name) => {
      const peak = peakOf(
        all.map(({ kind, container: { resources } }) => ({
          kind,
          amount: bytes(resources.limits[name] ?? '0'),
        })),
      );
      return [name, bytes(own[name] ?? '0') || peak];
    }),
  );
}

/**
 * What one container may use: its own limits and, where it has none, those of the pod as a whole
 * (kuberuntime_container_linux.go, getCPULimit and getMemoryLimit).
 */
export function limitsOf({ spec }: Pod, { resources }: Container): Resources['limits'] {
  // A limit of 0 is none; but for huge pages, of which it is none at all.
  const own = Object.entries(resources.limits).filter(
    ([name, limit]) => name.startsWith('hugepages-') || bytes(limit) > 0,
  );
  return { ...spec.resources?.limits, ...Object.fromEntries(own) };
}

interface Amounts {
  readonly cpuRequest: number;
  readonly cpuLimit: number;
  readonly memoryRequest: number;
  readonly memoryLimit: number;
}

// A request that is not given is the limit.
function amountsOf({ requests, limits }: Resources): Amounts {
  return {
    cpuRequest: milliCpu(requests['cpu'] ?? limits['cpu'] ?? '0'),
    cpuLimit: milliCpu(limits['cpu'] ?? '0'),
    memoryRequest: bytes(requests['memory'] ?? limits['memory'] ?? '0'),
    memoryLimit: bytes(limits['memory'] ?? '0'),
  };
}
