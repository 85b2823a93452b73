import test from 'ava';
import { aManifest, faultsIn } from '../../testing/manifests.ts';
import type { Additions } from '../../testing/manifests.ts';

const long = (length: number): string => 'a'.repeat(length);
/** A name of 253 characters, and one of more. */
const longName = (more = 0): string => [63, 63, 63, 61 + more].map(long).join('.');
const main = 'spec.containers[0]';
const security = `${main}.securityContext`;
const rule = (exitCodes: unknown, action: unknown = 'Restart'): Additions => ({
  container: { restartPolicy: 'Never', restartPolicyRules: [{ action, exitCodes }] },
});
const rules = (count: number): Additions => ({
  container: {
    restartPolicy: 'Never',
    restartPolicyRules: Array.from({ length: count }, () => ({
      action: 'Restart',
      exitCodes: { operator: 'In', values: [1] },
    })),
  },
});
const sysctl = (name: string): Additions => ({
  spec: { securityContext: { sysctls: [{ name, value: '1' }] } },
});
const port = (fields: object): Additions => ({
  container: { ports: [{ containerPort: 80, ...fields }] },
});
const exec = { exec: { command: ['true'] } };
const probe = (livenessProbe: object): Additions => ({ container: { livenessProbe } });
const env = (...list: unknown[]): Additions => ({ container: { env: list } });
const from = (valueFrom: object): Additions => ({
  ...env({ name: 'A', valueFrom }),
  spec: { volumes: [{ name: 'v' }] },
});
const volume = (fields: object): Additions => ({ spec: { volumes: [{ name: 'v', ...fields }] } });
/** A mount of a volume that is there. */
const mount = (fields: object): Additions => ({
  ...volume({}),
  container: { volumeMounts: [{ name: 'v', mountPath: '/v', ...fields }] },
});
const mounted = `${main}.volumeMounts[0]`;
const limits = (fields: object): Additions => ({ container: { resources: { limits: fields } } });

