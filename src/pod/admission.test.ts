import test from 'ava';
import { aContainer, aPod } from '../testing/builders.ts';
import { decide } from './decide.ts';
import { findRejection, isNamespacedSysctl, rejectedMemory } from './admission.ts';
import type { PodSpec } from './pod.ts';
import { defaultSettings } from './settings.ts';
import { podStatus } from './status.ts';

const plain = aContainer('main').securityContext;
const none = {
  appArmor: false,
  strictSupplementalGroups: false,
  hugePageCounts: {},
  cpus: 2,
  memoryBytes: 1024 ** 3,
  handlers: {},
};

function rejectionOf(
  security: Partial<PodSpec['securityContext']>,
  { allowed = [] as readonly string[], node = none, own = {} } = {},
): string | undefined {
  const securityContext = { supplementalGroups: [], sysctls: [], ...security };
  const container = aContainer('main', { securityContext: { ...plain, ...own } });
  const pod = aPod([], [container], { securityContext });
  return findRejection(pod, { allowedUnsafeSysctls: allowed, node })?.reason;
}

const sysctls = (...names: string[]) => ({ sysctls: names.map((name) => ({ name, value: '1' })) });
const localhost = { type: 'Localhost' as const, localhostProfile: 'p' };

const cases: Record<string, readonly [string | undefined, string | undefined]> = {
  'a plain pod is welcome': [rejectionOf({}), undefined],
  'safe kernel parameters are set for everybody': [
    rejectionOf(sysctls('net/ipv4/tcp_syncookies', 'kernel.shm_rmid_forced')),
    undefined,
  ],
  'others are not': [
    rejectionOf(sysctls('net.ipv4.tcp_syncookies', 'kernel.msgmax')),
    'SysctlForbidden',
  ],
  'unless the owner of the node allows them by name': [
    rejectionOf(sysctls('kernel.msgmax'), { allowed: ['kernel.msgmax'] }),
    undefined,
  ],
  'or by the beginning of the name': [
    rejectionOf(sysctls('net/core/somaxconn'), { allowed: ['kernel.sem', 'net.core.*'] }),
    undefined,
  ],
  'a beginning allows no other names': [
    rejectionOf(sysctls('net.corex'), { allowed: ['net.core.*'] }),
    'SysctlForbidden',
  ],
  'AppArmor is not promised without a kernel that has it': [
    rejectionOf({ appArmorProfile: { type: 'RuntimeDefault' } }),
    'AppArmor',
  ],
  'nor to a single container': [
    rejectionOf({}, { own: { appArmorProfile: localhost } }),
    'AppArmor',
  ],
  'to go without AppArmor is possible everywhere': [
    rejectionOf({ appArmorProfile: { type: 'Unconfined' } }),
    undefined,
  ],
  'with AppArmor in the kernel it can be asked for': [
    rejectionOf({ appArmorProfile: localhost }, { node: { ...none, appArmor: true } }),
    undefined,
  ],
  'Strict needs a runtime that knows it': [
    rejectionOf({ supplementalGroupsPolicy: 'Strict' }),
    'SupplementalGroupsPolicyNotSupported',
  ],
  'Merge is what every runtime does': [
    rejectionOf({ supplementalGroupsPolicy: 'Merge' }),
    undefined,
  ],
  'with such a runtime Strict is fine': [
    rejectionOf(
      { supplementalGroupsPolicy: 'Strict' },
      { node: { ...none, strictSupplementalGroups: true } },
    ),
    undefined,
  ],
};
for (const [title, [reason, expected]] of Object.entries(cases)) {
  test(title, (t) => t.is(reason, expected));
}

test('a rejected pod has Failed before anything was made for it, and says why', (t) => {
  const pod = aPod([], [aContainer('main')]);
  const rejection = { reason: 'SysctlForbidden', message: 'Pod was rejected: no' };
  const observed = { sandboxes: [], instances: [], failures: {}, requests: [], busy: false };
  const before = rejectedMemory(rejection, 1000);
  const { actions, memory } = decide(pod, observed, before, 1000, defaultSettings);
  t.deepEqual(actions, []);
  const status = podStatus(pod, observed, memory, defaultSettings, {
    hostIPs: ['192.0.2.1'],
    handlers: {},
  });
  t.like(status, { phase: 'Failed', ...rejection, containerStatuses: undefined });
  t.is(status.conditions.find(({ type }) => type === 'Ready')?.status, 'False');
});

test('what belongs to the whole machine is known by its name', (t) => {
  t.true(['kernel.shmmax', 'kernel.msg*', 'net.*', 'fs.mqueue.*'].every(isNamespacedSysctl));
  t.false(['vm.swappiness', 'kernel.*', 'fs.file-max', '*'].some(isNamespacedSysctl));
});

const hugePages: Record<string, readonly [counts: Record<string, number>, is: string | undefined]> =
  {
    'huge pages that the kernel has set aside are lent': [{ '1GB': 9, '2MB': 3 }, undefined],
    'huge pages that are too few are not promised': [
      { '1GB': 9, '2MB': 2 },
      "Pod was rejected: Node didn't have enough resource: hugepages-2Mi, requested: 6291456, used: 0, capacity: 4194304",
    ],
    'nor are those of a size that the kernel does not have': [
      { '1GB': 9 },
      "Pod was rejected: Node didn't have enough resource: hugepages-2Mi, requested: 6291456, used: 0, capacity: 0",
    ],
  };
