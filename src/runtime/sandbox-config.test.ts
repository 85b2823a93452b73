import test from 'ava';
import type { Pod, PodSpec, Resources } from '../pod/pod.ts';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import { aLoan, aNode } from '../testing/node.ts';
import type { LinuxContainerResources } from './generated/runtime/v1/LinuxContainerResources.ts';
import type { PodSandboxConfig } from './generated/runtime/v1/PodSandboxConfig.ts';
import { sandboxConfig } from './sandbox-config.ts';

function of(more: Partial<PodSpec>, metadata: Partial<Pod['metadata']> = {}): PodSandboxConfig {
  const pod = aPod([], [aContainer('main')], more);
  const named = { ...pod, metadata: { ...pod.metadata, ...metadata } };
  return sandboxConfig(named, 2, aLoan(), aNode());
}

const security = (spec: Partial<PodSpec>) => of(spec).linux?.securityContext;
const closed = { privileged: false, readOnlyRootFilesystem: false };
const capabilities = { add: [], drop: [] };

test('a sandbox is named after its pod and attempt, and lives where the loan says', (t) => {
  t.like(of({}), {
    metadata: {
      name: 'pod',
      namespace: 'default',
      uid: '00000000-0000-4000-8000-000000000001',
      attempt: 2,
    },
    hostname: 'pod',
    logDirectory: '/var/log/pods/default_pod_1',
    linux: { cgroupParent: '/kubepods/besteffort/pod1' },
  });
});

test('it carries the labels of the pod and ours, which cannot be taken over', (t) => {
  const labels = { app: 'x', 'reprise.dev/agent': 'forged', 'io.kubernetes.pod.uid': 'forged' };
  t.deepEqual(of({}, { labels }).labels, {
    app: 'x',
    'io.kubernetes.pod.name': 'pod',
    'io.kubernetes.pod.namespace': 'default',
    'io.kubernetes.pod.uid': '00000000-0000-4000-8000-000000000001',
    'reprise.dev/agent': 'agent-1',
  });
});

test("with the host's network the hostname and the ports are the host's", (t) => {
  const ports = [{ containerPort: 80, hostPort: 80, protocol: 'TCP' as const }];
  const spec = { hostNetwork: true, containers: [aContainer('main', { ports })] };
  t.like(of(spec), { hostname: '', portMappings: [] });
});

test('a full name is the hostname where the pod wants it, if the kernel takes it', (t) => {
  const wishes = { subdomain: 'sub', setHostnameAsFQDN: true };
  t.is(of({ ...wishes, hostname: 'h'.repeat(34) }).hostname?.length, 64);
  t.throws(() => of({ ...wishes, hostname: 'h'.repeat(35) }), { message: /too long: 65 char/ });
});

test('ports of the host lead to app containers only', (t) => {
  const at = (hostPort?: number) => ({
    ports: [{ containerPort: 80, hostPort, protocol: 'UDP' as const, hostIP: '127.0.0.1' }],
  });
  const { portMappings } = of({
    initContainers: [aSidecar('sidecar', at(8080))],
    containers: [aContainer('main', at(8081)), aContainer('plain', at())],
  });
  t.deepEqual(portMappings, [
    { protocol: 'UDP', containerPort: 80, hostPort: 8081, hostIp: '127.0.0.1' },
  ]);
});

test('a sysctl may be written with slashes', (t) => {
  const sysctls = [{ name: 'net/ipv4/ip_unprivileged_port_start', value: '0' }];
  const { linux } = of({ securityContext: { supplementalGroups: [], sysctls } });
  t.deepEqual(linux?.sysctls, { 'net.ipv4.ip_unprivileged_port_start': '0' });
});