const accepted: Readonly<Record<string, Additions>> = {
  'a plain pod': {},
  'a name of 210 characters': { metadata: { name: `${long(104)}.${long(105)}` } },
  'a handler and an object with names of 253 characters': {
    spec: {
      runtimeClassName: longName(),
      volumes: [{ name: 'v', configMap: { name: longName() } }],
    },
  },
  'a namespace of 63 characters': { metadata: { namespace: long(63) } },
  'a uid as the API server makes them': {
    metadata: { uid: '0f3c6b1e-1d3c-4f43-9d40-3f2f3f1c7a55' },
  },
  'what is null or empty counts as absent': {
    metadata: { namespace: null, creationTimestamp: null },
    spec: { hostname: '', restartPolicy: '', subdomain: '', volumes: null },
    container: { workingDir: null, livenessProbe: null, imagePullPolicy: '' },
  },
  'a refused field with a value that changes nothing': {
    spec: { hostUsers: true, setHostnameAsFQDN: false, imagePullSecrets: [], resources: {} },
    container: {
      lifecycle: {},
      envFrom: [],
      volumeDevices: [],
      securityContext: { procMount: 'Default' },
    },
  },
  'every restart policy': { spec: { restartPolicy: 'OnFailure' } },
  'the shortest deadline': { spec: { activeDeadlineSeconds: 1 } },
  'the longest deadline': { spec: { activeDeadlineSeconds: 2147483647 } },
  'a negative grace period': { spec: { terminationGracePeriodSeconds: -1 } },
  'Linux as the system': { spec: { os: { name: 'linux' } } },
  'a search domain with underscore and final dot': {
    spec: { dnsConfig: { searches: ['.', '_tcp.example.org.'], nameservers: ['2001:db8::1'] } },
  },
  'a full name of 64 characters': { spec: { hostnameOverride: `${long(31)}.${long(32)}` } },
  'a subdomain that is part of the hostname': {
    spec: { subdomain: long(63), setHostnameAsFQDN: true },
  },
  'a host alias': { spec: { hostAliases: [{ ip: '10.0.0.1', hostnames: ['db', 'db.local'] }] } },
  'a DNS option with and without value': {
    spec: { dnsConfig: { options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] } },
  },
  'a sysctl with slashes': sysctl('net/ipv4/tcp_syncookies'),
  'a sysctl of 253 characters': sysctl(`net.${long(249)}`),
  '20 rules': rules(20),
  'ids from 0 to the largest': {
    spec: { securityContext: { runAsUser: 0, fsGroup: 2147483647, supplementalGroups: [0, 5] } },
  },
  'an image with digest': { container: { image: 'r.example:5000/a/b@sha256:0123' } },
  'arguments with anything printable, line breaks and tabs': {
    container: { command: ['sh', '-c', 'echo\n\t"$(X)" \u001b[1m'], args: [''] },
  },
  'a variable that begins with a digit': env({ name: '1 A-b.c$', value: '' }),
  'a variable from every field': env(
    ...[
      'metadata.name',
      'metadata.namespace',
      'metadata.uid',
      "metadata.labels['a.b/c']",
      "metadata.annotations['x']",
      'spec.nodeName',
      'spec.serviceAccountName',
      'status.hostIP',
      'status.hostIPs',
      'status.podIP',
      'status.podIPs',
    ].map((fieldPath, i) => ({ name: `V${i}`, valueFrom: { fieldRef: { fieldPath } } })),
  ),
  'a variable from every other source': env(
    { name: 'A', valueFrom: { configMapKeyRef: { name: 'a.b', key: 'x_1.Y-z', optional: true } } },
    { name: 'B', valueFrom: { secretKeyRef: { name: 'a', key: '.dockerconfigjson' } } },
    ...['limits.cpu', 'requests.memory', 'limits.ephemeral-storage', 'requests.hugepages-2Mi'].map(
      (resource) => ({ name: 'C', valueFrom: { resourceFieldRef: { resource } } }),
    ),
  ),
  'variables from whole objects': {
    container: {
      envFrom: [
        { prefix: 'a.b-c', configMapRef: { name: 'a', optional: true } },
        { secretRef: { name: 'b' } },
      ],
    },
  },
  'volumes of files': {
    spec: {
      volumes: [
        { name: 'a', configMap: { name: 'a' } },
        { name: 'b', secret: { secretName: 'b', defaultMode: 0, optional: true } },
        { name: 'c', downwardAPI: {} },
        { name: 'd', projected: { sources: null, defaultMode: 0o777 } },
        { name: 'e', persistentVolumeClaim: { claimName: 'e' } },
        { name: 'f', configMap: { name: 'a', items: [{ key: '.a', path: 'b/..c/.d', mode: 0 }] } },
      ],
    },
  },
  'the first and the last port': {
    container: {
      ports: [
        { containerPort: 1, hostPort: 65535 },
        { containerPort: 65535, hostPort: 0 },
      ],
    },
  },
  'a port name of 15 characters': port({ name: long(15) }),
  'a port with everything': port({
    name: 'a-0',
    protocol: 'SCTP',
    hostIP: '127.0.0.1',
    hostPort: 80,
  }),
  'probes of every kind': {
    container: {
      startupProbe: { exec: { command: ['a'] }, terminationGracePeriodSeconds: 1 },
      livenessProbe: {
        httpGet: {
          port: 'web',
          httpHeaders: [
            { name: 'X-A', value: 'b\tc' },
            { name: 'x-1', value: '£ ÿ\u00a0 €\u{1f600}' },
          ],
        },
        periodSeconds: 0,
      },
      readinessProbe: { grpc: { port: 65535 }, successThreshold: 5 },
    },
  },
  'hooks of every kind': {
    container: {
      lifecycle: { postStart: { httpGet: { port: 80 } }, preStop: { sleep: { seconds: 0 } } },
    },
  },
  'quantities as text and numbers': {
    container: { resources: { requests: { cpu: 0.5, memory: '64Mi' }, limits: { cpu: '1e0' } } },
  },
  'a quantity of nothing': limits({ cpu: 0, memory: '0' }),
  'exit code 0 and no codes at all': {
    container: {
      restartPolicy: 'Never',
      restartPolicyRules: [
        { action: 'Restart', exitCodes: { operator: 'In', values: [0, 0, -1, 300] } },
        { action: 'RestartAllContainers', exitCodes: { operator: 'NotIn' } },
        { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [] } },
      ],
    },
  },
  '255 exit codes': rule({ operator: 'In', values: Array.from({ length: 255 }, (_, i) => i) }),
  'an emptyDir in memory': volume({ emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } }),
  'a volume without source': volume({}),
  'a hostPath with a type': volume({ hostPath: { path: '/dev/null', type: 'CharDevice' } }),
  'an image volume': volume({ image: { reference: 'a.test/files:1', pullPolicy: 'Never' } }),
  'a hostPath with dots in a name': volume({ hostPath: { path: '/a..b/..c/.' } }),
  'a mount with the propagation that is default': {
    ...volume({}),
    container: {
      volumeMounts: [
        { name: 'v', mountPath: '/v', mountPropagation: 'None', recursiveReadOnly: 'Disabled' },
      ],
    },
  },
  'a mount of a part, whatever its names look like': mount({
    subPath: 'a/..b/.c/',
    readOnly: true,
  }),
  'a mount of a part that a variable names': mount({ subPathExpr: '$(POD)/logs' }),
  'a mount with every propagation': {
    ...volume({}),
    container: {
      securityContext: { privileged: true },
      volumeMounts: ['None', 'HostToContainer', 'Bidirectional'].map((mountPropagation) => ({
        name: 'v',
        mountPath: `/${mountPropagation}`,
        mountPropagation,
      })),
    },
  },
  'a mount that is read-only below in every way': {
    ...volume({}),
    container: {
      volumeMounts: ['Disabled', 'IfPossible', 'Enabled'].map((recursiveReadOnly) => ({
        name: 'v',
        mountPath: `/${recursiveReadOnly}`,
        readOnly: true,
        recursiveReadOnly,
      })),
    },
  },
  'a runtime class': { spec: { runtimeClassName: 'nvidia.v2' } },
  'a class of priority': { spec: { priorityClassName: 'system-node-critical', priority: 1000 } },
  'readiness gates, with and without a domain': {
    spec: { readinessGates: [{ conditionType: 'example.org/Ready' }, { conditionType: 'warm' }] },
  },
  'both schemes': {
    container: {
      livenessProbe: { httpGet: { port: 80, scheme: 'HTTP' } },
      readinessProbe: { httpGet: { port: 443, scheme: 'HTTPS' } },
    },
  },
  'capabilities in both spellings': {
    container: {
      securityContext: { capabilities: { add: ['NET_ADMIN'], drop: ['ALL', 'CAP_CHOWN'] } },
    },
  },
  'users of its own and all of /proc': {
    spec: { hostUsers: false },
    container: { securityContext: { procMount: 'Unmasked' } },
  },
  'profiles of the node, and labels': {
    spec: {
      securityContext: {
        seccompProfile: { type: 'Localhost', localhostProfile: 'a..b/strict.json' },
        appArmorProfile: { type: 'Localhost', localhostProfile: 'k8s (nginx)' },
        seLinuxOptions: { user: 'u', role: 'r', type: 't', level: 's0:c1,c2' },
        supplementalGroupsPolicy: 'Strict',
      },
    },
  },
  'seccomp of the runtime': {
    container: { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
  },
};

