import test from 'ava';
import type { z } from 'zod';
import { accepted, aManifest } from '../testing/manifests.ts';
import { defaultPullPolicy } from './defaults.ts';
import { valueAt } from './issues.ts';
import { podFromValue } from './parse-pod.ts';
import { podSchema } from './schema/pod.ts';
import { fieldsOf } from './schema/walk.ts';

test('a plain pod gets every default of Kubernetes', (t) => {
  t.deepEqual(accepted({}).pod, {
    metadata: { name: 'pod', namespace: 'default', labels: {}, annotations: {} },
    spec: {
      initContainers: [],
      containers: [
        {
          name: 'main',
          image: 'busybox:1',
          imagePullPolicy: 'IfNotPresent',
          command: [],
          args: [],
          env: [],
          envFrom: [],
          ports: [],
          resources: { requests: {}, limits: {} },
          volumeMounts: [],
          securityContext: {
            privileged: false,
            readOnlyRootFilesystem: false,
            capabilities: { add: [], drop: [] },
          },
          restartPolicyRules: [],
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          stdin: false,
          stdinOnce: false,
          tty: false,
        },
      ],
      volumes: [],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      hostNetwork: false,
      hostPID: false,
      hostIPC: false,
      shareProcessNamespace: false,
      dnsPolicy: 'ClusterFirst',
      hostAliases: [],
      securityContext: { supplementalGroups: [], sysctls: [] },
      inert: {},
    },
  });
});

const numbers = { timeoutSeconds: 2, periodSeconds: 3, successThreshold: 1, failureThreshold: 4 };
const delays = { initialDelaySeconds: 5, terminationGracePeriodSeconds: 6 };
/** A hook that does what a probe does, as far as hooks can. */
const hookOf = ({ exec, httpGet }: { exec?: unknown; httpGet?: unknown }): object => {
  if (exec !== undefined) return { exec };
  return httpGet === undefined ? { sleep: { seconds: 1 } } : { httpGet };
};
/** The probes and hooks of a container, all of one kind, for each kind there is. */
const probed = [
  { exec: { command: ['a'] } },
  {
    httpGet: {
      path: '/p',
      port: 'http',
      host: 'h',
      scheme: 'HTTPS',
      httpHeaders: [{ name: 'H', value: 'v' }],
    },
  },
  { tcpSocket: { port: 1, host: 'h' } },
  { grpc: { port: 1, service: 's' } },
].map((handler) => ({
  lifecycle: { postStart: hookOf(handler), preStop: hookOf(handler), stopSignal: 'SIGINT' },
  startupProbe: { ...handler, ...delays, ...numbers },
  livenessProbe: { ...handler, ...delays, ...numbers },
  readinessProbe: { ...handler, initialDelaySeconds: 5, ...numbers },
}));

