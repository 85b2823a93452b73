// What may be added to a running pod.
import test from 'ava';
import type { EphemeralContainer } from '../pod/pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { v1Spec } from '../pod/v1-spec.ts';
import { validateEphemeralContainers } from './ephemeral-containers.ts';
import { ManifestError } from './manifest-error.ts';
import { podFromValue } from './parse-pod.ts';

const manifest = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: {
    terminationGracePeriodSeconds: 5,
    securityContext: { runAsUser: 7 },
    affinity: {},
    volumes: [
      { name: 'data', emptyDir: {} },
      { name: 'settings', configMap: { name: 'settings' } },
    ],
    initContainers: [{ name: 'watcher', image: 'i:1', restartPolicy: 'Always' }],
    containers: [
      {
        name: 'main',
        image: 'i:1',
        resources: { limits: { cpu: '1' } },
        ports: [{ containerPort: 80 }],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
        livenessProbe: { httpGet: { port: 80 } },
      },
    ],
  },
};

/** The pod as the API shows it. */
function shown(
  ephemeralContainers?: readonly EphemeralContainer[],
  more: Readonly<Record<string, unknown>> = {},
): V1Pod {
  const { pod } = podFromValue({ ...manifest, spec: { ...manifest.spec, ...more } }, 'test');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...pod.metadata,
      uid: 'u',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: v1Spec({ ...pod.spec, ephemeralContainers }, 'node'),
    status: { phase: 'Running', conditions: [], qosClass: 'Burstable' },
  };
}

const full = {
  name: 'debugger',
  image: 'busybox:1',
  command: ['sh'],
  args: ['-c', 'ps'],
  workingDir: '/tmp',
  env: [
    { name: 'EMPTY', value: '' },
    { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
  ],
  envFrom: [{ configMapRef: { name: 'settings' } }],
  volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }],
  // As kubectl sends it.
  resources: {},
  securityContext: { capabilities: { add: ['SYS_PTRACE'] }, allowPrivilegeEscalation: false },
  stdin: true,
  tty: true,
  targetContainerName: 'main',
  terminationMessagePolicy: 'File',
};

test('one gets the defaults of any container', (t) => {
  const [one] = validateEphemeralContainers(shown(), [{ name: 'debugger', image: 'busybox' }]);
  t.like(one, {
    name: 'debugger',
    imagePullPolicy: 'Always',
    terminationMessagePath: '/dev/termination-log',
    restartPolicyRules: [],
    stdin: false,
  });
  t.false('targetContainerName' in (one ?? {}));
});

test('what is there may be handed over again as it is shown, in any order', (t) => {
  const [first] = validateEphemeralContainers(shown(), [full]);
  t.is(first?.targetContainerName, 'main');
  const pod = shown(first && [first]);
  const [kept] = pod.spec.ephemeralContainers ?? [];
  const both = validateEphemeralContainers(pod, [{ name: 'second', image: 'i:1' }, kept]);
  t.deepEqual(
    both.map(({ name }) => name),
    ['second', 'debugger'],
  );
  t.deepEqual(both[1], first);
  t.deepEqual(validateEphemeralContainers(pod, [full]), [first]);
});

/** Resources of the pod as a whole; what it requests is shown, written or not. */
const asAWhole: Readonly<Record<string, object>> = {
  'a limit that is all that its containers request': { limits: { cpu: 1 } },
  'a limit far above': { limits: { cpu: 8, memory: '1Gi' } },
  'a limit in fractions': { limits: { cpu: '1000.5m', memory: '0.5' } },
  'a request alone': { requests: { cpu: 1, memory: '64Mi' } },
};
for (const [what, resources] of Object.entries(asAWhole)) {
  test(`a pod as a whole may have ${what}, and can be visited`, (t) => {
    const pod = shown(undefined, { resources });
    t.is(validateEphemeralContainers(pod, [{ name: 'a', image: 'i' }]).length, 1);
  });
}

test('a pod that could not be visited is not accepted in the first place', (t) => {
  t.throws(() => shown(undefined, { resources: { limits: { cpu: '999m' } } }), {
    instanceOf: ManifestError,
  });
});