for (const dnsPolicy of ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']) {
  test(`accepted: the dnsPolicy ${dnsPolicy}`, (t) => {
    const dnsConfig = { nameservers: ['10.0.0.10'] };
    t.deepEqual(faultsIn(aManifest({ spec: { dnsPolicy, dnsConfig } })), []);
  });
}
for (const fsGroupChangePolicy of ['OnRootMismatch', 'Always']) {
  test(`accepted: the fsGroupChangePolicy ${fsGroupChangePolicy}`, (t) => {
    t.deepEqual(faultsIn(aManifest({ spec: { securityContext: { fsGroupChangePolicy } } })), []);
  });
}

for (const [title, additions] of Object.entries(accepted)) {
  test(`accepted: ${title}`, (t) => t.deepEqual(faultsIn(aManifest(additions)), []));
}

/** What is wrong, and how the one fault that tells it begins. */
const refused: Readonly<Record<string, readonly [Additions, string]>> = {
  'no name': [{ metadata: { name: undefined } }, 'metadata.name: Required value'],
  'an empty name': [{ metadata: { name: '' } }, 'metadata.name: Required value'],
  'a name in capitals': [
    { metadata: { name: 'Pod' } },
    'metadata.name: Invalid value: "Pod": must',
  ],
  'a name of 254 characters': [
    { metadata: { name: `${long(126)}.${long(127)}` } },
    'metadata.name: Invalid value',
  ],
  'a name that climbs': [{ metadata: { name: '../../etc' } }, 'metadata.name: Invalid value'],
  'a namespace that climbs': [
    { metadata: { namespace: '..' } },
    'metadata.namespace: Invalid value',
  ],
  'a namespace of 64 characters': [
    { metadata: { namespace: long(64) } },
    'metadata.namespace: Invalid value',
  ],
  'a uid that climbs': [{ metadata: { uid: '../x' } }, 'metadata.uid: Invalid value'],
  'a label that is a number': [
    { metadata: { labels: { a: 1 } } },
    'metadata.labels.a: Invalid value: 1: must be text',
  ],
  'a label that is null': [
    { metadata: { labels: { a: null } } },
    'metadata.labels.a: Invalid value: null',
  ],
  'an unknown field of the pod': [
    { spec: { restart: 1 } },
    'spec.restart: unknown field "restart"',
  ],
  'an unknown field of metadata': [{ metadata: { nam: 1 } }, 'metadata.nam: unknown field "nam"'],
  'a field of every object there is': [
    { container: { constructor: 1 } },
    `${main}.constructor: unknown field "constructor"`,
  ],
  'an unknown policy': [
    { spec: { restartPolicy: 'never' } },
    'spec.restartPolicy: Unsupported value: "never": supported values: "Always", "OnFailure", "Never"',
  ],
  'a deadline of nothing': [
    { spec: { activeDeadlineSeconds: 0 } },
    'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
  ],
  'a deadline of 32 bits': [
    { spec: { activeDeadlineSeconds: 2 ** 31 } },
    'spec.activeDeadlineSeconds: Invalid value: 2147483648: must be between 1 and 2147483647',
  ],
  'a deadline with a fraction': [
    { spec: { activeDeadlineSeconds: 1.5 } },
    'spec.activeDeadlineSeconds: Invalid value: 1.5: must be a whole number',
  ],
  'an enormous grace period': [
    { spec: { terminationGracePeriodSeconds: 1e300 } },
    'spec.terminationGracePeriodSeconds: Invalid value: 1e+300: must be between',
  ],
  'another system': [
    { spec: { os: { name: 'windows' } } },
    'spec.os.name: Unsupported value: "windows": supported values: "linux"',
  ],
  'a hostname with dots': [{ spec: { hostname: 'a.b' } }, 'spec.hostname: Invalid value'],
  'a nameserver by name': [
    { spec: { dnsConfig: { nameservers: ['dns.example.org'] } } },
    'spec.dnsConfig.nameservers[0]: Invalid value: "dns.example.org": must be a valid IP address',
  ],
  'an empty nameserver': [
    { spec: { dnsConfig: { nameservers: [''] } } },
    'spec.dnsConfig.nameservers[0]: Invalid value',
  ],
  'a search that is no domain': [
    { spec: { dnsConfig: { searches: ['a b'] } } },
    'spec.dnsConfig.searches[0]: Invalid value',
  ],
  'a DNS option with a line break': [
    { spec: { dnsConfig: { options: [{ name: 'ndots:2\nnameserver 6.6.6.6' }] } } },
    'spec.dnsConfig.options[0].name: Invalid value',
  ],
  'a DNS option without name': [
    { spec: { dnsConfig: { options: [{ value: '1' }] } } },
    'spec.dnsConfig.options[0].name: Required value',
  ],
  'a host alias with a line break': [
    { spec: { hostAliases: [{ ip: '1.2.3.4', hostnames: ['a\n6.6.6.6 b'] }] } },
    'spec.hostAliases[0].hostnames[0]: Invalid value',
  ],
  'a host alias without address': [
    { spec: { hostAliases: [{ hostnames: ['a'] }] } },
    'spec.hostAliases[0].ip: Required value',
  ],
  'a handler with a name of 254 characters': [
    { spec: { runtimeClassName: longName(1) } },
    'spec.runtimeClassName: Invalid value',
  ],
  'an object with a name of 254 characters': [
    volume({ configMap: { name: longName(1) } }),
    'spec.volumes[0].configMap.name: Invalid value',
  ],
  'a sysctl in capitals': [sysctl('Net'), 'spec.securityContext.sysctls[0].name: Invalid value'],
  'a sysctl of 254 characters': [
    sysctl(`net.${long(250)}`),
    'spec.securityContext.sysctls[0].name: Invalid value',
  ],
  'a negative user': [
    { spec: { securityContext: { runAsUser: -1 } } },
    'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  'a group too large': [
    { spec: { securityContext: { fsGroup: 2147483648 } } },
    'spec.securityContext.fsGroup: Invalid value: 2147483648: must be between',
  ],
  'a container in capitals': [
    { container: { name: 'Main' } },
    `${main}.name: Invalid value: "Main"`,
  ],
  'a container of 64 characters': [
    { container: { name: long(64) } },
    `${main}.name: Invalid value`,
  ],
  'a container that climbs': [{ container: { name: '..' } }, `${main}.name: Invalid value`],
  'a container with a control character': [
    { container: { name: 'a\u001b[2J' } },
    `${main}.name: Invalid value: "a\\u001b[2J"`,
  ],
  'no image': [{ container: { image: '' } }, `${main}.image: Required value: image must be set`],
  'an image after a space': [{ container: { image: ' a' } }, `${main}.image: Invalid value: " a"`],
  'an image with a line break': [{ container: { image: 'a\nb' } }, `${main}.image: Invalid value`],
  'a command that is text': [
    { container: { command: 'echo hi' } },
    `${main}.command: Invalid value: "echo hi": must be a list`,
  ],
  'a number among arguments': [
    { container: { args: ['a', 1] } },
    `${main}.args[1]: Invalid value: 1: must be text`,
  ],
  'a working directory with a control character': [
    { container: { workingDir: '/a\u0007' } },
    `${main}.workingDir: Invalid value`,
  ],
  'a pull secret whose name none could have': [
    { spec: { imagePullSecrets: [{ name: '../x' }] } },
    'spec.imagePullSecrets[0].name: Invalid value: "../x"',
  ],
  'a pull secret with more than a name': [
    { spec: { imagePullSecrets: [{ name: 'a', namespace: 'b' }] } },
    'spec.imagePullSecrets[0].namespace: unknown field "namespace"',
  ],
  'a node that none could be': [
    { spec: { nodeName: 'a b' } },
    'spec.nodeName: Invalid value: "a b": must consist of',
  ],
  'a class of priority that none could be': [
    { spec: { priorityClassName: 'High' } },
    'spec.priorityClassName: Invalid value: "High": must consist of',
  ],
  'a readiness gate that is no name': [
    { spec: { readinessGates: [{ conditionType: 'a b' }] } },
    'spec.readinessGates[0].conditionType: Invalid value: "a b": must be a name',
  ],
  'a readiness gate without a condition': [
    { spec: { readinessGates: [{}] } },
    'spec.readinessGates[0].conditionType: Required value: conditionType must be set',
  ],
  'a runtime class that none could be': [
    { spec: { runtimeClassName: 'nvidia_v2' } },
    'spec.runtimeClassName: Invalid value: "nvidia_v2": must consist of',
  ],
  'a dnsPolicy that is none': [
    { spec: { dnsPolicy: 'clusterFirst' } },
    'spec.dnsPolicy: Unsupported value: "clusterFirst"',
  ],
  'a policy for fsGroup that is none': [
    { spec: { securityContext: { fsGroupChangePolicy: 'Never' } } },
    'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Never": supported values: "OnRootMismatch", "Always"',
  ],
  'a mount at no place': [mount({ mountPath: '' }), `${mounted}.mountPath: Required value`],
  'a mount of no volume': [mount({ name: undefined }), `${mounted}.name: Required value`],
  'a mount of an absolute part': [
    mount({ subPath: '/etc' }),
    `${mounted}.subPath: Invalid value: "/etc": must be a relative path`,
  ],
  'a mount of a part outside of its volume': [
    mount({ subPath: 'a/../../b' }),
    `${mounted}.subPath: Invalid value: "a/../../b": must not contain ".."`,
  ],
  'a mount of an absolute part that a variable names': [
    mount({ subPathExpr: '/$(POD)' }),
    `${mounted}.subPathExpr: Invalid value: "/$(POD)": must be a relative path`,
  ],
  'a mount of a part outside of its volume that a variable names': [
    mount({ subPathExpr: '$(POD)/..' }),
    `${mounted}.subPathExpr: Invalid value: "$(POD)/..": must not contain ".."`,
  ],
  'a mount with a propagation that is none': [
    mount({ mountPropagation: 'Private' }),
    `${mounted}.mountPropagation: Unsupported value: "Private"`,
  ],
  'a mount that is read-only below in a way that is none': [
    mount({ recursiveReadOnly: true }),
    `${mounted}.recursiveReadOnly: Unsupported value: true: supported values: "Disabled", "IfPossible", "Enabled"`,
  ],
  'a block device': [
    { ...volume({}), container: { volumeDevices: [{ name: 'v', devicePath: '/dev/xvda' }] } },
    `${main}.volumeDevices: Forbidden: a claim is a folder here`,
  ],
  'a resize of what is not resized': [
    { container: { resizePolicy: [{ resourceName: 'disk', restartPolicy: 'NotRequired' }] } },
    `${main}.resizePolicy[0].resourceName: Unsupported value: "disk"`,
  ],
  'a resize in another way': [
    { container: { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'Maybe' }] } },
    `${main}.resizePolicy[0].restartPolicy: Unsupported value: "Maybe"`,
  ],
  'an unknown pull policy': [
    { container: { imagePullPolicy: 'Sometimes' } },
    `${main}.imagePullPolicy: Unsupported value: "Sometimes"`,
  ],
  'true as text': [
    { container: { tty: 'true' } },
    `${main}.tty: Invalid value: "true": must be true or false`,
  ],
  'a variable without name': [env({ value: 'a' }), `${main}.env[0].name: Required value`],
  'a variable with =': [env({ name: 'A=B' }), `${main}.env[0].name: Invalid value: "A=B"`],
  'a variable with a control character': [
    env({ name: 'A\n' }),
    `${main}.env[0].name: Invalid value`,
  ],
  'a variable with an umlaut': [env({ name: 'Ä' }), `${main}.env[0].name: Invalid value`],
  'a number as a variable': [
    env({ name: 'A', value: 1 }),
    `${main}.env[0].value: Invalid value: 1: must be text`,
  ],
  'a variable from an unknown field': [
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }),
    `${main}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "status.phase": must be one of`,
  ],
  'a variable from a Secret without a name': [
    from({ secretKeyRef: { key: 'b' } }),
    `${main}.env[0].valueFrom.secretKeyRef.name: Required value`,
  ],
  'a variable from a Secret without a key': [
    from({ secretKeyRef: { name: 'a' } }),
    `${main}.env[0].valueFrom.secretKeyRef.key: Required value`,
  ],
  'a variable from a key with a slash': [
    from({ configMapKeyRef: { name: 'a', key: 'a/b' } }),
    `${main}.env[0].valueFrom.configMapKeyRef.key: Invalid value: "a/b": must have at most 253`,
  ],
  'a variable from a key that leads up': [
    from({ configMapKeyRef: { name: 'a', key: '..' } }),
    `${main}.env[0].valueFrom.configMapKeyRef.key: Invalid value: ".."`,
  ],
  'a variable from a ConfigMap with a path for a name': [
    from({ configMapKeyRef: { name: '../a', key: 'b' } }),
    `${main}.env[0].valueFrom.configMapKeyRef.name: Invalid value: "../a"`,
  ],
  'a variable from a file outside of its volume': [
    from({ fileKeyRef: { volumeName: 'v', path: 'a/../../b', key: 'b' } }),
    `${main}.env[0].valueFrom.fileKeyRef.path: Invalid value: "a/../../b": must be a relative path`,
  ],
  'a variable from a file of the node': [
    from({ fileKeyRef: { volumeName: 'v', path: '/etc/passwd', key: 'b' } }),
    `${main}.env[0].valueFrom.fileKeyRef.path: Invalid value: "/etc/passwd": must be a relative path`,
  ],
  'a variable from a file without a key': [
    from({ fileKeyRef: { volumeName: 'v', path: 'a' } }),
    `${main}.env[0].valueFrom.fileKeyRef.key: Required value`,
  ],
  'a variable from an unknown resource': [
    from({ resourceFieldRef: { resource: 'limits.gpu' } }),
    `${main}.env[0].valueFrom.resourceFieldRef.resource: Invalid value: "limits.gpu": must be`,
  ],
  'a variable from what is used of a resource': [
    from({ resourceFieldRef: { resource: 'used.cpu' } }),
    `${main}.env[0].valueFrom.resourceFieldRef.resource: Invalid value: "used.cpu": must be`,
  ],
  'a divisor that is no quantity': [
    from({ resourceFieldRef: { resource: 'limits.memory', divisor: 'MiB' } }),
    `${main}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "MiB": must be a quantity`,
  ],
  'a divisor that is a map': [
    from({ resourceFieldRef: { resource: 'limits.memory', divisor: {} } }),
    `${main}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: a map: must be a quantity`,
  ],
  'variables from nowhere': [
    { container: { envFrom: [{ prefix: 'A' }] } },
    `${main}.envFrom[0]: Invalid value: a map: must have a source: configMapRef or secretRef`,
  ],
  'variables from an object without a name': [
    { container: { envFrom: [{ secretRef: {} }] } },
    `${main}.envFrom[0].secretRef.name: Required value`,
  ],
  'a prefix with =': [
    { container: { envFrom: [{ prefix: 'A=', secretRef: { name: 'a' } }] } },
    `${main}.envFrom[0].prefix: Invalid value: "A="`,
  ],
  'port 0': [
    port({ containerPort: 0 }),
    `${main}.ports[0].containerPort: Invalid value: 0: must be between`,
  ],
  'port 65536': [port({ containerPort: 65536 }), `${main}.ports[0].containerPort: Invalid value`],
  'no port': [port({ containerPort: undefined }), `${main}.ports[0].containerPort: Required value`],
  'host port 65536': [port({ hostPort: 65536 }), `${main}.ports[0].hostPort: Invalid value`],
  'an unknown protocol': [
    port({ protocol: 'tcp' }),
    `${main}.ports[0].protocol: Unsupported value`,
  ],
  'a port name of 16 characters': [
    port({ name: long(16) }),
    `${main}.ports[0].name: Invalid value`,
  ],
  'a port name without letter': [port({ name: '80' }), `${main}.ports[0].name: Invalid value`],
  'a port name with two dashes': [port({ name: 'a--b' }), `${main}.ports[0].name: Invalid value`],
  'a port name that ends with a dash': [
    port({ name: 'a-' }),
    `${main}.ports[0].name: Invalid value`,
  ],
  'a host address that is none': [
    port({ hostIP: 'localhost' }),
    `${main}.ports[0].hostIP: Invalid value`,
  ],
  'a quantity that is none': [
    limits({ cpu: '1 core' }),
    `${main}.resources.limits.cpu: Invalid value: "1 core": must be a quantity`,
  ],
  'a quantity that is a map': [
    limits({ cpu: {} }),
    `${main}.resources.limits.cpu: Invalid value: a map: must be a quantity`,
  ],
  'a negative quantity': [
    limits({ memory: '-1Mi' }),
    `${main}.resources.limits.memory: Invalid value: "-1Mi"`,
  ],
  'an enormous quantity': [
    limits({ memory: '1e400' }),
    `${main}.resources.limits.memory: Invalid value`,
  ],
  'a rule without exit codes': [
    rule(undefined),
    `${main}.restartPolicyRules[0].exitCodes: Required value: exitCodes must be set`,
  ],
  'a rule without operator': [
    rule({ values: [1] }),
    `${main}.restartPolicyRules[0].exitCodes.operator: Required value`,
  ],
  'an unknown operator': [
    rule({ operator: 'in', values: [1] }),
    `${main}.restartPolicyRules[0].exitCodes.operator: Unsupported value: "in": supported values: "In", "NotIn"`,
  ],
  'an action that does not exist': [
    rule({ operator: 'In' }, 'RestartPod'),
    `${main}.restartPolicyRules[0].action: Unsupported value: "RestartPod"`,
  ],
  'a rule as the KEP nests it': [
    rule({ operator: 'In', onExit: {} }),
    `${main}.restartPolicyRules[0].exitCodes.onExit: unknown field "onExit"`,
  ],
  '256 exit codes': [
    rule({ operator: 'In', values: Array.from({ length: 256 }, (_, i) => i) }),
    `${main}.restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items`,
  ],
  'an exit code that is text': [
    rule({ operator: 'In', values: ['88'] }),
    `${main}.restartPolicyRules[0].exitCodes.values[0]: Invalid value: "88": must be a number`,
  ],
  'an exit code beyond 32 bits': [
    rule({ operator: 'In', values: [2 ** 31] }),
    `${main}.restartPolicyRules[0].exitCodes.values[0]: Invalid value`,
  ],
  '21 rules': [rules(21), `${main}.restartPolicyRules: Too many: 21: must have at most 20 items`],
  'a volume in capitals': [volume({ name: 'V' }), 'spec.volumes[0].name: Invalid value'],
  'a volume that climbs': [volume({ name: '..' }), 'spec.volumes[0].name: Invalid value'],
  'an emptyDir of another medium': [
    volume({ emptyDir: { medium: 'HugePages-2MB' } }),
    'spec.volumes[0].emptyDir.medium: Invalid value: "HugePages-2MB": must be Memory, HugePages or HugePages-SIZE',
  ],
  'claims of the pod as a whole': [
    { spec: { resources: { claims: [{ name: 'gpu' }] } } },
    'spec.resources.claims: Forbidden: dynamic resource claims are not supported',
  ],
  'a negative size': [
    volume({ emptyDir: { sizeLimit: -1 } }),
    'spec.volumes[0].emptyDir.sizeLimit: Invalid',
  ],
  'an image volume without an image': [
    volume({ image: { pullPolicy: 'Never' } }),
    'spec.volumes[0].image.reference: Required value',
  ],
  'an image volume with an empty name': [
    volume({ image: { reference: '' } }),
    'spec.volumes[0].image.reference: Required value',
  ],
  'an image volume that is pulled now and then': [
    volume({ image: { reference: 'a', pullPolicy: 'Sometimes' } }),
    'spec.volumes[0].image.pullPolicy: Unsupported value: "Sometimes"',
  ],
  'a hostPath without path': [
    volume({ hostPath: {} }),
    'spec.volumes[0].hostPath.path: Required value',
  ],
  'a hostPath that climbs': [
    volume({ hostPath: { path: '/a/../b' } }),
    'spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain ".."',
  ],
  'a relative hostPath': [
    volume({ hostPath: { path: 'a' } }),
    'spec.volumes[0].hostPath.path: Invalid value: "a": must be an absolute path',
  ],
  'an unknown type of hostPath': [
    volume({ hostPath: { path: '/a', type: 'Dir' } }),
    'spec.volumes[0].hostPath.type: Unsupported value: "Dir"',
  ],
  'a ConfigMap without a name': [
    volume({ configMap: {} }),
    'spec.volumes[0].configMap.name: Required value',
  ],
  'a Secret without a name': [
    volume({ secret: { optional: true } }),
    'spec.volumes[0].secret.secretName: Required value',
  ],
  'a claim without a name': [
    volume({ persistentVolumeClaim: {} }),
    'spec.volumes[0].persistentVolumeClaim.claimName: Required value',
  ],
  'a claim with a path for a name': [
    volume({ persistentVolumeClaim: { claimName: '..' } }),
    'spec.volumes[0].persistentVolumeClaim.claimName: Invalid value: ".."',
  ],
  'modes of four digits': [
    volume({ configMap: { name: 'a', defaultMode: 0o1777 } }),
    'spec.volumes[0].configMap.defaultMode: Invalid value: 1023: must be between 0 and 511',
  ],
  'the least mode of four digits': [
    volume({ secret: { secretName: 'a', items: [{ key: 'k', path: 'p', mode: 0o1000 }] } }),
    'spec.volumes[0].secret.items[0].mode: Invalid value: 512: must be between 0 and 511',
  ],
  'a mode as text': [
    volume({ secret: { secretName: 'a', defaultMode: '0400' } }),
    'spec.volumes[0].secret.defaultMode: Invalid value: "0400": must be a number',
  ],
  'an item without a path': [
    volume({ configMap: { name: 'a', items: [{ key: 'k' }] } }),
    'spec.volumes[0].configMap.items[0].path: Required value',
  ],
  'a file of the Pod without a source': [
    volume({ downwardAPI: { items: [{ path: 'a' }] } }),
    'spec.volumes[0].downwardAPI.items[0]: Invalid value: a map: must have a source',
  ],
  'a file of the Pod with two sources': [
    volume({
      downwardAPI: {
        items: [
          {
            path: 'a',
            fieldRef: { fieldPath: 'metadata.name' },
            resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' },
          },
        ],
      },
    }),
    'spec.volumes[0].downwardAPI.items[0]: Invalid value: a map: may not have more than one source',
  ],
  'a file of the address, which is not known yet': [
    volume({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'status.podIP' } }] } }),
    'spec.volumes[0].downwardAPI.items[0].fieldRef.fieldPath: Invalid value: "status.podIP"',
  ],
  'a file of resources of nobody': [
    volume({
      downwardAPI: { items: [{ path: 'a', resourceFieldRef: { resource: 'limits.cpu' } }] },
    }),
    'spec.volumes[0].downwardAPI.items[0].resourceFieldRef.containerName: Required value',
  ],
  'a token of a service account': [
    volume({ projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }),
    'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: there is no API server',
  ],
  'two sources in one entry': [
    volume({ projected: { sources: [{ configMap: { name: 'a' }, secret: { name: 'b' } }] } }),
    'spec.volumes[0].projected.sources[0]: Invalid value: a map: may not have more than one source',
  ],
  'an entry without a source': [
    volume({ projected: { sources: [{}] } }),
    'spec.volumes[0].projected.sources[0]: Invalid value: a map: must have a source',
  ],
  'a probe that does nothing': [
    { container: { livenessProbe: { periodSeconds: 1 } } },
    `${main}.livenessProbe: Invalid value: a map: must have a handler: exec, httpGet, tcpSocket, grpc`,
  ],
  'a probe without a command': [
    probe({ exec: { command: [] } }),
    `${main}.livenessProbe.exec.command: Invalid value: a list: must have at least one item`,
  ],
  'a delay below 0': [
    probe({ ...exec, initialDelaySeconds: -1 }),
    `${main}.livenessProbe.initialDelaySeconds: Invalid value: -1: must be between 0 and`,
  ],
  'a period that is too long': [
    probe({ ...exec, periodSeconds: 2 ** 31 }),
    `${main}.livenessProbe.periodSeconds: Invalid value: 2147483648: must be between 0 and`,
  ],
  'half a second': [
    probe({ ...exec, timeoutSeconds: 0.5 }),
    `${main}.livenessProbe.timeoutSeconds: Invalid value: 0.5: must be a whole number`,
  ],
  'no grace for a probe': [
    probe({ ...exec, terminationGracePeriodSeconds: 0 }),
    `${main}.livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be between 1 and`,
  ],
  'a port that is neither number nor name': [
    probe({ tcpSocket: { port: 'Web' } }),
    `${main}.livenessProbe.tcpSocket.port: Invalid value: "Web": must be a number between 1 and 65535`,
  ],
  'a port that is a number in quotes': [
    probe({ httpGet: { port: '80' } }),
    `${main}.livenessProbe.httpGet.port: Invalid value: "80": must be a number between 1 and 65535`,
  ],
  'a port name where only numbers go': [
    probe({ grpc: { port: 'web' } }),
    `${main}.livenessProbe.grpc.port: Invalid value: "web": must be a number`,
  ],
  'a scheme that is none': [
    probe({ httpGet: { port: 80, scheme: 'https' } }),
    `${main}.livenessProbe.httpGet.scheme: Unsupported value: "https": supported values: "HTTP", "HTTPS"`,
  ],
  'a header without a name': [
    probe({ httpGet: { port: 80, httpHeaders: [{ value: 'a' }] } }),
    `${main}.livenessProbe.httpGet.httpHeaders[0].name: Required value`,
  ],
  'a header name with an underscore, which Kubernetes refuses': [
    probe({ httpGet: { port: 80, httpHeaders: [{ name: 'X_A', value: '' }] } }),
    `${main}.livenessProbe.httpGet.httpHeaders[0].name: Invalid value: "X_A": must be the name of`,
  ],
  'a header name with a letter of another alphabet': [
    probe({ httpGet: { port: 80, httpHeaders: [{ name: 'Ä', value: '' }] } }),
    `${main}.livenessProbe.httpGet.httpHeaders[0].name: Invalid value: "Ä": must be the name of`,
  ],
  'a header name that would break a request': [
    probe({ httpGet: { port: 80, httpHeaders: [{ name: 'a b', value: '' }] } }),
    `${main}.livenessProbe.httpGet.httpHeaders[0].name: Invalid value: "a b": must be the name of`,
  ],
  'a header value that would break a request': [
    probe({ httpGet: { port: 80, httpHeaders: [{ name: 'c', value: 'd\r\ne: f' }] } }),
    `${main}.livenessProbe.httpGet.httpHeaders[0].value: Invalid value: "d\\r\\ne: f": must not`,
  ],
  'a header value of a hook that would break a request': [
    {
      container: {
        lifecycle: {
          preStop: { httpGet: { port: 80, httpHeaders: [{ name: 'c', value: 'a\nb: c' }] } },
        },
      },
    },
    `${main}.lifecycle.preStop.httpGet.httpHeaders[0].value: Invalid value: "a\\nb: c": must not`,
  ],
  'a hook that does nothing': [
    { container: { lifecycle: { preStop: {} } } },
    `${main}.lifecycle.preStop: Invalid value: a map: must have a handler: exec, httpGet, sleep`,
  ],
  'a hook that would always fail': [
    { container: { lifecycle: { postStart: { tcpSocket: { port: 1 } } } } },
    `${main}.lifecycle.postStart.tcpSocket: Forbidden: Kubernetes accepts such a hook, and then it fails`,
  ],
  'a signal that there is not': [
    { container: { lifecycle: { stopSignal: 'SIGRTMIN+16' } }, spec: { os: { name: 'linux' } } },
    `${main}.lifecycle.stopSignal: Unsupported value: "SIGRTMIN+16"`,
  ],
  'a sleep of less than nothing': [
    { container: { lifecycle: { preStop: { sleep: { seconds: -1 } } } } },
    `${main}.lifecycle.preStop.sleep.seconds: Invalid value: -1: must be between 0 and`,
  ],
  'an ephemeral container': [
    { spec: { ephemeralContainers: [{ name: 'a' }] } },
    'spec.ephemeralContainers: Forbidden',
  ],
  'a scheduling gate': [
    { spec: { schedulingGates: [{ name: 'a' }] } },
    'spec.schedulingGates: Forbidden',
  ],
  'seccomp of a kind that is none': [
    { container: { securityContext: { seccompProfile: { type: 'localhost/x' } } } },
    `${security}.seccompProfile.type: Unsupported value: "localhost/x"`,
  ],
  ...Object.fromEntries(
    ['/etc/shadow', '../x', 'a/../../x', 'a/..'].map((path) => [
      `seccomp of the file ${path}`,
      [
        {
          container: {
            securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: path } },
          },
        },
        `${security}.seccompProfile.localhostProfile: Invalid value: "${path}": must be a relative path`,
      ],
    ]),
  ),
  'an AppArmor profile with a space before it': [
    {
      spec: {
        securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: ' p' } },
      },
    },
    'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: " p": must be the name',
  ],
  'a /proc of another kind': [
    { container: { securityContext: { procMount: 'unmasked' } } },
    `${security}.procMount: Unsupported value: "unmasked"`,
  ],
  'a policy for groups that is none': [
    { spec: { securityContext: { supplementalGroupsPolicy: 'strict' } } },
    'spec.securityContext.supplementalGroupsPolicy: Unsupported value: "strict"',
  ],
  'a full name of 65 characters': [
    { spec: { hostnameOverride: `${long(32)}.${long(32)}` } },
    `spec.hostnameOverride: Invalid value: "${long(32)}.${long(32)}": must have at most 64`,
  ],
  'a subdomain with a dot': [{ spec: { subdomain: 'a.b' } }, 'spec.subdomain: Invalid value'],
  'a capability that is none': [
    { container: { securityContext: { capabilities: { add: ['a b'] } } } },
    `${security}.capabilities.add[0]: Invalid value`,
  ],
  'a list where a map belongs': [
    { spec: { securityContext: [] } },
    'spec.securityContext: Invalid value: a list: must be a map',
  ],
  'a container that is null': [
    { spec: { containers: [null] } },
    `${main}: Invalid value: null: must be a map`,
  ],
  'containers that are a map': [
    { spec: { containers: { name: 'a' } } },
    'spec.containers: Invalid value: a map: must be a list',
  ],
  'no spec': [{ spec: { containers: undefined } }, 'spec.containers: Required value'],
};

