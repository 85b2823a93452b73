// Rights and identity of containers, as the kernel tells them: read in /proc from inside, or on the
// host; the same before and after a restart in place.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { buildImageOf } from '../scripts/images.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, pod } from './manifests.ts';
import type { ManifestOf } from './manifests.ts';
import type { TestNode } from './node.ts';
import { isReady, startNode, statusOf, until } from './node.ts';
import type { Reports } from './reports.ts';
import {
  reporter,
  reportingPod,
  reports,
  reportsAroundRestart,
  restartInPlace,
} from './reports.ts';

const shared: { node?: TestNode } = {};

function node(): TestNode {
  if (shared.node === undefined) throw new Error('the node has not started');
  return shared.node;
}

test.before(async () => {
  shared.node = await startNode();
  const profiles = path.join(shared.node.dataDir, 'seccomp', 'lab');
  await fs.mkdir(profiles, { recursive: true });
  // Everything is allowed but to make a folder, which answers ENOTTY: no other cause has that.
  const mkdir = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 25 };
  await fs.writeFile(
    path.join(profiles, 'no-mkdir.json'),
    JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [mkdir] }),
  );
  await shared.node.agent('--allowed-unsafe-sysctls', 'kernel.msg*,net.core.somaxconn');
});

test.after.always('nothing is left', async () => {
  await shared.node?.[Symbol.asyncDispose]();
});

/** What containers report before an in-place restart; fails unless they report it again after it. */
async function reportsThroughRestart(
  t: { deepEqual: (a: unknown, b: unknown) => unknown },
  manifest: ManifestOf,
  ...names: string[]
): Promise<Reports> {
  const { before, after } = await reportsAroundRestart(node(), manifest, ...names);
  t.deepEqual(after, before);
  return before;
}

/** One line of /proc/self/status. */
const statusLine = (field: string) => `grep ^${field}: /proc/self/status;`;

test('users, groups and capabilities are as the manifest says', async (t) => {
  const report = `id -u; id -g; id -G; ${statusLine('CapEff')} ${statusLine('NoNewPrivs')} touch /root-file && echo wrote`;
  const manifest = reportingPod(
    'identity',
    [
      reporter('inherits', report),
      reporter('overrides', report, {
        securityContext: {
          runAsUser: 0,
          runAsGroup: 0,
          capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
        },
      }),
      reporter('added', report, {
        securityContext: { runAsUser: 0, capabilities: { add: ['CAP_NET_ADMIN'] } },
      }),
      reporter('privileged', `${statusLine('CapEff')} ls /dev/mem; touch /proc/sys/vm/x; id -u`, {
        securityContext: { privileged: true, runAsUser: 0 },
      }),
    ],
    {
      securityContext: {
        runAsUser: 1234,
        runAsGroup: 2345,
        runAsNonRoot: false,
        fsGroup: 3456,
        supplementalGroups: [4567],
      },
    },
  );
  const seen = await reportsThroughRestart(
    t,
    manifest,
    'inherits',
    'overrides',
    'added',
    'privileged',
  );
  t.deepEqual(seen['inherits']?.slice(0, 5), [
    '1234',
    '2345',
    '2345 3456 4567',
    'CapEff:\t0000000000000000',
    'NoNewPrivs:\t0',
  ]);
  const bindOnly = 1n << 10n;
  t.deepEqual(seen['overrides']?.slice(0, 2), ['0', '0']);
  t.is(capabilitiesIn(seen['overrides']), bindOnly);
  t.true(seen['overrides']?.includes('NoNewPrivs:\t1'));
  t.regex(seen['overrides']?.at(-1) ?? '', /Read-only file system/);
  const usual = 0xa80425fbn;
  t.is(capabilitiesIn(seen['added']), usual | (1n << 12n));
  t.is(seen['added']?.at(-1), 'wrote');
  t.is(capabilitiesIn(seen['privileged']) & (1n << 21n), 1n << 21n, 'CAP_SYS_ADMIN');
  t.notRegex(seen['privileged']?.join() ?? '', /Read-only/);
  await node().removed('identity');
});

function capabilitiesIn(lines: readonly string[] = []): bigint {
  const hex = /CapEff:\t([0-9a-f]+)/.exec(lines.join('\n'))?.[1];
  return BigInt(`0x${hex ?? 'nothing'}`);
}

