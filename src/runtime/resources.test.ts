import test from 'ava';
import type { NodeFacts } from '../pod/node-facts.ts';
import type { Resources } from '../pod/pod.ts';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import { aNode } from '../testing/node.ts';
import type { LinuxContainerResources } from './generated/runtime/v1/LinuxContainerResources.ts';
import { resourcesOf } from './resources.ts';

function given(
  requests: Resources['requests'],
  limits: Resources['limits'] = {},
  node: Partial<NodeFacts> = {},
): LinuxContainerResources {
  const container = aContainer('main', { resources: { requests, limits } });
  return resourcesOf(aPod([], [container]), container, aNode(node));
}

const numbers: Record<string, { is: LinuxContainerResources; expect: LinuxContainerResources }> = {
  'nothing asked for gives the smallest share and no limit': {
    is: given({}),
    expect: { cpuShares: 2, cpuPeriod: 100_000, cpuQuota: 0, memoryLimitInBytes: 0 },
  },
  'shares follow the request, the quota the limit': {
    is: given({ cpu: '250m' }, { cpu: '1500m' }),
    expect: { cpuShares: 256, cpuQuota: 150_000 },
  },
  'shares follow the limit where there is no request': {
    is: given({}, { cpu: '2' }),
    expect: { cpuShares: 2048, cpuQuota: 200_000 },
  },
  'shares have a floor': { is: given({ cpu: '1m' }), expect: { cpuShares: 2 } },
  'shares have a ceiling': { is: given({ cpu: '1000' }), expect: { cpuShares: 262_144 } },
  'the quota has a floor': { is: given({}, { cpu: '1m' }), expect: { cpuQuota: 1000 } },
  'memory is limited in bytes': {
    is: given({}, { memory: '1.5Gi' }),
    expect: { memoryLimitInBytes: 1_610_612_736 },
  },
  'with cgroup v1 swap is part of the limit': {
    is: given({}, { memory: '1Mi' }, { swapLimits: true }),
    expect: { memorySwapLimitInBytes: 1_048_576 },
  },
  'with cgroup v2 there is no swap and processes die together': {
    is: given({}, {}, { cgroupVersion: 2, swapLimits: true }),
    expect: { unified: { 'memory.oom.group': '1', 'memory.swap.max': '0' } },
  },
  'every huge page size of the kernel gets a limit': {
    is: given({}, { 'hugepages-2Mi': '4Mi', cpu: '1' }, { hugePageSizes: ['64KB', '2MB', '1GB'] }),
    expect: {
      hugepageLimits: [
        { pageSize: '64KB', limit: 0 },
        { pageSize: '2MB', limit: 4_194_304 },
        { pageSize: '1GB', limit: 0 },
      ],
    },
  },
};
for (const [title, { is, expect }] of Object.entries(numbers)) {
  test(title, (t) => t.like(is, expect as object));
}

test('without swap accounting swap is not mentioned', (t) => {
  const resources = given({}, { memory: '1Mi' });
  t.false('memorySwapLimitInBytes' in resources);
  t.false('unified' in resources);
});

const scores: Record<string, readonly [LinuxContainerResources, number]> = {
  'BestEffort goes first': [given({}), 1000],
  'Guaranteed goes last': [given({}, { cpu: '1', memory: '1Gi' }), -997],
  'Burstable goes by its share of the memory': [given({ memory: '1Gi' }), 900],
  'Burstable without a memory request goes just after BestEffort': [given({ cpu: '1' }), 999],
  'Burstable with all the memory still goes before Guaranteed': [given({ memory: '10Gi' }), 3],
};
for (const [title, [resources, score]] of Object.entries(scores)) {
  test(title, (t) => t.is(resources.oomScoreAdj, score));
}

test('what the node cannot do without goes last, whatever it requests', (t) => {
  const container = aContainer('main');
  const scoreIn = (priorityClassName: string) =>
    resourcesOf(aPod([], [container], { priorityClassName }), container, aNode()).oomScoreAdj;
  t.is(scoreIn('system-node-critical'), -997);
  t.is(scoreIn('system-cluster-critical'), 1000);
});

test('a sidecar does not go before the app containers', (t) => {
  const asking = (memory: string) => ({ resources: { requests: { memory }, limits: {} } });
  const sidecar = aSidecar('watcher', asking('1Mi'));
  const init = aContainer('setup', asking('1Mi'));
  const pod = aPod(
    [init, sidecar],
    [aContainer('a', asking('2Gi')), aContainer('b', asking('1Gi'))],
  );
  t.is(resourcesOf(pod, sidecar, aNode()).oomScoreAdj, 900);
  t.is(resourcesOf(pod, init, aNode()).oomScoreAdj, 999);
});

test('a container without limits of its own has those of the pod', (t) => {
  const own = aContainer('own', { resources: { requests: {}, limits: { memory: '1Mi' } } });
  const none = aContainer('none');
  const limits = { cpu: '2', memory: '1Gi', 'hugepages-2Mi': '2Mi' };
  const pod = aPod([], [own, none], { resources: { requests: {}, limits } });
  const node = aNode({ hugePageSizes: ['2MB'] });
  const hugepageLimits = [{ pageSize: '2MB', limit: 2 ** 21 }];
  t.like(resourcesOf(pod, own, node), { memoryLimitInBytes: 2 ** 20, cpuQuota: 200_000 });
  t.like(resourcesOf(pod, none, node), { memoryLimitInBytes: 2 ** 30, hugepageLimits });
});

test('a limit of 0 is none: the container has that of the pod', (t) => {
  const unlimited = { requests: {}, limits: { cpu: '0', memory: '0', 'hugepages-2Mi': '0' } };
  const main = aContainer('main', { resources: unlimited });
  const limits = { cpu: '2', memory: '1Gi', 'hugepages-2Mi': '2Mi' };
  const pod = aPod([], [main], { resources: { requests: {}, limits } });
  t.like(resourcesOf(pod, main, aNode({ hugePageSizes: ['2MB'] })), {
    cpuQuota: 200_000,
    memoryLimitInBytes: 2 ** 30,
    hugepageLimits: [{ pageSize: '2MB', limit: 0 }],
  });
});

test('what a pod requests beyond its containers is shared among them', (t) => {
  const asking = aContainer('asking', { resources: { requests: { memory: '1Gi' }, limits: {} } });
  const none = aContainer('none');
  const pod = aPod([], [asking, none], { resources: { requests: { memory: '3Gi' }, limits: {} } });
  t.is(resourcesOf(pod, asking, aNode()).oomScoreAdj, 800);
  t.is(resourcesOf(pod, none, aNode()).oomScoreAdj, 900);
});

test('an init container that is over by then takes nothing of what a pod requests beyond', (t) => {
  const asking = { resources: { requests: { memory: '2Gi' }, limits: {} } };
  const [setup, main] = [aContainer('setup', asking), aContainer('main', asking)];
  const pod = aPod([setup], [main], { resources: { requests: { memory: '4Gi' }, limits: {} } });
  // 2Gi beyond the hungriest moment, 1Gi for each of the two.
  t.is(resourcesOf(pod, main, aNode()).oomScoreAdj, 700);
});
