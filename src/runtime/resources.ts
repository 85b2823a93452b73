/**
 * Requests and limits as the numbers of cgroups: a container's, and those of a pod in sum.
 */
import { sharesOf } from '../pod/cpu-shares.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import { isSidecar, nodeCriticalClass } from '../pod/pod.ts';
import type { Container, Pod } from '../pod/pod.ts';
import {
  containerResources,
  limitSums,
  limitsOf,
  podResources,
  qosClassOf,
} from '../pod/pod-resources.ts';
import { bytes, milliCpu } from '../pod/quantity.ts';
import type { LinuxContainerResources } from './generated/runtime/v1/LinuxContainerResources.ts';

const cpuPeriodMicros = 100_000;
const minQuotaMicros = 1_000;

/** What CRI wants to hear about a container's resources. */
export function resourcesOf(
  pod: Pod,
  container: Container,
  node: NodeFacts,
): LinuxContainerResources {
  const { requests } = container.resources;
  const limits = limitsOf(pod, container);
  const cpuLimit = milliCpu(limits['cpu'] ?? '0');
  const memoryLimit = bytes(limits['memory'] ?? '0');
  return {
    cpuShares: sharesOf(milliCpu(requests['cpu'] ?? limits['cpu'] ?? '0')),
    cpuPeriod: cpuPeriodMicros,
    cpuQuota: quotaOf(cpuLimit),
    memoryLimitInBytes: memoryLimit,
    oomScoreAdj: oomScoreAdjOf(pod, container, node.memoryBytes),
    hugepageLimits: hugepageLimitsOf(limits, node.hugePageSizes),
    ...(node.cgroupVersion === 2
      ? { unified: unifiedOf(node) }
      : node.swapLimits && { memorySwapLimitInBytes: memoryLimit }),
  };
}

/**
 * What CRI wants to hear about a pod as a whole. It is no limit: that is the pod's cgroup. Runtimes of
 * virtual machines size them by it, and plugins of the runtime are told.
 */
export function sandboxResourcesOf(pod: Pod, node: NodeFacts): LinuxContainerResources {
  const { cpuMilli, memoryBytes } = limitSums(pod);
  return {
    cpuShares: sharesOf(podResources(pod).cpuRequestMilli),
    cpuPeriod: cpuPeriodMicros,
    cpuQuota: quotaOf(cpuMilli),
    memoryLimitInBytes: memoryBytes,
    ...(node.cgroupVersion === 2 && { unified: dieTogether }),
  };
}

/** Half a container is worse than none: when one process is killed for memory, all are. */
const dieTogether = { 'memory.oom.group': '1' };

/** 0 stands for no limit. */
function quotaOf(milli: number): number {
  if (milli === 0) return 0;
  return Math.max(Math.floor((milli * cpuPeriodMicros) / 1000), minQuotaMicros);
}

function unifiedOf(node: NodeFacts): Record<string, string> {
  return {
    ...dieTogether,
    ...(node.swapLimits && { 'memory.swap.max': '0' }),
  };
}

/** Who is killed first when the node runs out of memory: the higher, the sooner. */
export function oomScoreAdjOf(pod: Pod, container: Container, nodeMemoryBytes: number): number {
  if (pod.spec.priorityClassName === nodeCriticalClass) return -997;
  switch (qosClassOf(pod)) {
    case 'Guaranteed':
      return -997;
    case 'BestEffort':
      return 1000;
    case 'Burstable': {
      const share = unspokenShareOf(pod);
      const scoreFor = (request: number) =>
        1000 - Math.floor((1000 * (request + share)) / nodeMemoryBytes);
      const own = scoreFor(memoryRequestOf(container));
      // A sidecar must not go before the app containers that need it.
      const smallest = Math.min(...pod.spec.containers.map(memoryRequestOf));
      const isHelper = pod.spec.initContainers.includes(container) && isSidecar(container);
      const score = isHelper ? Math.min(own, scoreFor(smallest)) : own;
      return Math.min(Math.max(score, 3), 999);
    }
  }
}

/** What the pod as a whole requests beyond its containers at their hungriest, divided among them. */
function unspokenShareOf(pod: Pod): number {
  const { resources, initContainers, containers } = pod.spec;
  const request = resources?.requests['memory'];
  if (request === undefined) return 0;
  const { memoryRequestBytes } = containerResources(pod);
  return Math.trunc(
    (bytes(request) - memoryRequestBytes) / (initContainers.length + containers.length),
  );
}

function memoryRequestOf({ resources: { requests, limits } }: Container): number {
  return bytes(requests['memory'] ?? limits['memory'] ?? '0');
}

/** Every size of the kernel gets a limit: one that is not named could be used without any. */
function hugepageLimitsOf(
  limits: Readonly<Record<string, string>>,
  sizes: readonly string[],
): { pageSize: string; limit: number }[] {
  const asked = Object.entries(limits)
    .filter(([name]) => name.startsWith('hugepages-'))
    .map(([name, limit]) => ({ size: bytes(name.slice('hugepages-'.length)), limit }));
  return sizes.map((pageSize) => {
    const size = bytes(pageSize.replace('B', 'i'));
    const limit = asked.find((each) => each.size === size)?.limit ?? '0';
    return { pageSize, limit: bytes(limit) };
  });
}
