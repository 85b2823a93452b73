import test from 'ava';
import { aManifest, faultsIn } from '../../testing/manifests.ts';
import type { Additions } from '../../testing/manifests.ts';

const main = 'spec.containers[0]';
const two = (first: object, second: object): Additions => ({
  spec: {
    containers: [
      { name: 'a', image: 'i:1', ...first },
      { name: 'b', image: 'i:1', ...second },
    ],
  },
});
const rules = [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } }];
const exec = { exec: { command: ['true'] } };
const hostPort = (port: number, more: object = {}): Readonly<Record<string, unknown>> => ({
  ports: [{ containerPort: 80, hostPort: port, ...more }],
});
const onHost = (additions: Additions, more: object): Additions => ({
  ...additions,
  spec: { ...additions.spec, ...more },
});
/** A name of so many characters, in labels of at most 63. */
const nameOf = (length: number): string =>
  `${'x'.repeat(62)}.`.repeat(4).slice(0, length).replace(/\.$/, 'x');
const mount = (name: string, mountPath: string): object => ({ name, mountPath });
const nameserver = '10.0.0.10';

const volumes = (...list: object[]): Additions => ({
  spec: { volumes: list.map((each, index) => ({ name: `v${index}`, ...each })) },
});
/** A pod with these resources as a whole, and containers with theirs, in the order of their start. */
const together = (
  whole: object,
  containers: readonly object[],
  initContainers: readonly object[] = [],
): Additions => ({
  spec: {
    resources: whole,
    initContainers: initContainers.map((each, i) => ({ name: `i${i}`, image: 'i:1', ...each })),
    containers: containers.map((each, i) => ({ name: `c${i}`, image: 'i:1', ...each })),
  },
});
const requesting = (requests: object): object => ({ resources: { requests } });
const limitedTo = (limits: object): object => ({ resources: { limits } });
const sidecar = (cpu: string): object => ({ restartPolicy: 'Always', ...requesting({ cpu }) });
const items = (...paths: string[]): object[] => paths.map((path) => ({ key: 'k', path }));
const resourceOf = (containerName: string) => ({ containerName, resource: 'limits.cpu' });

/** What is told of a resource: in variables, and in files. */
const told = (resource: string, divisors: readonly unknown[]): Additions => ({
  container: {
    env: divisors.map((divisor, i) => ({
      name: `A${i}`,
      valueFrom: { resourceFieldRef: { resource, divisor } },
    })),
  },
  ...volumes({
    downwardAPI: {
      items: divisors.map((divisor, i) => ({
        path: `a${i}`,
        resourceFieldRef: { containerName: 'main', resource, divisor },
      })),
    },
  }),
});
const divisorFaults = (divisors: readonly string[], must: string): string[] => [
  ...divisors.map(
    (divisor, i) =>
      `${main}.env[${i}].valueFrom.resourceFieldRef.divisor: Invalid value: ${divisor}: ${must}`,
  ),
  ...divisors.map(
    (divisor, i) =>
      `spec.volumes[0].downwardAPI.items[${i}].resourceFieldRef.divisor: Invalid value: ${divisor}: ${must}`,
  ),
];