/** What Kubernetes says of paths of files, for every kind of volume that has some. */
const badPaths: Readonly<Record<string, string>> = {
  '/etc/passwd': 'must be a relative path',
  '../a': 'must not contain ".."',
  'a/../b': 'must not contain ".."',
  'a/..': 'must not contain ".."',
  '..': 'must not contain ".."',
  '..data': 'must not start with ".."',
  '..2026_01_01': 'must not start with ".."',
  './..data/a': 'must not start with ".."',
  './/..a': 'must not start with ".."',
  '.': 'must name a file',
  'a/': 'must not end with "/"',
  'a\nb': 'must not contain control characters',
  [long(256)]: 'must have no name of more than 255 bytes in it',
  [`${'a/'.repeat(2047)}bc`]: 'must have fewer than 4096 bytes',
};
const key = 'k';
const fieldRef = { fieldPath: 'metadata.name' };
const filed: Readonly<Record<string, (path: string) => object>> = {
  'configMap.items[0]': (path) => ({ configMap: { name: 'a', items: [{ key, path }] } }),
  'secret.items[0]': (path) => ({ secret: { secretName: 'a', items: [{ key, path }] } }),
  'downwardAPI.items[0]': (path) => ({ downwardAPI: { items: [{ path, fieldRef }] } }),
  'projected.sources[0].secret.items[0]': (path) => ({
    projected: { sources: [{ secret: { name: 'a', items: [{ key, path }] } }] },
  }),
};
for (const [place, fields] of Object.entries(filed)) {
  for (const [path, rule] of Object.entries(badPaths)) {
    test(`refused: ${JSON.stringify(path.slice(0, 20))} as the path of ${place}`, (t) => {
      const faults = faultsIn(aManifest(volume(fields(path))));
      t.is(faults.length, 1, faults.join());
      t.true(faults[0]?.startsWith(`spec.volumes[0].${place}.path: Invalid value: `));
      t.true(faults[0]?.endsWith(rule), faults[0]);
    });
  }
  test(`accepted: dots within the path of ${place}`, (t) => {
    for (const path of ['.a', 'a..b', 'a/..b', './a', long(255)]) {
      t.deepEqual(faultsIn(aManifest(volume(fields(path)))), [], path);
    }
  });
}

for (const [title, [additions, start]] of Object.entries(refused)) {
  test(`refused: ${title}`, (t) => {
    const [fault, ...more] = faultsIn(aManifest(additions));
    t.deepEqual(more, []);
    t.is(fault?.slice(0, start.length), start);
  });
}