test('a promise not to run as root is kept, and one that cannot be proven refused', async (t) => {
  const [numbered, named] = await Promise.all([buildImageOf('1234'), buildImageOf('app')]);
  for (const { file } of [numbered, named]) await node().containerd.ctr('images', 'import', file);
  const promised = { runAsNonRoot: true };
  const one = (name: string, more: Record<string, unknown> = {}) =>
    reporter(name, 'id -u; id -G', { securityContext: promised, ...more });
  const containers = [
    one('root'),
    one('numbered', { image: numbered.name }),
    one('named', { image: named.name }),
    one('unasked', { image: named.name, securityContext: {} }),
    one('overruled', { image: named.name, securityContext: { ...promised, runAsUser: 4321 } }),
  ];
  await node().apply(pod('non-root', [], containers));
  const isRefused = (each: V1Pod, name: string): boolean =>
    statusOf(each, name).state.waiting?.reason === 'CreateContainerConfigError';
  const after = await node().podThat(
    'non-root',
    'is not started',
    (each) => isRefused(each, 'root') && isRefused(each, 'named'),
  );
  const where = (name: string) =>
    `(pod: "non-root_default(${after.metadata.uid})", container: ${name})`;
  const reasonOf = (name: string) => statusOf(after, name).state.waiting?.message;
  t.is(reasonOf('root'), `container has runAsNonRoot and image will run as root ${where('root')}`);
  t.is(
    reasonOf('named'),
    `container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${where('named')}`,
  );
  t.deepEqual(await reports(node(), after, ['numbered', 'unasked', 'overruled']), {
    numbered: ['1234', '0'],
    unasked: ['1000', '1000 5000'],
    overruled: ['4321', '0'],
  });
  await node().removed('non-root');
});

