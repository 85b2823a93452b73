/** A small machine, for tests of what containers are made from. */
import type { Loan } from '../pod/loan.ts';
import type { NodeFacts } from '../pod/node-facts.ts';

const gibibyte = 2 ** 30;

/** 10 GiB of memory, cgroup v1, no huge pages. */
export function aNode(more: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name: 'node-1',
    agentId: 'agent-1',
    memoryBytes: 10 * gibibyte,
    cpus: 4,
    storageBytes: 100 * gibibyte,
    hostIPs: ['192.0.2.1'],
    clusterDomain: 'cluster.local',
    cgroupVersion: 1,
    swapLimits: false,
    hugePageSizes: [],
    thermalThrottlePaths: [],
    appArmor: false,
    seccompDirectory: '/var/lib/reprise/seccomp',
    strictSupplementalGroups: false,
    handlers: {},
    ...more,
  };
}

/** What the node lends a pod without volumes. */
export function aLoan(more: Partial<Loan> = {}): Loan {
  return {
    logDirectory: '/var/log/pods/default_pod_1',
    messageDirectory: '/var/lib/reprise/pods/1/containers',
    cgroupParent: '/kubepods/besteffort/pod1',
    volumes: {},
    hostsFile: '/var/lib/reprise/pods/1/etc-hosts',
    subPaths: '/var/lib/reprise/pods/1/volume-subpaths',
    ...more,
  };
}