const gives = (requests: Resources['requests'], limits: Resources['limits'] = {}) => ({
  resources: { requests, limits },
});
const [small, large] = [
  gives({ cpu: '250m', memory: '1Mi' }, { cpu: '500m', memory: '2Mi' }),
  gives({ cpu: '1' }, { cpu: '2', memory: '16Mi' }),
];
const mebibyte = 2 ** 20;
const sums: Record<string, readonly [spec: Partial<PodSpec>, expected: LinuxContainerResources]> = {
  'nothing, if nothing is asked for': [
    {},
    { cpuShares: 2, cpuPeriod: 100_000, cpuQuota: 0, memoryLimitInBytes: 0 },
  ],
  'the sum over app containers and sidecars': [
    {
      initContainers: [aSidecar('sidecar', small)],
      containers: [aContainer('main', small), aContainer('other', small)],
    },
    { cpuShares: 768, cpuQuota: 150_000, memoryLimitInBytes: 6 * mebibyte },
  ],
  'what an init container has beside the sidecars before it, where that is more': [
    {
      initContainers: [aSidecar('sidecar', small), aContainer('init', large)],
      containers: [aContainer('main', small)],
    },
    { cpuShares: 1280, cpuQuota: 250_000, memoryLimitInBytes: 18 * mebibyte },
  ],
  'the limits that there are, although others have none': [
    { containers: [aContainer('main', large), aContainer('free', gives({ cpu: '1' }))] },
    { cpuShares: 2048, cpuQuota: 200_000, memoryLimitInBytes: 16 * mebibyte },
  ],
  'the limit for the request where there is none': [
    { containers: [aContainer('main', gives({}, { cpu: '2' }))] },
    { cpuShares: 2048, cpuQuota: 200_000 },
  ],
  'what the pod says of itself rather than its containers': [
    {
      ...gives({ cpu: '3' }, { cpu: '4', memory: '32Mi' }),
      containers: [aContainer('main', small)],
    },
    { cpuShares: 3072, cpuQuota: 400_000, memoryLimitInBytes: 32 * mebibyte },
  ],
};
for (const [title, [spec, expected]] of Object.entries(sums)) {
  test(`the runtime is told of the pod as a whole: ${title}`, (t) => {
    t.like(of(spec).linux?.resources, expected);
    t.is(of(spec).linux?.resources?.unified, undefined);
  });
}

test('with cgroup v2 processes die together', (t) => {
  const pod = aPod([], [aContainer('main')]);
  const { linux } = sandboxConfig(pod, 0, aLoan(), aNode({ cgroupVersion: 2, swapLimits: true }));
  t.deepEqual(linux?.resources?.unified, { 'memory.oom.group': '1' });
});

const namespaces: Record<string, readonly [Partial<PodSpec>, object]> = {
  'each container has its processes to itself': [
    {},
    { network: 'POD', ipc: 'POD', pid: 'CONTAINER' },
  ],
  'shareProcessNamespace shares them within the pod': [
    { shareProcessNamespace: true },
    { pid: 'POD' },
  ],
  'hostNetwork, hostIPC and hostPID are the node itself': [
    { hostNetwork: true, hostIPC: true, hostPID: true },
    { network: 'NODE', ipc: 'NODE', pid: 'NODE' },
  ],
};
for (const [title, [spec, expected]] of Object.entries(namespaces)) {
  test(title, (t) => t.like(security(spec), { namespaceOptions: expected }));
}

test('a privileged container of any kind makes the sandbox privileged', (t) => {
  const init = aContainer('init', {
    securityContext: { ...closed, privileged: true, capabilities },
  });
  t.is(security({ initContainers: [init] })?.privileged, true);
  t.is(security({ ephemeralContainers: [init] })?.privileged, true);
  t.is(security({})?.privileged, false);
});

test('the pause process gets a group only together with a user', (t) => {
  const as = (runAsUser?: number) =>
    security({
      securityContext: { runAsUser, runAsGroup: 7, supplementalGroups: [], sysctls: [] },
    });
  t.like(as(5), { runAsUser: { value: 5 }, runAsGroup: { value: 7 } });
  t.false('runAsGroup' in (as() ?? {}));
});

test('fsGroup comes before the supplemental groups', (t) => {
  const groups = security({
    securityContext: { fsGroup: 9, supplementalGroups: [3], sysctls: [] },
  });
  t.deepEqual(groups?.supplementalGroups, [9, 3]);
});