const refused: Readonly<Record<string, { wanted: unknown; faults: readonly string[] }>> = {
  'a name that an app container has': {
    wanted: [{ name: 'main', image: 'i' }],
    faults: ['spec.ephemeralContainers[0].name: Duplicate value: "main"'],
  },
  'a name that a sidecar has': {
    wanted: [{ name: 'watcher', image: 'i' }],
    faults: ['spec.ephemeralContainers[0].name: Duplicate value: "watcher"'],
  },
  'two of one name': {
    wanted: [
      { name: 'a', image: 'i' },
      { name: 'a', image: 'i' },
    ],
    faults: ['spec.ephemeralContainers[1].name: Duplicate value: "a"'],
  },
  'no image and a bad name': {
    wanted: [{ name: 'A' }],
    faults: [
      'spec.ephemeralContainers[0].name: Invalid value: "A": must co',
      'spec.ephemeralContainers[0].image: Required value',
    ],
  },
  'a target that is not there': {
    wanted: [{ name: 'a', image: 'i', targetContainerName: 'mian' }],
    faults: ['spec.ephemeralContainers[0].targetContainerName: Not found: "mian"'],
  },
  'an ephemeral target': {
    wanted: [
      { name: 'a', image: 'i' },
      { name: 'b', image: 'i', targetContainerName: 'a' },
    ],
    faults: ['spec.ephemeralContainers[1].targetContainerName: Not found: "a"'],
  },
  'a volume that is not there': {
    wanted: [{ name: 'a', image: 'i', volumeMounts: [{ name: 'x', mountPath: '/x' }] }],
    faults: ['spec.ephemeralContainers[0].volumeMounts[0].name: Not found: "x"'],
  },
  'a part of a volume': {
    wanted: [
      { name: 'a', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/x', subPath: 'y' }] },
    ],
    faults: ['spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: cannot be set'],
  },
  'an unknown field': {
    wanted: [{ name: 'a', image: 'i', imagePulPolicy: 'Always' }],
    faults: ['spec.ephemeralContainers[0].imagePulPolicy: unknown field "imagePulPolicy"'],
  },
  'what is no list': {
    wanted: 'all of them',
    faults: ['spec.ephemeralContainers: Invalid value: "all of them": must be a list'],
  },
};

const unfit = {
  ports: [{ containerPort: 80 }],
  resources: { limits: { cpu: '1' } },
  resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
  restartPolicy: 'Always',
  restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }],
  livenessProbe: { tcpSocket: { port: 80 } },
  readinessProbe: { tcpSocket: { port: 80 } },
  startupProbe: { tcpSocket: { port: 80 } },
  lifecycle: { postStart: { sleep: { seconds: 1 } } },
};

const allRefused: typeof refused = {
  ...refused,
  ...Object.fromEntries(
    Object.entries(unfit).map(([field, value]) => [
      `the field ${field}`,
      {
        wanted: [{ name: 'a', image: 'i', [field]: value }],
        faults: [
          `spec.ephemeralContainers[0].${field}: Forbidden: cannot be set for an Ephemeral Container`,
        ],
      },
    ]),
  ),
};

for (const [what, { wanted, faults }] of Object.entries(allRefused)) {
  test(`refused: ${what}`, (t) => {
    const error = t.throws(() => validateEphemeralContainers(shown(), wanted), {
      instanceOf: ManifestError,
    });
    const told = error.faults.map(({ path, message }) => `${path}: ${message}`);
    t.deepEqual(
      told.map((one, index) => one.slice(0, faults[index]?.length)),
      faults,
    );
  });
}

for (const [what, wanted, message] of [
  ['removed', [], 'existing ephemeral containers "debugger" may not be removed'],
  [
    'changed',
    [{ ...full, image: 'busybox:2' }],
    'existing ephemeral containers "debugger" may not be changed',
  ],
] as const) {
  test(`refused: one that is there is ${what}`, (t) => {
    const pod = shown(validateEphemeralContainers(shown(), [full]));
    const error = t.throws(() => validateEphemeralContainers(pod, wanted), {
      instanceOf: ManifestError,
    });
    t.is(error.message, `Forbidden: ${message}`);
    t.is(error.where, 'request body, spec.ephemeralContainers');
  });
}

test('a manifest has none', (t) => {
  const spec = { ...manifest.spec, ephemeralContainers: [full] };
  t.throws(() => podFromValue({ ...manifest, spec }, 'test'), {
    message: 'Forbidden: ephemeral containers are added to a running pod, not to a manifest',
  });
});
