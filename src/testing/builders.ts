/** Short ways to write pods down in tests. */
import type { Instance } from '../pod/observed.ts';
import type { Container, EphemeralContainer, Pod, PodSpec, RestartRule } from '../pod/pod.ts';

/** A container that nothing special is said about. */
export function aContainer(name: string, more: Partial<Container> = {}): Container {
  return {
    name,
    image: 'localhost/test:1',
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
    ...more,
  };
}

/** A sidecar: an init container with `restartPolicy: Always`. */
export function aSidecar(name: string, more: Partial<Container> = {}): Container {
  return aContainer(name, { restartPolicy: 'Always', ...more });
}

/** A guest that is added to a running pod. */
export function anEphemeralContainer(
  name: string,
  more: Partial<EphemeralContainer> = {},
): EphemeralContainer {
  return aContainer(name, more);
}

/** One run of the container `main` that nothing special is said about. */
export function anInstance(more: Partial<Instance> = {}): Instance {
  return {
    id: 'c1',
    name: 'main',
    attempt: 0,
    generation: 0,
    sandboxAttempt: 0,
    specHash: '',
    state: 'running',
    startedAt: 1,
    gone: false,
    ...more,
  };
}

/** The rule `RestartAllContainers` on these exit codes. */
export function restartAllOn(...values: number[]): Pick<Container, 'restartPolicyRules'> {
  return {
    restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values } }],
  };
}

/** The rule `Restart` on these exit codes. */
export function restartOn(...values: number[]): Pick<Container, 'restartPolicyRules'> {
  const rule: RestartRule = { action: 'Restart', exitCodes: { operator: 'In', values } };
  return { restartPolicyRules: [rule] };
}

/** A pod of these containers. */
export function aPod(
  initContainers: readonly Container[],
  containers: readonly Container[],
  more: Partial<PodSpec> = {},
): Pod {
  return {
    metadata: {
      name: 'pod',
      namespace: 'default',
      uid: '00000000-0000-4000-8000-000000000001',
      labels: {},
      annotations: {},
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      initContainers,
      containers,
      volumes: [],
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 30,
      hostNetwork: false,
      hostPID: false,
      hostIPC: false,
      shareProcessNamespace: false,
      dnsPolicy: 'ClusterFirst',
      hostAliases: [],
      securityContext: { supplementalGroups: [], sysctls: [] },
      inert: {},
      ...more,
    },
  };
}

/** The reference pod: one init container, a watcher that restarts all on 88, one app container. */
export function referencePod(more: Partial<PodSpec> = {}): Pod {
  return aPod(
    [aContainer('setup'), aSidecar('watcher', restartAllOn(88))],
    [aContainer('main')],
    more,
  );
}
