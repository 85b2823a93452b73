// Rights and identity in CRI's words; ../runtime/container-config.test.ts has the plain cases.
import test from 'ava';
import type { ContainerSecurityContext, PodSecurityContext, PodSpec } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { aLoan, aNode } from '../testing/node.ts';
import { containerConfig } from './container-config.ts';
import { sandboxConfig } from './sandbox-config.ts';
import { UnsupportedError } from './user-namespace.ts';

const image = { ref: 'i', user: { uid: 0 }, pulled: false, sizeBytes: 1 };
const run = { attempt: 0, generation: 0, sandboxAttempt: 0 };
const plain = aContainer('main').securityContext;

interface Said {
  readonly own?: Partial<ContainerSecurityContext>;
  readonly shared?: Partial<PodSecurityContext>;
  readonly spec?: Partial<PodSpec>;
}

function configsOf({ own, shared, spec }: Said, node = aNode(), loan = aLoan()) {
  const container = aContainer('main', { securityContext: { ...plain, ...own } });
  const securityContext = { supplementalGroups: [], sysctls: [], ...shared };
  const pod = aPod([], [container], { securityContext, ...spec });
  const made = { image: { ...image, name: 'i', digest: 'i' }, environment: new Map() };
  return {
    container: containerConfig(pod, container, run, made, loan, node),
    sandbox: sandboxConfig(pod, 0, loan, node),
  };
}

function securityOf(said: Said) {
  const { container, sandbox } = configsOf(said);
  return {
    container: container.linux?.securityContext ?? {},
    sandbox: sandbox.linux?.securityContext ?? {},
  };
}

const profile = (localhostProfile: string) => ({ type: 'Localhost' as const, localhostProfile });

test("a seccomp profile of the node is a file in the agent's folder", (t) => {
  const { container, sandbox } = securityOf({
    own: { seccompProfile: profile('sub/strict.json') },
  });
  t.deepEqual(container.seccomp, {
    profileType: 'Localhost',
    localhostRef: '/var/lib/reprise/seccomp/sub/strict.json',
  });
  t.deepEqual(sandbox.seccomp, { profileType: 'RuntimeDefault' });
});

for (const path of ['../secret', 'a/../../secret', '..', '.']) {
  test(`a seccomp profile is not looked for at ${path}`, (t) => {
    t.throws(() => securityOf({ shared: { seccompProfile: profile(path) } }), {
      message: /leads out of its folder/,
    });
  });
}

test('AppArmor profiles are passed on by name, and not at all if none is given', (t) => {
  const shared = { appArmorProfile: profile('k8s-nginx') };
  t.deepEqual(securityOf({ shared }).container.apparmor, {
    profileType: 'Localhost',
    localhostRef: 'k8s-nginx',
  });
  const own = { appArmorProfile: { type: 'Unconfined' as const } };
  t.deepEqual(securityOf({ shared, own }).container.apparmor, { profileType: 'Unconfined' });
  t.is(securityOf({}).container.apparmor, undefined);
});

test("SELinux options are passed on; the container's take the place of the pod's", (t) => {
  const shared = { seLinuxOptions: { level: 's0:c1,c2' } };
  t.deepEqual(securityOf({ shared }).container.selinuxOptions, { level: 's0:c1,c2' });
  t.deepEqual(securityOf({ shared }).sandbox.selinuxOptions, { level: 's0:c1,c2' });
  const own = { seLinuxOptions: { type: 'spc_t' } };
  t.deepEqual(securityOf({ shared, own }).container.selinuxOptions, { type: 'spc_t' });
});

test('the policy for groups is said to sandbox and containers', (t) => {
  const { container, sandbox } = securityOf({ shared: { supplementalGroupsPolicy: 'Strict' } });
  t.is(container.supplementalGroupsPolicy, 'Strict');
  t.is(sandbox.supplementalGroupsPolicy, 'Strict');
});

test('capabilities may be written with and without their prefix', (t) => {
  const own = { capabilities: { add: ['CAP_NET_ADMIN', 'SYS_TIME'], drop: ['cap_chown', 'ALL'] } };
  t.deepEqual(securityOf({ own }).container.capabilities, {
    addCapabilities: ['NET_ADMIN', 'SYS_TIME'],
    dropCapabilities: ['chown', 'ALL'],
  });
});

test('an unmasked /proc hides nothing', (t) => {
  const { container } = securityOf({ own: { procMount: 'Unmasked' } });
  t.deepEqual([container.maskedPaths, container.readonlyPaths], [[], []]);
});

const able = { userNamespaces: true, recursiveReadOnlyMounts: true };
const lent = aLoan({ userNamespace: { first: 131_072, count: 65_536 } });
const mapping = { containerId: 0, hostId: 131_072, length: 65_536 };

test('a pod with users of its own gets the range that was lent, in every mount too', (t) => {
  const said = { spec: { hostUsers: false } };
  const { container, sandbox } = configsOf(said, aNode({ handlers: { '': able } }), lent);
  const wanted = { mode: 'POD', uids: [mapping], gids: [mapping] };
  t.like(sandbox.linux?.securityContext, { namespaceOptions: { usernsOptions: wanted } });
  t.like(container.linux?.securityContext, { namespaceOptions: { usernsOptions: wanted } });
  t.deepEqual(
    container.mounts?.map(({ containerPath, uidMappings, gidMappings }) => [
      containerPath,
      uidMappings,
      gidMappings,
    ]),
    ['/etc/hosts', '/dev/termination-log'].map((path) => [path, [mapping], [mapping]]),
  );
});

test('other pods share the users of the node', (t) => {
  const { container, sandbox } = configsOf({}, aNode({ handlers: { '': able } }), lent);
  t.is(sandbox.linux?.securityContext?.namespaceOptions?.usernsOptions, undefined);
  t.is(container.mounts?.[0]?.uidMappings, undefined);
});

for (const [title, node] of Object.entries({
  'a runtime that tells of no handlers': aNode(),
  'a handler that cannot': aNode({ handlers: { '': { ...able, userNamespaces: false } } }),
  'another handler than the one that can': aNode({ handlers: { kata: able } }),
})) {
  test(`users of its own are refused by ${title}`, (t) => {
    t.throws(() => configsOf({ spec: { hostUsers: false } }, node, lent), {
      instanceOf: UnsupportedError,
      message: /cannot give a pod a user namespace/,
    });
  });
}

test('a container with a target sees its processes, and is as it would be else', (t) => {
  const pod = aPod([], [aContainer('main')]);
  const made = { image: { ...image, name: 'i', digest: 'i' }, environment: new Map() };
  const [plainOne, guest] = [undefined, 'abc'].map((target) =>
    containerConfig(pod, aContainer('guest'), { ...run, target }, made, aLoan(), aNode()),
  );
  const options = plainOne?.linux?.securityContext?.namespaceOptions;
  t.deepEqual(guest?.linux, {
    ...plainOne?.linux,
    securityContext: {
      ...plainOne?.linux?.securityContext,
      namespaceOptions: { ...options, pid: 'TARGET', targetId: 'abc' },
    },
  });
  t.is(guest?.labels?.['reprise.dev/target-id'], 'abc');
  t.is(options?.pid, 'CONTAINER');
});