test('seccomp profiles come from the runtime, from the node, or not at all', async (t) => {
  const report = `${statusLine('Seccomp')} mkdir /tmp/made && echo made`;
  const localhost = (localhostProfile: string) => ({
    securityContext: { seccompProfile: { type: 'Localhost', localhostProfile } },
  });
  const manifest = reportingPod(
    'seccomp',
    [
      reporter('runtime', report),
      reporter('localhost', report, localhost('lab/no-mkdir.json')),
      reporter('unconfined', report, {
        securityContext: { seccompProfile: { type: 'Unconfined' } },
      }),
    ],
    { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
  );
  const seen = await reportsThroughRestart(t, manifest, 'runtime', 'localhost', 'unconfined');
  t.deepEqual(seen['runtime'], ['Seccomp:\t2', 'made']);
  t.is(seen['localhost']?.[0], 'Seccomp:\t2');
  t.regex(seen['localhost']?.[1] ?? '', /Not a tty|Inappropriate ioctl/);
  t.deepEqual(seen['unconfined'], ['Seccomp:\t0', 'made']);
  await node().removed('seccomp');

  await node().apply(pod('no-profile', [], [container('main', undefined, localhost('none.json'))]));
  const after = await node().podThat(
    'no-profile',
    'cannot be created',
    (one) => statusOf(one, 'main').state.waiting?.reason === 'CreateContainerError',
  );
  t.regex(statusOf(after, 'main').state.waiting?.message ?? '', /seccomp\/none\.json/);
  await node().removed('no-profile');
});

test('/proc shows little, and nothing of it can be written', async (t) => {
  const report =
    'wc -c < /proc/interrupts; ls /proc/scsi /sys/firmware; echo 1 > /proc/sys/vm/drop_caches';
  const seen = await reportsThroughRestart(
    t,
    reportingPod('proc', [reporter('main', report)]),
    'main',
  );
  t.is(seen['main']?.[0], '0');
  t.regex(seen['main']?.at(-1) ?? '', /Read-only file system/);
  await node().removed('proc');
});

test('kernel parameters are those of the pod, not of the node', async (t) => {
  const file = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
  const before = await fs.readFile(file, 'utf8');
  const report = `cat ${file} /proc/sys/kernel/msgmax /proc/sys/net/core/somaxconn`;
  const sysctls = [
    { name: 'net.ipv4.ip_unprivileged_port_start', value: '77' },
    { name: 'kernel/msgmax', value: '12345' },
    { name: 'net.core.somaxconn', value: '99' },
  ];
  const manifest = reportingPod('sysctls', [reporter('main', report)], {
    securityContext: { sysctls },
  });
  const seen = await reportsThroughRestart(t, manifest, 'main');
  t.deepEqual(seen['main'], ['77', '12345', '99']);
  t.is(await fs.readFile(file, 'utf8'), before);
  await node().removed('sysctls');
});

const rejected: Readonly<Record<string, readonly [object, string, RegExp]>> = {
  'a kernel parameter that nobody allowed': [
    { sysctls: [{ name: 'kernel.shmmax', value: '1' }] },
    'SysctlForbidden',
    /^Pod was rejected: forbidden sysctl: "kernel\.shmmax" not allowlisted$/,
  ],
  'groups that the runtime cannot leave out': [
    { supplementalGroupsPolicy: 'Strict' },
    'SupplementalGroupsPolicyNotSupported',
    /^Pod was rejected: .*Strict is not supported/,
  ],
  'a profile that the kernel cannot enforce': [
    { appArmorProfile: { type: 'RuntimeDefault' } },
    'AppArmor',
    /^Pod was rejected: Cannot enforce AppArmor/,
  ],
};

async function hasAppArmor(): Promise<boolean> {
  const file = '/sys/module/apparmor/parameters/enabled';
  return (await fs.readFile(file, 'utf8').catch(() => 'N')).startsWith('Y');
}

for (const [title, [securityContext, reason, message]] of Object.entries(rejected)) {
  test(`a pod is rejected for ${title}`, async (t) => {
    if (reason === 'AppArmor' && (await hasAppArmor())) {
      t.log('skipped: this kernel has AppArmor');
      t.pass();
      return;
    }
    const isNew = Number(node().containerd.version.split('.')[0]) >= 2;
    if (reason.startsWith('SupplementalGroups') && isNew) {
      t.log('skipped: this containerd can');
      t.pass();
      return;
    }
    const name = `rejected-${reason.toLowerCase()}`;
    await node().apply(pod(name, [], [container('main')], { securityContext }));
    const after = await node().podThat(name, 'has failed', (one) => one.status.phase === 'Failed');
    t.is(after.status.reason, reason);
    t.regex(after.status.message ?? '', message);
    const ids = await node().containerd.ctr(
      'containers',
      'ls',
      '-q',
      `labels."io.kubernetes.pod.uid"==${after.metadata.uid}`,
    );
    t.is(ids, '');
    t.regex(await node().ok('events', name), new RegExp(reason));
    await node().removed(name);
  });
}

test('profiles of AppArmor are enforced, where the kernel has them', async (t) => {
  if (!(await hasAppArmor())) {
    t.log('skipped: this kernel has no AppArmor');
    t.pass();
    return;
  }
  const localhostProfile = 'reprise-e2e';
  const rules = 'file, network, capability, signal, ptrace, mount, umount, deny /shared/secret rw,';
  const input = `profile ${localhostProfile} flags=(attach_disconnected) { ${rules} }`;
  await execa('apparmor_parser', ['--replace'], { input });
  const report = 'cat /proc/self/attr/current; echo x > /shared/secret && echo written';
  const under = (name: string, appArmorProfile: object) =>
    reporter(name, report, { securityContext: { appArmorProfile } });
  try {
    const seen = await reportsThroughRestart(
      t,
      reportingPod('app-armor', [
        under('default', { type: 'RuntimeDefault' }),
        under('own', { type: 'Localhost', localhostProfile }),
        under('none', { type: 'Unconfined' }),
      ]),
      'default',
      'own',
      'none',
    );
    t.deepEqual(seen['default'], ['cri-containerd.apparmor.d (enforce)', 'written']);
    t.is(seen['own']?.[0], `${localhostProfile} (enforce)`);
    t.regex(seen['own']?.[1] ?? '', /Permission denied/);
    // A Debian can have a profile that confines nothing for the runtime itself: `crun (unconfined)`.
    t.regex(seen['none']?.[0] ?? '', /^(\w+ \()?unconfined\)?$/);
    t.is(seen['none']?.[1], 'written');
    await node().removed('app-armor');
  } finally {
    await execa('apparmor_parser', ['--remove'], { input });
  }
});

test('groups that the image has for a user are added, or with Strict left out', async (t) => {
  const groups = async (policy: string): Promise<string | undefined> => {
    const name = `groups-${policy.toLowerCase()}`;
    const security = {
      runAsUser: 1000,
      supplementalGroups: [4567],
      supplementalGroupsPolicy: policy,
    };
    await node().apply(pod(name, [], [reporter('main', 'id -G')], { securityContext: security }));
    const one = await node().podThat(name, 'is decided', (each) => {
      return isReady(each) || each.status.phase === 'Failed';
    });
    const seen = isReady(one) ? (await reports(node(), one, ['main']))['main']?.[0] : undefined;
    if (seen !== undefined) t.is(groupsShown(one), isNew ? seen : undefined);
    await node().removed(name);
    return seen;
  };
  /** What the status tells, in the words of `id -G`; the user's own group can be in both of its fields. */
  const groupsShown = (one: V1Pod): string | undefined => {
    const { linux } = statusOf(one, 'main').user ?? {};
    if (linux === undefined) return undefined;
    t.is(linux.uid, 1000);
    return [...new Set([linux.gid, ...(linux.supplementalGroups ?? [])])].join(' ');
  };
  // Before 2.0 the runtime tells nothing of it.
  const isNew = Number(node().containerd.version.split('.')[0]) >= 2;
  t.is(await groups('Merge'), '1000 4567 5000');
  // Before 2.0 it is refused: see above.
  t.is(await groups('Strict'), isNew ? '1000 4567' : undefined);
});

test('a pod has users of its own, or is told that the runtime cannot give them', async (t) => {
  const report = `
    cat /proc/self/uid_map; id -u; stat -c %u /shared; touch /shared/made-by-$NAME
    grep -c ' /proc/' /proc/mounts`;
  // Only in users of its own a container may see all of /proc.
  const open = { securityContext: { procMount: 'Unmasked' } };
  const names = ['main', 'open'];
  const manifest = reportingPod(
    'own-users',
    [reporter('main', report), reporter('open', report, open)],
    { hostUsers: false },
  );
  await node().apply(manifest);
  const refusal = 'the runtime cannot give a pod a user namespace';
  const decided = await until('it is decided', async () => {
    const events = await node().events('own-users');
    if (events.some((event) => event.includes(refusal))) return 'refused';
    return isReady(await node().pod('own-users')) && 'served';
  });
  const one = await node().pod('own-users');
  t.is(one.spec.hostUsers, false);
  if (decided === 'refused') {
    t.log('refused: this containerd, or its runc, does not say that it can');
    t.is(one.status.phase, 'Pending');
    t.is(await node().pidOf(one, 'main'), undefined);
  } else {
    t.log('served: this containerd and its runc say that they can');
    const seen = await reports(node(), one, names);
    const [inner, outer = 0, count] = (seen['main']?.[0] ?? '').trim().split(/\s+/).map(Number);
    t.is(inner, 0);
    t.true(outer >= 65_536, 'nobody on the node');
    t.is(count, 65_536);
    t.deepEqual(seen['main']?.slice(1, 3), ['0', '0']);
    t.true(Number(seen['main']?.at(-1)) > 0);
    t.is(seen['open']?.at(-1), '0', 'nothing covers parts of /proc');
    const after = await restartInPlace(node(), one, names);
    t.deepEqual(await reports(node(), after, names), seen, 'the same users after a restart');
    for (const name of names) {
      const { uid } = await fs.stat(`/proc/${await node().pidOf(after, name)}`);
      t.is(uid, outer);
      const made = path.join(node().volume(after), `made-by-${name}`);
      t.is((await fs.stat(made)).uid, 0, 'mapped back on disk');
    }
  }
  await node().removed('own-users');
});

test('a kernel parameter of the whole machine cannot be allowed', async (t) => {
  const place = await node().beside('strict');
  const { exitCode, all } = await place.reprise(['agent', '--allowed-unsafe-sysctls', 'vm.*']);
  t.is(exitCode, 2);
  t.regex(all, /"vm\.\*" is set for the whole machine/);
});

/** Leaves a process behind that is in the cgroup of the pod, or in one of its own below it, and ends. */
const leaveBehind = `
sleep 1000000 </dev/null >/dev/null 2>&1 &
for pod in $(find /cgroup/ -type d -name "*pod$(echo $PODUID | tr - _)*" -o -type d -name "*pod$PODUID"); do
  # With v2 only those below it may have processes.
  echo $! >$pod/cgroup.procs 2>/dev/null || { mkdir $pod/own; echo $! >$pod/own/cgroup.procs; } || exit 1
done
echo $! >/shared/left
`;

test('a process that has left the cgroup of its container ends with the pod', async (t) => {
  const main = container('main', leaveBehind, {
    env: [{ name: 'PODUID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } }],
    securityContext: { privileged: true, runAsUser: 0 },
    volumeMounts: [
      { name: 'shared', mountPath: '/shared' },
      { name: 'cgroup', mountPath: '/cgroup' },
    ],
  });
  const volumes = [
    { name: 'shared', emptyDir: {} },
    { name: 'cgroup', hostPath: { path: '/sys/fs/cgroup' } },
  ];
  await node().apply(pod('leaver', [], [main], { hostPID: true, volumes }));
  const left = await node().podThat(
    'leaver',
    'is over',
    ({ status }) => status.phase === 'Succeeded' || status.phase === 'Failed',
  );
  t.like(statusOf(left, 'main').state.terminated, { exitCode: 0 });
  const pid = (await fs.readFile(path.join(node().volume(left), 'left'), 'utf8')).trim();
  const commandOf = (): Promise<string> =>
    fs.readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  t.regex(await commandOf(), /sleep\0/, 'it has outlived its container');
  t.regex(await fs.readFile(`/proc/${pid}/cgroup`, 'utf8'), /pod[-\w]+(\.slice)?(\/own)?$/m);
  await node().removed('leaver');
  t.notRegex(await commandOf(), /sleep\0/);
});
