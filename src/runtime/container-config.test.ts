import { among } from '../testing/objects.ts';
import test from 'ava';
import type { Container, Pod, PodSpec } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { aLoan, aNode } from '../testing/node.ts';
import { containerConfig, environmentFor, specHash } from './container-config.ts';
import type { Ingredients } from './container-config.ts';
import { containerHash } from './container-hash.ts';
import type { ContainerConfig } from './generated/runtime/v1/ContainerConfig.ts';
import { readContainerLabels } from './labels.ts';

const image = {
  ref: 'sha256:1',
  digest: 'registry/test@sha256:0',
  name: 'registry/test:1',
  user: { uid: 0 },
  pulled: false,
  sizeBytes: 1,
};
const run = { attempt: 4, generation: 3, sandboxAttempt: 2 };
const loan = aLoan({ volumes: { data: '/srv/data', hosts: '/srv/hosts' } });

function ingredients(pod: Pod, container: Container, podIPs = ['10.88.0.5']): Ingredients {
  const environment = environmentFor(pod, container, { podIPs, find: among() }, aNode());
  return { image, environment };
}

function of(
  more: Partial<Container> = {},
  spec: Partial<PodSpec> = {},
  made: Partial<Ingredients> = {},
): ContainerConfig {
  const container = aContainer('main', more);
  const pod = aPod([], [container], spec);
  const all = { ...ingredients(pod, container), ...made };
  return containerConfig(pod, container, run, all, loan, aNode());
}

const securityOf = (config: ContainerConfig) => config.linux?.securityContext ?? {};
const closed = aContainer('x').securityContext;
const shared: PodSpec['securityContext'] = { supplementalGroups: [], sysctls: [] };

test('a container is named and logs after its attempt', (t) => {
  t.like(of(), { metadata: { name: 'main', attempt: 4 }, logPath: 'main/4.log' });
});

test('the labels say which pod, generation and sandbox it belongs to', (t) => {
  const { labels, annotations } = of();
  const identity = readContainerLabels(labels ?? {});
  t.like(identity, { name: 'main', generation: 3, sandboxAttempt: 2 });
  t.is(identity?.podUid, '00000000-0000-4000-8000-000000000001');
  t.is(labels?.['reprise.dev/agent'], 'agent-1');
  t.is(annotations?.['io.kubernetes.container.restartCount'], '4');
});

test('the annotations are those of the kubelet', (t) => {
  const preStop = { exec: { command: ['drain'] } };
  const ports = [{ containerPort: 80, protocol: 'TCP' as const }];
  t.deepEqual(of({ image: 'foo/image:v1', lifecycle: { preStop }, ports }).annotations, {
    'io.kubernetes.container.hash': containerHash(aContainer('main', { image: 'foo/image:v1' })),
    'io.kubernetes.container.restartCount': '4',
    'io.kubernetes.container.terminationMessagePath': '/dev/termination-log',
    'io.kubernetes.container.terminationMessagePolicy': 'File',
    'io.kubernetes.pod.terminationGracePeriod': '30',
    'io.kubernetes.container.preStopHandler': '{"exec":{"command":["drain"]}}',
    'io.kubernetes.container.ports': '[{"containerPort":80,"protocol":"TCP"}]',
  });
  t.false('io.kubernetes.container.preStopHandler' in (of().annotations ?? {}));
});

test("a container's hash is what the kubelet's own test expects", (t) => {
  const container = aContainer('test_container', { image: 'foo/image:v1' });
  t.is(containerHash(container), '8e45cbd0');
});