/** What a manifest has, and every fault it is to have, in the order of its lines. */
const cases: Readonly<Record<string, readonly [Additions, ...string[]]>> = {
  'a variable has one source': [
    {
      container: {
        env: [
          {
            name: 'A',
            valueFrom: {
              configMapKeyRef: { name: 'a', key: 'k' },
              secretKeyRef: { name: 'a', key: 'k' },
            },
          },
        ],
      },
    },
    `${main}.env[0].valueFrom.secretKeyRef: Forbidden: may not have more than one source`,
  ],
  'variables come from one object each': [
    {
      container: {
        envFrom: [{ prefix: 'A', configMapRef: { name: 'a' }, secretRef: { name: 'a' } }],
      },
    },
    `${main}.envFrom[0].secretRef: Forbidden: may not have more than one source`,
  ],
  'resources are those of a container of the pod': [
    {
      init: {},
      container: {
        env: ['main', 'setup'].map((name) => ({
          name: 'A',
          valueFrom: { resourceFieldRef: resourceOf(name) },
        })),
      },
      ...volumes({ downwardAPI: { items: [{ path: 'a', resourceFieldRef: resourceOf('main') }] } }),
    },
  ],
  'resources are not those of nobody': [
    {
      container: {
        env: [{ name: 'A', valueFrom: { resourceFieldRef: resourceOf('mian') } }],
      },
      ...volumes(
        { downwardAPI: { items: [{ path: 'a', resourceFieldRef: resourceOf('x') }] } },
        {
          projected: {
            sources: [
              { downwardAPI: { items: [{ path: 'a', resourceFieldRef: resourceOf('y') }] } },
            ],
          },
        },
      ),
    },
    `${main}.env[0].valueFrom.resourceFieldRef.containerName: Not found: "mian"`,
    'spec.volumes[0].downwardAPI.items[0].resourceFieldRef.containerName: Not found: "x"',
    'spec.volumes[1].projected.sources[0].downwardAPI.items[0].resourceFieldRef.containerName: Not found: "y"',
  ],
  'cpu is told in thousandths or whole': [told('limits.cpu', ['1m', '0.001', 1, '1000m', '0', 0])],
  'cpu is told in nothing else': [
    told('requests.cpu', ['2m', '1k', '1Ki', 1000]),
    ...divisorFaults(['"2m"', '"1k"', '"1Ki"', '1000'], 'must be 1m or 1 for cpu'),
  ],
  'memory is told in powers of 1000 or 1024': [
    told('limits.memory', [
      ...[1, '0', '1k', '1M', '1G', '1T', '1P', '1E', 1000, '1024Ki'],
      ...['1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'],
    ]),
  ],
  'memory is told in nothing else': [
    told('requests.memory', ['1m', '2Mi', '10', 1024, '-1']),
    ...divisorFaults(['"1m"', '"2Mi"', '"10"', '1024', '"-1"'], 'must be 1, 1k, 1M, 1G'),
  ],
  'storage and huge pages are told like memory': [
    {
      container: {
        env: ['limits.ephemeral-storage', 'requests.hugepages-2Mi'].flatMap((resource) =>
          ['1Gi', '1m'].map((divisor) => ({
            name: 'A',
            valueFrom: { resourceFieldRef: { resource, divisor } },
          })),
        ),
      },
    },
    `${main}.env[1].valueFrom.resourceFieldRef.divisor: Invalid value: "1m": must be 1, 1k`,
    `${main}.env[3].valueFrom.resourceFieldRef.divisor: Invalid value: "1m": must be 1, 1k`,
  ],
  'a faulty resource does not make its divisor one more fault': [
    {
      container: {
        env: [
          { name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.gpu', divisor: '1m' } } },
        ],
      },
    },
    `${main}.env[0].valueFrom.resourceFieldRef.resource: Invalid value: "limits.gpu"`,
  ],
  'a file of variables is in an emptyDir': [
    {
      container: {
        env: ['v0', 'v1', 'v2', 'v3'].map((volumeName) => ({
          name: 'A',
          valueFrom: { fileKeyRef: { volumeName, path: 'a/env', key: 'A' } },
        })),
      },
      ...volumes({ emptyDir: {} }, {}, { hostPath: { path: '/a' } }),
    },
    `${main}.env[2].valueFrom.fileKeyRef.volumeName: Invalid value: "v2": a file of variables`,
    `${main}.env[3].valueFrom.fileKeyRef.volumeName: Not found: "v3"`,
  ],
  'files of one volume have paths of their own, those of two need not': [
    volumes(
      { configMap: { name: 'a', items: items('a', 'b/a', 'b/c') } },
      { secret: { secretName: 'a', items: items('a') } },
    ),
  ],
  'a path may be there twice where there is one source': [
    volumes(
      { configMap: { name: 'a', items: items('a', 'b/c', './a', 'a') } },
      { secret: { secretName: 'a', items: items('a', 'a') } },
      {
        downwardAPI: {
          items: ['a', 'a'].map((path) => ({ path, fieldRef: { fieldPath: 'metadata.name' } })),
        },
      },
    ),
  ],
  'no path is there twice in a projected volume, in however many sources': [
    volumes(
      { projected: { sources: [{ configMap: { name: 'a', items: items('a', './a') } }] } },
      {
        projected: {
          sources: [
            { configMap: { name: 'a', items: items('b/c') } },
            { secret: { name: 'a', items: items('b//c') } },
          ],
        },
      },
    ),
    'spec.volumes[0].projected.sources[0].configMap.items[1].path: Duplicate value: "a"',
    'spec.volumes[1].projected.sources[1].secret.items[0].path: Duplicate value: "b/c"',
  ],
  'a file beside a folder whose name begins like its own': [
    volumes({ secret: { secretName: 'a', items: items('a-b', 'a/b', 'a.b', 'a0', 'ab/c') } }),
  ],
  'a file is no folder of another, whatever is between the two': [
    volumes({ secret: { secretName: 'a', items: items('a', 'a-b', 'a/b', 'a/b', 'a.c') } }),
    'spec.volumes[0].secret.items[0].path: Invalid value: "a": another file of the volume',
  ],
  'a file is no folder of another': [
    volumes({ secret: { secretName: 'a', items: items('a/b/c', 'a/b') } }),
    'spec.volumes[0].secret.items[1].path: Invalid value: "a/b": another file of the volume',
  ],
  'labels may have a domain and an empty value': [
    { metadata: { labels: { 'app.kubernetes.io/name': 'a_B.c-1', empty: '' } } },
  ],
  'labels may be as long as they may be': [
    { metadata: { labels: { [`a/${'k'.repeat(63)}`]: 'w'.repeat(63), ['k'.repeat(63)]: '' } } },
  ],
  'labels keep to their characters and lengths': [
    {
      metadata: {
        labels: {
          'a/b/c': 'x',
          ['k'.repeat(64)]: 'x',
          [`a/${'k'.repeat(64)}`]: 'x',
          v: '-',
          w: 'w'.repeat(64),
        },
      },
    },
    ...[
      'metadata.labels["a/b/c"]: Invalid value: "a/b/c": a key is',
      `metadata.labels.${'k'.repeat(64)}: Invalid value: "${'k'.repeat(64)}": a key is`,
      `metadata.labels["a/${'k'.repeat(64)}"]: Invalid value: "a/${'k'.repeat(62)}`,
      `metadata.labels.v: Invalid value: "-": a label's value has`,
      `metadata.labels.w: Invalid value: "${'w'.repeat(64)}": a label's value has`,
    ],
  ],
  'annotation keys are compared in lower case': [
    { metadata: { annotations: { 'Example.ORG/A': '\n' } } },
  ],
  'annotation keys may be as long as those of labels': [
    { metadata: { annotations: { [`a/${'k'.repeat(63)}`]: 'x', ['k'.repeat(63)]: 'x' } } },
  ],
  'annotations keep to the characters and lengths of keys': [
    { metadata: { annotations: { 'a b': 'x', ['k'.repeat(64)]: 'x' } } },
    'metadata.annotations["a b"]: Invalid value: "a b": a key is',
    `metadata.annotations.${'k'.repeat(64)}: Invalid value: "${'k'.repeat(64)}": a key is`,
  ],
  'annotations may have 256 KiB': [
    { metadata: { annotations: { k: 'x'.repeat(256 * 1024 - 1) } } },
  ],
  'annotations may have no more': [
    { metadata: { annotations: { k: 'x'.repeat(256 * 1024) } } },
    'metadata.annotations: Too long: may not be more than 262144 bytes',
  ],
  'the log folder has room for name, namespace and a new uid': [
    { metadata: { name: nameOf(210) } },
  ],
  'a name that is too long for the log folder': [
    { metadata: { name: nameOf(211) } },
    `metadata.name: Invalid value: "${nameOf(211).slice(0, 59)}...${nameOf(211).slice(-9)}": namespace, name and uid are too long together`,
  ],
  'a short uid leaves more room': [{ metadata: { name: nameOf(245), uid: 'a' } }],
  'but not for any name': [
    { metadata: { name: nameOf(246), uid: 'a' } },
    'metadata.name: Invalid value',
  ],
  'a long namespace leaves less room': [
    { metadata: { name: nameOf(154), namespace: 'x'.repeat(63) } },
  ],
  'and it counts too': [
    { metadata: { name: nameOf(155), namespace: 'x'.repeat(63) } },
    'metadata.name: Invalid value',
  ],
  'the back-off is a duration': [
    { metadata: { annotations: { 'reprise.dev/in-place-backoff': '1m30s' } } },
  ],
  'the back-off may be turned off': [
    { metadata: { annotations: { 'reprise.dev/in-place-backoff': '0' } } },
  ],
  'the back-off is no bare number': [
    { metadata: { annotations: { 'reprise.dev/in-place-backoff': '30' } } },
    'metadata.annotations["reprise.dev/in-place-backoff"]: Invalid value: "30": must be a duration',
  ],
  'the back-off is not negative': [
    { metadata: { annotations: { 'reprise.dev/in-place-backoff': '-1s' } } },
    'metadata.annotations["reprise.dev/in-place-backoff"]: Invalid value: "-1s": must be a duration',
  ],
  'unknown annotations of ours are faults': [
    { metadata: { annotations: { 'Reprise.dev/backoff': '1s' } } },
    'metadata.annotations["Reprise.dev/backoff"]: Invalid value: "Reprise.dev/backoff": reprise knows no such',
  ],
  'a pod has a container': [
    { spec: { containers: [] } },
    'spec.containers: Required value: a pod has at least one container',
  ],
  'containers have names of their own': [
    two({}, { name: 'a' }),
    'spec.containers[1].name: Duplicate value: "a"',
  ],
  'init containers have names of their own too': [
    { init: { name: 'main' } },
    `${main}.name: Duplicate value: "main"`,
  ],
  'rules stand beside a policy on any container': [
    {
      init: { restartPolicy: 'Always', restartPolicyRules: rules },
      container: { restartPolicy: 'Never', restartPolicyRules: rules },
    },
  ],
  'rules need a policy': [
    { container: { restartPolicyRules: rules } },
    `${main}.restartPolicy: Required value: restartPolicyRules needs a restartPolicy on the same container`,
  ],
  'rules need a policy on init containers too': [
    { init: { restartPolicyRules: rules } },
    'spec.initContainers[0].restartPolicy: Required value: restartPolicyRules needs a restartPolicy',
  ],
  'an empty list of rules needs none': [{ container: { restartPolicyRules: [] } }],
  'a faulty policy is one fault, not also a missing one': [
    { container: { restartPolicy: 'never', restartPolicyRules: rules } },
    `${main}.restartPolicy: Unsupported value: "never"`,
  ],
  'a variable has a value or a source': [
    {
      container: {
        env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      },
    },
    `${main}.env[0].valueFrom: Forbidden: may not be used together with a value`,
  ],
  'an empty value goes with a source': [
    {
      container: {
        env: [{ name: 'A', value: '', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      },
    },
  ],
  'a source is not empty': [
    { container: { env: [{ name: 'A', valueFrom: {} }] } },
    `${main}.env[0].valueFrom: Invalid value: a map: must have a source`,
  ],
  'port names may be the same in two containers': [
    two(
      { ports: [{ name: 'http', containerPort: 1 }] },
      { ports: [{ name: 'http', containerPort: 2 }] },
    ),
  ],
  'port names are unique in a container': [
    {
      container: {
        ports: [
          { name: 'http', containerPort: 1 },
          { name: 'http', containerPort: 2 },
        ],
      },
    },
    `${main}.ports[1].name: Duplicate value: "http"`,
  ],
  'host ports differ by protocol and address': [
    two(
      {
        ports: [
          { containerPort: 1, hostPort: 53 },
          { containerPort: 1, hostPort: 53, protocol: 'UDP' },
        ],
      },
      hostPort(53, { hostIP: '127.0.0.1' }),
    ),
  ],
  'host ports are unique among app containers': [
    two(hostPort(53), hostPort(53)),
    'spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//53"',
  ],
  'host port 0 is none': [two(hostPort(0), hostPort(0))],
  'init containers have host ports one by one': [{ init: hostPort(53), container: hostPort(53) }],
  'host ports are unique inside an init container': [
    {
      init: {
        ports: [
          { containerPort: 1, hostPort: 53 },
          { containerPort: 2, hostPort: 53 },
        ],
      },
    },
    'spec.initContainers[0].ports[1].hostPort: Duplicate value: "TCP//53"',
  ],
  "with the node's network the host port is the port": [
    onHost({ container: hostPort(80) }, { hostNetwork: true }),
  ],
  "with the node's network the host port is no other": [
    onHost({ container: hostPort(81) }, { hostNetwork: true }),
    `${main}.ports[0].hostPort: Invalid value: 81: must be the same as containerPort`,
  ],
  "with the node's network ports of app containers are unique": [
    onHost(two({ ports: [{ containerPort: 80 }] }, { ports: [{ containerPort: 80 }] }), {
      hostNetwork: true,
    }),
    'spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"',
  ],
  'dnsPolicy None brings its nameserver': [
    { spec: { dnsPolicy: 'None', dnsConfig: { nameservers: [nameserver] } } },
  ],
  'dnsPolicy None needs a nameserver': [
    { spec: { dnsPolicy: 'None', dnsConfig: { searches: ['a'] } } },
    'spec.dnsConfig.nameservers: Required value: dnsPolicy None needs at least one nameserver',
  ],
  'a faulty dnsConfig is one fault': [
    { spec: { dnsPolicy: 'None', dnsConfig: nameserver } },
    `spec.dnsConfig: Invalid value: "${nameserver}": must be a map`,
  ],
  'three nameservers and 32 searches fit': [
    {
      spec: {
        dnsConfig: {
          nameservers: Array(3).fill(nameserver),
          searches: Array(32).fill('a.example'),
        },
      },
    },
  ],
  'more nameservers and searches do not fit': [
    {
      spec: {
        dnsConfig: {
          nameservers: Array(4).fill(nameserver),
          searches: Array(33).fill('a.example'),
        },
      },
    },
    'spec.dnsConfig.nameservers: Too many: 4: must have at most 3 items',
    'spec.dnsConfig.searches: Too many: 33: must have at most 32 items',
  ],
  'searches have 2048 characters together, with what is between them': [
    { spec: { dnsConfig: { searches: [...Array<string>(8).fill(nameOf(227)), nameOf(224)] } } },
  ],
  'searches have no more characters together': [
    { spec: { dnsConfig: { searches: [...Array<string>(8).fill(nameOf(227)), nameOf(225)] } } },
    'spec.dnsConfig.searches: Too long: may not be more than 2048 characters together',
  ],
  'an override is the whole hostname': [
    { spec: { hostnameOverride: 'a.b', hostNetwork: true, setHostnameAsFQDN: true } },
    'spec.hostnameOverride: Forbidden: it cannot be combined with hostNetwork',
    'spec.hostnameOverride: Forbidden: it cannot be combined with setHostnameAsFQDN',
  ],
  'an override may stand beside what it takes the place of': [
    { spec: { hostnameOverride: 'a.b', hostname: 'c', subdomain: 'd' } },
  ],
  'sysctls in their own namespaces': [
    {
      spec: {
        securityContext: {
          sysctls: [
            { name: 'net.ipv4.tcp_syncookies', value: '1' },
            { name: 'kernel.shm_rmid_forced', value: '1' },
          ],
        },
      },
    },
  ],
  "sysctls in the node's namespaces": [
    {
      spec: {
        hostNetwork: true,
        hostIPC: true,
        securityContext: {
          sysctls: [
            { name: 'net/ipv4/tcp_syncookies', value: '1' },
            { name: 'kernel.shm_rmid_forced', value: '1' },
          ],
        },
      },
    },
    "spec.securityContext.sysctls[0].name: Forbidden: it would be the node's, with hostNetwork",
    "spec.securityContext.sysctls[1].name: Forbidden: it would be the node's, with hostIPC",
  ],
  "every sysctl of IPC is the node's with its IPC, and no other is": [
    {
      spec: {
        hostIPC: true,
        securityContext: {
          sysctls: [
            ...['kernel.msgmax', 'kernel/msgmnb', 'kernel.sem', 'kernel.shmall'],
            ...['fs.mqueue.msg_max', 'net.ipv4.tcp_syncookies', 'kernel.ms', 'fs.mqueues'],
          ].map((name) => ({ name, value: '1' })),
        },
      },
    },
    ...[0, 1, 2, 3, 4].map(
      (index) =>
        `spec.securityContext.sysctls[${index}].name: Forbidden: it would be the node's, with hostIPC`,
    ),
  ],
  'a sysctl is set once': [
    {
      spec: {
        securityContext: {
          sysctls: [
            { name: 'net/ipv4/ip_unprivileged_port_start', value: '1' },
            { name: 'net.ipv4.ip_unprivileged_port_start', value: '1' },
          ],
        },
      },
    },
    'spec.securityContext.sysctls[1].name: Duplicate value: "net.ipv4.ip_unprivileged_port_start"',
  ],
  'volumes have names of their own': [
    { spec: { volumes: [{ name: 'v' }, { name: 'v' }] } },
    'spec.volumes[1].name: Duplicate value: "v"',
  ],
  'a volume has one source': [
    { spec: { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/a' } }] } },
    'spec.volumes[0].hostPath: Forbidden: a volume may not have more than one source',
  ],
  'two volumes may be mounted, one of them twice': [
    {
      spec: { volumes: [{ name: 'v' }, { name: 'w' }] },
      container: { volumeMounts: [mount('v', '/a'), mount('w', '/b'), mount('v', '/c')] },
    },
  ],
  'a mount needs its volume': [
    { spec: { volumes: [{ name: 'data' }] }, container: { volumeMounts: [mount('dta', '/a')] } },
    `${main}.volumeMounts[0].name: Not found: "dta"`,
  ],
  'a mount of a volume whose name is faulty is no further fault': [
    { spec: { volumes: [{ name: 'Data' }] }, container: { volumeMounts: [mount('Data', '/a')] } },
    'spec.volumes[0].name: Invalid value: "Data"',
  ],
  'mounts of volumes that cannot be read are no further faults': [
    { spec: { volumes: { name: 'v' } }, container: { volumeMounts: [mount('v', '/a')] } },
    'spec.volumes: Invalid value: a map: must be a list',
  ],
  'a place has one mount': [
    {
      spec: { volumes: [{ name: 'v' }] },
      container: { volumeMounts: [mount('v', '/a'), mount('v', '/a')] },
    },
    `${main}.volumeMounts[1].mountPath: Duplicate value: "/a"`,
  ],
  'a mount may be of one part, with later mounts of the node': [
    {
      spec: { volumes: [{ name: 'v' }] },
      container: {
        securityContext: { privileged: true },
        volumeMounts: [
          { ...mount('v', '/a'), subPath: 'x', mountPropagation: 'HostToContainer' },
          { ...mount('v', '/b'), subPathExpr: '$(X)', mountPropagation: 'Bidirectional' },
          { ...mount('v', '/c'), readOnly: true, recursiveReadOnly: 'Enabled' },
        ],
      },
    },
  ],
  'a mount is of one part, not of two': [
    {
      spec: { volumes: [{ name: 'v' }] },
      container: { volumeMounts: [{ ...mount('v', '/a'), subPath: 'x', subPathExpr: 'y' }] },
    },
    `${main}.volumeMounts[0].subPathExpr: Invalid value: "y": subPathExpr and subPath are mutually exclusive`,
  ],
  'mounts get out of privileged containers only': [
    {
      spec: { volumes: [{ name: 'v' }] },
      container: { volumeMounts: [{ ...mount('v', '/a'), mountPropagation: 'Bidirectional' }] },
    },
    `${main}.volumeMounts[0].mountPropagation: Forbidden: Bidirectional mount propagation is for privileged`,
  ],
  'only what is read-only and private is so recursively': [
    {
      spec: { volumes: [{ name: 'v' }] },
      container: {
        volumeMounts: [
          {
            ...mount('v', '/a'),
            recursiveReadOnly: 'IfPossible',
            mountPropagation: 'HostToContainer',
          },
        ],
      },
    },
    `${main}.volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when readOnly is true`,
    `${main}.volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None`,
  ],
  'a request may be as large as the limit': [
    {
      container: {
        resources: {
          requests: { cpu: '500m', memory: '1Gi' },
          limits: { cpu: 0.5, memory: 1073741824 },
        },
      },
    },
  ],
  'a request may not be larger': [
    { container: { resources: { requests: { cpu: '501m' }, limits: { cpu: 0.5 } } } },
    `${main}.resources.requests.cpu: Invalid value: "501m": must be less than or equal to the cpu limit of 0.5`,
  ],
  'resources that are not handed out': [
    {
      container: {
        resources: { limits: { 'hugepages-x': 1, 'a.kubernetes.io/x': 1, cpus: 1, toString: 1 } },
      },
    },
    `${main}.resources.limits["hugepages-x"]: Invalid value: "hugepages-x": must be a standard resource`,
    `${main}.resources.limits["a.kubernetes.io/x"]: Invalid value: "a.kubernetes.io/x": must be a standard resource`,
    `${main}.resources.limits.cpus: Invalid value: "cpus": must be a standard resource`,
    `${main}.resources.limits.toString: Invalid value: "toString": must be a standard resource`,
  ],
  'devices, whose request is the limit if it is given': [
    {
      container: {
        resources: { requests: { 'nvidia.com/gpu': 2 }, limits: { 'nvidia.com/gpu': '2' } },
      },
    },
  ],
  'devices are whole, and all of a limit is given': [
    {
      container: {
        resources: {
          requests: { 'aa.test/b.c': 1, 'acme.test/npu': 1 },
          limits: { 'nvidia.com/gpu': '500m', 'acme.test/npu': 2, 'x/y': 1 },
        },
      },
    },
    `${main}.resources.requests["acme.test/npu"]: Invalid value: 1: must be equal to acme.test/npu limit of 2`,
    `${main}.resources.limits["aa.test/b.c"]: Required value: Limit must be set`,
    `${main}.resources.limits["nvidia.com/gpu"]: Invalid value: "500m": must be an integer of at most 4096`,
    `${main}.resources.limits["x/y"]: Invalid value: "x/y": must be the kind of a device`,
  ],
  'annotations that name devices': [
    { metadata: { annotations: { 'cdi.k8s.io/a': 'nvidia.com/gpu=0, nvidia.com/gpu=MIG-1' } } },
  ],
  'annotations that name something else': [
    { metadata: { annotations: { 'cdi.k8s.io/a': 'gpu0' } } },
    'metadata.annotations["cdi.k8s.io/a"]: Invalid value: "gpu0": must be the full name of a device',
  ],
  'huge pages come whole, and beside cpu or memory': [
    {
      container: {
        resources: {
          requests: { 'hugepages-1Gi': '1Gi' },
          limits: { cpu: 1, 'hugepages-2Mi': '4Mi', 'hugepages-1Gi': '1Gi' },
        },
      },
      spec: {
        volumes: [
          { name: 'two', emptyDir: { medium: 'HugePages-2Mi' } },
          { name: 'one', emptyDir: { medium: 'HugePages-1Gi' } },
        ],
      },
    },
  ],
  'huge pages are not divided': [
    { container: { resources: { limits: { cpu: 1, 'hugepages-2Mi': '3Mi' } } } },
    `${main}.resources.limits["hugepages-2Mi"]: Invalid value: "3Mi": must be a multiple of the page size`,
  ],
  'huge pages do not come alone': [
    { container: { resources: { limits: { 'hugepages-2Mi': '2Mi' } } } },
    `${main}.resources: Forbidden: huge pages require cpu or memory`,
  ],
  'huge pages are requested as they are limited': [
    {
      container: {
        resources: {
          requests: { 'hugepages-2Mi': '2Mi', 'hugepages-1Gi': '1Gi' },
          limits: { cpu: 1, 'hugepages-2Mi': '4Mi' },
        },
      },
    },
    `${main}.resources.requests["hugepages-2Mi"]: Invalid value: "2Mi": must be equal to the hugepages-2Mi limit of 4Mi`,
    `${main}.resources.limits["hugepages-1Gi"]: Required value: huge pages need a limit`,
  ],
  'a volume of huge pages is one of those that the pod has': [
    {
      container: {
        resources: { limits: { cpu: 1, 'hugepages-2Mi': '2Mi', 'hugepages-1Gi': '1Gi' } },
      },
      spec: {
        volumes: [
          { name: 'some', emptyDir: { medium: 'HugePages' } },
          { name: 'other', emptyDir: { medium: 'HugePages-64Ki' } },
        ],
      },
    },
    'spec.volumes[0].emptyDir.medium: Invalid value: "HugePages": the pod must have a limit on huge pages of one size',
    'spec.volumes[1].emptyDir.medium: Invalid value: "HugePages-64Ki": the pod must have a limit on huge pages of this size',
  ],
  'a pod as a whole has what its containers need': [
    {
      container: { resources: { requests: { cpu: '500m' }, limits: { memory: '1Gi' } } },
      spec: {
        resources: { requests: { cpu: 0.5 }, limits: { memory: '1Gi', 'hugepages-2Mi': '2Mi' } },
        volumes: [{ name: 'pages', emptyDir: { medium: 'HugePages' } }],
      },
    },
  ],
  'a pod as a whole has no less': [
    {
      container: { resources: { requests: { cpu: '501m' }, limits: { memory: '2Gi' } } },
      spec: { resources: { requests: { cpu: 0.5 }, limits: { memory: '1Gi' } } },
    },
    `${main}.resources.limits.memory: Invalid value: "2Gi": must be less than or equal to the pod's limit of 1Gi`,
    'spec.resources.requests.cpu: Invalid value: 0.5: must be at least the 0.501 that its containers request',
    'spec.resources.limits.memory: Invalid value: "1Gi": must be at least the 2147483648 that its containers request',
  ],
  'a limit of the pod as a whole may be just what its containers request': [
    together({ limits: { cpu: 0.3, memory: '2Gi', 'hugepages-2Mi': '4Mi' } }, [
      requesting({ cpu: 0.1, memory: '1Gi' }),
      limitedTo({ cpu: '100m', memory: '1Gi', 'hugepages-2Mi': '2Mi' }),
      limitedTo({ cpu: '100m', 'hugepages-2Mi': '2Mi' }),
    ]),
  ],
  'a limit of the pod as a whole is no less than its containers request': [
    together({ limits: { cpu: '299m', memory: '2047Mi', 'hugepages-2Mi': '2Mi' } }, [
      requesting({ cpu: 0.1, memory: '1Gi' }),
      limitedTo({ cpu: '100m', memory: '1Gi', 'hugepages-2Mi': '2Mi' }),
      limitedTo({ cpu: '100m', 'hugepages-2Mi': '2Mi' }),
    ]),
    'spec.resources.limits.cpu: Invalid value: "299m": must be at least the 0.3 that its containers request',
    'spec.resources.limits.memory: Invalid value: "2047Mi": must be at least the 2147483648 that',
    'spec.resources.limits["hugepages-2Mi"]: Invalid value: "2Mi": must be at least the 4194304 that',
  ],
  'init containers are over when the others run': [
    together(
      { limits: { cpu: 1 } },
      [requesting({ cpu: '400m' })],
      [requesting({ cpu: 1 }), sidecar('600m')],
    ),
  ],
  'sidecars run beside the init containers after them': [
    together(
      { limits: { cpu: 1 } },
      [requesting({ cpu: '400m' })],
      [sidecar('600m'), requesting({ cpu: 1 })],
    ),
    'spec.resources.limits.cpu: Invalid value: 1: must be at least the 1.6 that its containers request',
  ],
  'sidecars run beside the app containers': [
    together({ limits: { cpu: 1 } }, [requesting({ cpu: '401m' })], [sidecar('600m')]),
    'spec.resources.limits.cpu: Invalid value: 1: must be at least the 1.001 that its containers request',
  ],
  'a pod as a whole has cpu, memory and huge pages': [
    { spec: { resources: { limits: { cpu: 1, 'ephemeral-storage': 1, 'a.test/b': 1 } } } },
    'spec.resources.limits["ephemeral-storage"]: Invalid value: "ephemeral-storage": must be a standard resource of a pod',
    'spec.resources.limits["a.test/b"]: Forbidden: devices are given to containers',
  ],
  'a resize may restart what can be restarted': [
    {
      container: { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] },
      init: {
        restartPolicy: 'Always',
        resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }],
      },
    },
  ],
  'a resize may leave alone what is not restarted': [
    {
      spec: { restartPolicy: 'Never' },
      container: { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] },
      init: { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] },
    },
  ],
  'a resize may not restart what is not restarted': [
    {
      spec: { restartPolicy: 'Never' },
      container: { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] },
      init: { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] },
    },
    'spec.initContainers[0].resizePolicy[0].restartPolicy: Forbidden: an init container is not',
    `${main}.resizePolicy[0].restartPolicy: Invalid value: "RestartContainer": must be NotRequired in a pod`,
  ],
  'more CPUs than the kernel can count': [
    { container: { resources: { limits: { cpu: '2M' } } } },
    `${main}.resources.limits.cpu: Invalid value: "2M": must be at most 1000000`,
  ],
  'privileges may be kept from growing': [
    {
      container: {
        securityContext: { allowPrivilegeEscalation: false, capabilities: { add: ['SYS_ADMIN'] } },
      },
    },
  ],
  'privileges that are all there cannot be kept from growing': [
    {
      container: {
        securityContext: {
          allowPrivilegeEscalation: false,
          privileged: true,
          capabilities: { add: ['CAP_SYS_ADMIN'] },
        },
      },
    },
    `${main}.securityContext.allowPrivilegeEscalation: Invalid value: false: cannot be false together with privileged`,
    `${main}.securityContext.allowPrivilegeEscalation: Invalid value: false: cannot be false together with CAP_SYS_ADMIN`,
  ],
  'a probe does one thing': [
    {
      container: {
        readinessProbe: { exec: { command: ['a'] }, grpc: { port: 1 }, httpGet: { port: 1 } },
      },
    },
    `${main}.readinessProbe.grpc: Forbidden: may not have more than one handler`,
    `${main}.readinessProbe.httpGet: Forbidden: may not have more than one handler`,
  ],
  'only readiness waits for several successes': [
    {
      container: {
        startupProbe: { ...exec, successThreshold: 2 },
        livenessProbe: { ...exec, successThreshold: 1 },
        readinessProbe: { ...exec, successThreshold: 2 },
      },
    },
    `${main}.startupProbe.successThreshold: Invalid value: 2: must be 1`,
  ],
  'a container that is not ready is not stopped': [
    { container: { readinessProbe: { ...exec, terminationGracePeriodSeconds: 5 } } },
    `${main}.readinessProbe.terminationGracePeriodSeconds: Forbidden: must not be set for readinessProbes`,
  ],
  'sidecars have probes': [{ init: { restartPolicy: 'Always', startupProbe: exec } }],
  'init containers that end have none': [
    { init: { startupProbe: exec, readinessProbe: exec } },
    'spec.initContainers[0].startupProbe: Forbidden: must not be set for init containers without',
    'spec.initContainers[0].readinessProbe: Forbidden: must not be set for init containers without',
  ],
  'a hook does one thing': [
    { container: { lifecycle: { preStop: { ...exec, sleep: { seconds: 1 } } } } },
    `${main}.lifecycle.preStop.sleep: Forbidden: may not have more than one handler`,
  ],
  'a hook may sleep through all of the grace': [
    {
      spec: { terminationGracePeriodSeconds: 5 },
      container: { lifecycle: { preStop: { sleep: { seconds: 5 } } } },
    },
  ],
  'a hook may not sleep longer': [
    { container: { lifecycle: { postStart: { sleep: { seconds: 31 } } } } },
    `${main}.lifecycle.postStart.sleep.seconds: Invalid value: 31: must be at most terminationGracePeriodSeconds (30)`,
  ],
  'init containers that end have no hooks': [
    { init: { lifecycle: { preStop: exec } } },
    'spec.initContainers[0].lifecycle: Forbidden: must not be set for init containers without',
  ],
  'a stop signal with its system': [
    { spec: { os: { name: 'linux' } }, container: { lifecycle: { stopSignal: 'SIGRTMIN+3' } } },
  ],
  'a stop signal of no system': [
    { container: { lifecycle: { stopSignal: 'SIGINT' } } },
    `${main}.lifecycle.stopSignal: Forbidden: may not be set without spec.os.name`,
  ],
  'an empty lifecycle is none': [{ init: { lifecycle: {} } }],
  'processes are shared with the pod or with the node': [
    { spec: { shareProcessNamespace: true, hostPID: true } },
    'spec.shareProcessNamespace: Invalid value: true: cannot be combined with hostPID',
  ],
  'a profile of the node has a name, others have none': [
    {
      spec: {
        securityContext: {
          seccompProfile: { type: 'Localhost' },
          appArmorProfile: { type: 'Unconfined', localhostProfile: 'x' },
        },
      },
      container: { securityContext: { appArmorProfile: { type: 'Localhost' } } },
      init: {
        securityContext: { seccompProfile: { type: 'RuntimeDefault', localhostProfile: 'x' } },
      },
    },
    'spec.initContainers[0].securityContext.seccompProfile.localhostProfile: Forbidden: it goes',
    `${main}.securityContext.appArmorProfile.localhostProfile: Required value: the type Localhost`,
    'spec.securityContext.seccompProfile.localhostProfile: Required value: the type Localhost',
    'spec.securityContext.appArmorProfile.localhostProfile: Forbidden: it goes with the type Localhost',
  ],
  "users of its own do not go with the node's namespaces": [
    { spec: { hostUsers: false, hostNetwork: true, hostPID: true, hostIPC: true } },
    ...['hostNetwork', 'hostPID', 'hostIPC'].map(
      (field) => `spec.${field}: Forbidden: it cannot be combined with hostUsers: false`,
    ),
  ],
  "all of /proc is for users of the pod's own": [
    { container: { securityContext: { procMount: 'Unmasked' } } },
    `${main}.securityContext.procMount: Invalid value: "Unmasked": needs hostUsers: false`,
  ],
  'a faulty hostUsers does not make procMount one more fault': [
    { spec: { hostUsers: 'no!' }, container: { securityContext: { procMount: 'Unmasked' } } },
    'spec.hostUsers: Invalid value: "no!"',
  ],
};

for (const [title, [additions, ...starts]] of Object.entries(cases)) {
  test(title, (t) => {
    const faults = faultsIn(aManifest(additions));
    t.deepEqual(
      faults.map((fault, index) => fault.slice(0, starts[index]?.length)),
      starts,
    );
  });
}