/** A pod that says something at every field that is honoured. */
const container = {
  name: 'main',
  image: 'busybox:1',
  imagePullPolicy: 'Never',
  command: ['a'],
  args: ['b'],
  workingDir: '/w',
  env: [
    { name: 'A', value: 'x' },
    { name: 'B', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    { name: 'C', valueFrom: { configMapKeyRef: { name: 'c', key: 'k', optional: true } } },
    { name: 'D', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } },
    {
      name: 'F',
      valueFrom: { fileKeyRef: { volumeName: 'e', path: 'a/env', key: 'k', optional: true } },
    },
    {
      name: 'E',
      valueFrom: {
        resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' },
      },
    },
  ],
  ports: [{ name: 'http', containerPort: 80, hostPort: 80, hostIP: '127.0.0.1', protocol: 'UDP' }],
  envFrom: [
    { prefix: 'P_', configMapRef: { name: 'c', optional: true } },
    { secretRef: { name: 's', optional: false } },
  ],
  resources: { requests: { cpu: '100m' }, limits: { cpu: '200m' } },
  volumeMounts: [
    { name: 'e', mountPath: '/e', readOnly: true, recursiveReadOnly: 'IfPossible' },
    { name: 'e', mountPath: '/f', readOnly: false, subPath: 'f' },
    {
      name: 'h',
      mountPath: '/h',
      readOnly: false,
      subPathExpr: '$(A)',
      mountPropagation: 'Bidirectional',
    },
  ],
  securityContext: {
    runAsUser: 1,
    runAsGroup: 2,
    runAsNonRoot: true,
    privileged: true,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: true,
    capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' },
    appArmorProfile: { type: 'Localhost', localhostProfile: 'nginx' },
    seLinuxOptions: { user: 'u', role: 'r', type: 't', level: 's0' },
    procMount: 'Default',
  },
  restartPolicy: 'OnFailure',
  restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'NotIn', values: [0, 88] } }],
  terminationMessagePath: '/words',
  terminationMessagePolicy: 'FallbackToLogsOnError',
  stdin: true,
  stdinOnce: true,
  tty: true,
};
const items = [{ key: 'k', path: 'd/k', mode: 0o440 }];
const downward = [
  { path: 'labels', mode: 0o400, fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.labels' } },
  {
    path: 'memory',
    resourceFieldRef: { containerName: 'main', resource: 'limits.memory', divisor: '1Mi' },
  },
];
const everything = {
  metadata: {
    name: 'pod',
    namespace: 'team',
    uid: 'u-1',
    labels: { l: 'x' },
    annotations: { 'reprise.dev/in-place-backoff': '1m30s' },
  },
  spec: {
    initContainers: probed.map((probes, index) => ({
      ...container,
      ports: container.ports.map(({ hostPort: _, ...port }) => port),
      ...probes,
      name: `sidecar-${index}`,
      restartPolicy: 'Always',
    })),
    containers: [
      container,
      ...probed.map((probes, index) => ({
        ...container,
        ...probes,
        name: `main-${index}`,
        ports: [],
      })),
    ],
    volumes: [
      { name: 'e', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'h', hostPath: { path: '/h', type: 'Directory' } },
      { name: 'c', configMap: { name: 'c', items, optional: true, defaultMode: 0o400 } },
      { name: 's', secret: { secretName: 's', items, optional: false, defaultMode: 0o600 } },
      { name: 'd', downwardAPI: { items: downward, defaultMode: 0o640 } },
      {
        name: 'p',
        projected: {
          sources: [
            {
              configMap: { name: 'c', items: [{ key: 'k', path: 'c/k', mode: 1 }], optional: true },
            },
            { secret: { name: 's', items: [{ key: 'k', path: 's/k', mode: 1 }], optional: true } },
            { downwardAPI: { items: downward } },
          ],
          defaultMode: 0o444,
        },
      },
      { name: 'v', persistentVolumeClaim: { claimName: 'v', readOnly: true } },
      { name: 'i', image: { reference: 'a.test/i:1', pullPolicy: 'Never' } },
    ],
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 7,
    activeDeadlineSeconds: 8,
    hostname: 'host',
    subdomain: 'sub',
    setHostnameAsFQDN: false,
    hostnameOverride: 'given',
    hostNetwork: false,
    hostPID: true,
    hostIPC: true,
    shareProcessNamespace: false,
    dnsPolicy: 'None',
    dnsConfig: {
      nameservers: ['10.0.0.1'],
      searches: ['a'],
      options: [{ name: 'ndots', value: '2' }],
    },
    hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }],
    runtimeClassName: 'r',
    priorityClassName: 'system-node-critical',
    resources: { requests: { cpu: '4' }, limits: { cpu: '8' } },
    imagePullSecrets: [{ name: 'regcred' }],
    readinessGates: [{ conditionType: 'example.org/warm' }],
    hostUsers: true,
    securityContext: {
      runAsUser: 1,
      runAsGroup: 2,
      runAsNonRoot: true,
      fsGroup: 3,
      fsGroupChangePolicy: 'OnRootMismatch',
      supplementalGroups: [4],
      supplementalGroupsPolicy: 'Strict',
      seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' },
      appArmorProfile: { type: 'Localhost', localhostProfile: 'nginx' },
      seLinuxOptions: { user: 'u', role: 'r', type: 't', level: 's0' },
      sysctls: [{ name: 'kernel.domainname', value: 'x' }],
    },
  },
};

test('everything that is honoured reaches the pod', (t) => {
  const { pod, notes } = podFromValue(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      ...everything,
      spec: { ...everything.spec, os: { name: 'linux' } },
    },
    'test',
  );
  t.deepEqual(notes, []);
  t.deepEqual<unknown, unknown>(pod, {
    ...everything,
    spec: { ...everything.spec, inert: { os: { name: 'linux' } } },
    inPlaceBackoffMaxMs: 90_000,
  });
});

test('that pod leaves out no field that is honoured', (t) => {
  const missing = (type: z.core.$ZodType, value: unknown, path: string): readonly string[] =>
    fieldsOf(type)
      .filter(({ treatment }) => treatment?.kind === 'honoured')
      .flatMap((field) => {
        const items = Array.isArray(value) ? value : [value];
        const found = items
          .map((item) => valueAt(item, [field.name]))
          .filter((each) => each !== undefined);
        const at = `${path}.${field.name}`;
        return found.length === 0 ? [at] : missing(field.type, found.flat(), at);
      });
  t.deepEqual(missing(podSchema, { apiVersion: 'v1', kind: 'Pod', ...everything }, 'Pod'), [
    // Kubernetes forbids it.
    'Pod.spec.containers.readinessProbe.terminationGracePeriodSeconds',
    // Only app containers have ports of the node.
    'Pod.spec.initContainers.ports.hostPort',
    'Pod.spec.initContainers.readinessProbe.terminationGracePeriodSeconds',
    'Pod.spec.os',
  ]);
});