test('command and args see the environment', (t) => {
  const config = of({
    command: ['run', '$(IP)'],
    args: ['--name=$(NAME)', '$(NOPE)'],
    env: [
      { name: 'NAME', value: 'x' },
      { name: 'IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
    ],
  });
  t.deepEqual(config.command, ['run', '10.88.0.5']);
  t.deepEqual(config.args, ['--name=x', '$(NOPE)']);
  t.deepEqual(
    config.envs?.map(({ key, value }) => `${key ?? ''}=${String(value)}`),
    ['NAME=x', 'IP=10.88.0.5'],
  );
});

test("with the host's network the pod's address is the node's", (t) => {
  const env = [
    { name: 'IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
  ];
  t.deepEqual(of({ env, command: ['$(IP)'] }, { hostNetwork: true }).command, ['192.0.2.1']);
});

const messages = {
  containerPath: '/dev/termination-log',
  hostPath: '/var/lib/reprise/pods/1/containers/main/4',
  readonly: false,
  selinuxRelabel: true,
};

test('mounts keep their order; /etc/hosts and the file for messages come last', (t) => {
  const volumeMounts = [{ name: 'data', mountPath: 'work/', readOnly: true }];
  t.deepEqual(of({ volumeMounts }).mounts, [
    { containerPath: '/work', hostPath: '/srv/data', readonly: true },
    {
      ...{ containerPath: '/etc/hosts', hostPath: loan.hostsFile, readonly: false },
      selinuxRelabel: true,
    },
    messages,
  ]);
});

test('a container that mounts /etc/hosts itself keeps its own', (t) => {
  const volumeMounts = [{ name: 'hosts', mountPath: '/etc//hosts', readOnly: true }];
  t.deepEqual(of({ volumeMounts }).mounts, [
    { containerPath: '/etc/hosts', hostPath: '/srv/hosts', readonly: true },
    messages,
  ]);
});

test('a volume that was not lent is not quietly left out', (t) => {
  const volumeMounts = [{ name: 'absent', mountPath: '/x', readOnly: false }];
  t.throws(() => of({ volumeMounts }), { message: /"absent"/ });
});

test('a container runs with little to see and nothing of the machine to write', (t) => {
  const security = securityOf(of());
  t.true(security.maskedPaths?.includes('/proc/kcore'));
  t.true(security.readonlyPaths?.includes('/proc/sys'));
  t.like(security, {
    privileged: false,
    noNewPrivs: false,
    seccomp: { profileType: 'Unconfined' },
    namespaceOptions: { pid: 'CONTAINER' },
  });
});

test('what the container says comes before what the pod says', (t) => {
  const pod = {
    ...shared,
    runAsUser: 1,
    runAsGroup: 2,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const spec = { securityContext: pod as PodSpec['securityContext'] };
  t.like(securityOf(of({}, spec)), {
    runAsUser: { value: 1 },
    runAsGroup: { value: 2 },
    seccomp: { profileType: 'RuntimeDefault' },
  });
  const own = { ...closed, runAsUser: 0, seccompProfile: { type: 'Unconfined' as const } };
  t.like(securityOf(of({ securityContext: own }, spec)), {
    runAsUser: { value: 0 },
    runAsGroup: { value: 2 },
    seccomp: { profileType: 'Unconfined' },
  });
});

test('each run has a message file of its own, which the hash does not cover', (t) => {
  const { mounts = [] } = of({ terminationMessagePath: 'tmp/../words' });
  t.deepEqual(mounts.at(-1), { ...messages, containerPath: '/words' });
});

test('the user of the image is said when the pod says none', (t) => {
  const numbered = { image: { ...image, user: { uid: 1234 } } };
  t.deepEqual(securityOf(of({}, {}, numbered)).runAsUser, { value: 1234 });
  const named = { image: { ...image, user: { name: 'bob' } } };
  t.like(securityOf(of({}, {}, named)), { runAsUsername: 'bob', runAsUser: undefined });
});

test('privileges are kept from growing only when the manifest says so', (t) => {
  const with_ = (allowPrivilegeEscalation?: boolean) =>
    securityOf(of({ securityContext: { ...closed, allowPrivilegeEscalation } })).noNewPrivs;
  t.deepEqual([with_(false), with_(true), with_()], [true, false, false]);
});

function hash(
  more: Partial<Container> = {},
  made: Partial<Ingredients> = {},
  spec: Partial<PodSpec> = {},
): string {
  const container = aContainer('main', more);
  const pod = aPod([], [container], spec);
  return specHash(pod, container, { ...ingredients(pod, container), ...made }, loan, aNode());
}

test('the hash is the one on the label, whatever attempt and generation', (t) => {
  t.is(readContainerLabels(of().labels ?? {})?.specHash, hash());
});

const changes: Record<string, string> = {
  'another image': hash({}, { image: { ...image, ref: 'sha256:2' } }),
  'another command': hash({ command: ['x'] }),
  'another variable': hash({ env: [{ name: 'A', value: 'b' }] }),
  'another limit': hash({ resources: { requests: {}, limits: { memory: '1Gi' } } }),
  'another right': hash({ securityContext: { ...closed, privileged: true } }),
  'another namespace': hash({}, {}, { shareProcessNamespace: true }),
};
for (const [title, changed] of Object.entries(changes)) {
  test(`${title} changes the hash`, (t) => t.not(changed, hash()));
}

test('an address that the container does not ask for leaves the hash as it is', (t) => {
  const container = aContainer('main');
  const pod = aPod([], [container]);
  t.is(hash({}, ingredients(pod, container, ['10.88.0.6'])), hash());
});