for (const [title, [hugePageCounts, message]] of Object.entries(hugePages)) {
  test(title, (t) => {
    const given = (size: string) => ({
      resources: { requests: {}, limits: { 'hugepages-2Mi': size } },
    });
    const pod = aPod(
      [aContainer('setup', given('6Mi'))],
      [aContainer('main', given('2Mi')), aContainer('other', given('2Mi'))],
    );
    const found = findRejection(pod, {
      allowedUnsafeSysctls: [],
      node: { ...none, hugePageCounts },
    });
    t.is(found?.message, message);
    t.is(found?.reason, message === undefined ? undefined : 'OutOfhugepages-2Mi');
  });
}

const asks = (name: string, resources: Record<string, string>) =>
  aPod([], [aContainer(name, { resources: { requests: resources, limits: resources } })]);
const shortages: Record<
  string,
  readonly [
    others: readonly Record<string, string>[],
    wanted: Record<string, string>,
    is?: readonly [string, string],
  ]
> = {
  'all that the node has may be requested': [[], { cpu: '2', memory: '1Gi' }],
  'by several pods together': [[{ cpu: '500m' }, { cpu: '500m' }], { cpu: '1' }],
  'no more processors than there are': [
    [],
    { cpu: '2001m' },
    ['OutOfcpu', 'cpu, requested: 2001, used: 0, capacity: 2000'],
  ],
  'nor beside those of others': [
    [{ cpu: '500m' }, { cpu: '600m' }],
    { cpu: '1' },
    ['OutOfcpu', 'cpu, requested: 1000, used: 1100, capacity: 2000'],
  ],
  'no more memory than there is': [
    [{ memory: '512Mi' }],
    { memory: '513Mi' },
    ['OutOfmemory', 'memory, requested: 537919488, used: 536870912, capacity: 1073741824'],
  ],
  'huge pages of others are theirs': [
    [{ 'hugepages-2Mi': '4Mi' }],
    { 'hugepages-2Mi': '4Mi' },
    ['OutOfhugepages-2Mi', 'hugepages-2Mi, requested: 4194304, used: 4194304, capacity: 6291456'],
  ],
  'huge pages of another size are other pages': [
    [{ 'hugepages-2Mi': '6Mi' }],
    { 'hugepages-1Gi': '1Gi' },
  ],
  'who requests nothing always fits': [[{ cpu: '2', memory: '1Gi' }], {}],
};
for (const [title, [others, wanted, is]] of Object.entries(shortages)) {
  test(title, (t) => {
    const node = { ...none, hugePageCounts: { '2MB': 3, '1GB': 1 } };
    const found = findRejection(asks('main', wanted), {
      allowedUnsafeSysctls: [],
      others: others.map((each) => asks('other', each)),
      node,
    });
    t.is(found?.reason, is?.[0]);
    if (is) t.is(found?.message, `Pod was rejected: Node didn't have enough resource: ${is[1]}`);
  });
}

const ports: Record<string, readonly [one: object, other: object, isTaken: boolean]> = {
  'the same port of the node': [{ hostPort: 80 }, { hostPort: 80 }, true],
  'another port of the node': [{ hostPort: 80 }, { hostPort: 81 }, false],
  'the same port of the pod only': [{}, {}, false],
  'another protocol': [{ hostPort: 80 }, { hostPort: 80, protocol: 'UDP' }, false],
  'another address': [
    { hostPort: 80, hostIP: '127.0.0.1' },
    { hostPort: 80, hostIP: '192.0.2.1' },
    false,
  ],
  'every address': [{ hostPort: 80, hostIP: '127.0.0.1' }, { hostPort: 80, hostIP: '::' }, true],
};
for (const [title, [one, other, isTaken]] of Object.entries(ports)) {
  test(`a pod may ${isTaken ? 'not ' : ''}have ${title} as another pod has`, (t) => {
    const [first, second] = [one, other].map((more) => {
      const port = { containerPort: 80, protocol: 'TCP' as const, ...more };
      return aPod([], [aContainer('main', { ports: [port] })]);
    });
    if (first === undefined || second === undefined) throw new Error('there are two');
    const rules = { allowedUnsafeSysctls: [], node: none };
    const found = findRejection(second, { ...rules, others: [aPod([], []), first] });
    t.is(found?.reason, isTaken ? 'NodePorts' : undefined);
    t.is(findRejection(second, rules), undefined);
  });
}

const handlers: Record<string, readonly [name: string, has: readonly string[], isKnown: boolean]> =
  {
    'a handler that the runtime has': ['kata', ['', 'runc', 'kata'], true],
    'a handler that the runtime does not have': ['kata', ['', 'runc'], false],
    'a handler of a runtime that does not tell which it has': ['kata', [], true],
  };
for (const [title, [runtimeClassName, has, isKnown]] of Object.entries(handlers)) {
  test(`a pod may ${isKnown ? '' : 'not '}have ${title}`, (t) => {
    const features = { userNamespaces: false, recursiveReadOnlyMounts: false };
    const node = { ...none, handlers: Object.fromEntries(has.map((each) => [each, features])) };
    const pod = aPod([], [aContainer('main')], { runtimeClassName });
    const found = findRejection(pod, { allowedUnsafeSysctls: [], node });
    t.is(found?.reason, isKnown ? undefined : 'UnknownRuntimeHandler');
  });
}