const wholes: Readonly<Record<string, readonly [object, object, object | undefined]>> = {
  'what a pod does not request as a whole its containers do': [
    { requests: { cpu: '250m' }, limits: { memory: '1Mi' } },
    { limits: { cpu: 2, memory: '1Gi' } },
    {
      requests: { cpu: '250m', memory: '1048576' },
      limits: { cpu: '2', memory: '1Gi' },
    },
  ],
  'what they do not request either is the limit': [
    {},
    { requests: { memory: '1Mi' }, limits: { cpu: 2, memory: '1Gi' } },
    { requests: { cpu: '2', memory: '1Mi' }, limits: { cpu: '2', memory: '1Gi' } },
  ],
  'a pod that says nothing as a whole has nothing': [{ limits: { cpu: 1 } }, {}, undefined],
};
for (const [title, [resources, whole, expected]] of Object.entries(wholes)) {
  test(title, (t) => {
    const { pod } = podFromValue(
      aManifest({ container: { resources }, spec: { resources: whole } }),
      'test',
    );
    t.deepEqual<unknown, unknown>(pod.spec.resources, expected);
  });
}

const pullPolicies: Readonly<Record<string, 'Always' | 'IfNotPresent'>> = {
  busybox: 'Always',
  'busybox:latest': 'Always',
  'busybox:1': 'IfNotPresent',
  'r.example:5000/busybox': 'Always',
  'r.example:5000/busybox:1': 'IfNotPresent',
  'busybox@sha256:0123': 'IfNotPresent',
  'busybox:1@sha256:0123': 'IfNotPresent',
  'busybox:latest@sha256:0123': 'Always',
};
for (const [image, policy] of Object.entries(pullPolicies)) {
  test(`${image} is pulled ${policy}`, (t) => t.is(defaultPullPolicy(image), policy));
}

test('a probe gets its defaults, where 0 counts as absent', (t) => {
  const probe = (livenessProbe: object) =>
    accepted({ container: { livenessProbe } }).pod.spec.containers[0]?.livenessProbe;
  const numbers = {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  };
  const zeros = {
    initialDelaySeconds: 0,
    timeoutSeconds: 0,
    periodSeconds: 0,
    successThreshold: 0,
    failureThreshold: 0,
  };
  t.deepEqual(probe({ httpGet: { port: 80 }, ...zeros }), {
    httpGet: { path: '/', port: 80, scheme: 'HTTP', httpHeaders: [] },
    ...numbers,
  });
  t.deepEqual(probe({ grpc: { port: 80 } }), { grpc: { port: 80, service: '' }, ...numbers });
});

test('requests default to limits, one by one', (t) => {
  const { pod } = accepted({
    container: { resources: { requests: { cpu: 0.1 }, limits: { cpu: 1, memory: '1Gi' } } },
  });
  t.deepEqual(pod.spec.containers[0]?.resources, {
    requests: { cpu: '0.1', memory: '1Gi' },
    limits: { cpu: '1', memory: '1Gi' },
  });
});

test("with the node's network, the host port defaults to the port", (t) => {
  const ports = [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }];
  const hostPorts = (hostNetwork: boolean): unknown =>
    accepted({ spec: { hostNetwork }, container: { ports } }).pod.spec.containers[0]?.ports.map(
      ({ hostPort }) => hostPort,
    );
  t.deepEqual(hostPorts(true), [80, 81]);
  t.deepEqual(hostPorts(false), [undefined, undefined]);
});

test('a volume without source is an emptyDir', (t) => {
  const { pod } = accepted({ spec: { volumes: [{ name: 'v' }, { name: 'w', emptyDir: null }] } });
  t.deepEqual(pod.spec.volumes, [
    { name: 'v', emptyDir: { medium: '' } },
    { name: 'w', emptyDir: { medium: '' } },
  ]);
});

test('a negative grace period is the shortest', (t) => {
  const graceOf = (terminationGracePeriodSeconds: number): number =>
    accepted({ spec: { terminationGracePeriodSeconds } }).pod.spec.terminationGracePeriodSeconds;
  t.deepEqual([graceOf(-5), graceOf(0), graceOf(1)], [1, 0, 1]);
});

test('the back-off is absent, a time or turned off', (t) => {
  const backoff = (text?: string): number | undefined =>
    accepted({
      metadata: { annotations: text === undefined ? {} : { 'reprise.dev/in-place-backoff': text } },
    }).pod.inPlaceBackoffMaxMs;
  t.deepEqual([backoff(), backoff('500ms'), backoff('0'), backoff('0s')], [undefined, 500, 0, 0]);
});

test('the manifest itself is not changed', (t) => {
  const manifest = aManifest({ metadata: { namespace: null }, spec: { volumes: [{ name: 'v' }] } });
  const before = structuredClone(manifest);
  podFromValue(manifest, 'test');
  t.deepEqual(manifest, before);
});
