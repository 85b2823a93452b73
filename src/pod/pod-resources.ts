/**
 * What a pod as a whole asks for and may use: its QoS class, and the sums over its containers.
 */
import { containersOf } from './pod.ts';
import type { Container, Pod } from './pod.ts';
import type { V1PodStatus } from './pod-status.ts';
import { bytes, milliCpu } from './quantity.ts';

/** Kubernetes' QoS class. */
export type QosClass = V1PodStatus['qosClass'];

/** Sums over a pod's containers. A limit is absent unless every container has it. */
export interface PodResources {
  readonly cpuRequestMilli: number;
  readonly cpuLimitMilli?: number;
  readonly memoryRequestBytes: number;
  readonly memoryLimitBytes?: number;
}

/** Guaranteed: all limits set and equal to the requests. BestEffort: nothing set at all. */
export function qosClassOf(pod: Pod): QosClass {
  const amounts = containersOf(pod).map(({ container }) => amountsOf(container));
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

/**
 * What the pod needs at its hungriest moment: all app containers and sidecars together, or one init
 * container beside the sidecars that came before it.
 */
export function podResources(pod: Pod): PodResources {
  const all = containersOf(pod).map((each) => ({ ...each, amounts: amountsOf(each.container) }));
  const peak = (key: keyof Amounts): number => {
    let sidecarsSoFar = 0;
    let duringInit = 0;
    let running = 0;
    for (const { kind, amounts } of all) {
      if (kind === 'init') duringInit = Math.max(duringInit, sidecarsSoFar + amounts[key]);
      else running += amounts[key];
      if (kind === 'sidecar') sidecarsSoFar += amounts[key];
    }
    return Math.max(duringInit, running);
  };
  const limit = (key: 'cpuLimit' | 'memoryLimit'): number | undefined =>
    all.every(({ amounts }) => amounts[key] > 0) ? peak(key) : undefined;
  return {
    cpuRequestMilli: peak('cpuRequest'),
    cpuLimitMilli: limit('cpuLimit'),
    memoryRequestBytes: peak('memoryRequest'),
    memoryLimitBytes: limit('memoryLimit'),
  };
}

interface Amounts {
  readonly cpuRequest: number;
  readonly cpuLimit: number;
  readonly memoryRequest: number;
  readonly memoryLimit: number;
}

// A request that is not given is the limit.
function amountsOf({ resources: { requests, limits } }: Container): Amounts {
  return {
    cpuRequest: milliCpu(requests['cpu'] ?? limits['cpu'] ?? '0'),
    cpuLimit: milliCpu(limits['cpu'] ?? '0'),
    memoryRequest: bytes(requests['memory'] ?? limits['memory'] ?? '0'),
    memoryLimit: bytes(limits['memory'] ?? '0'),
  };
}
