// What pods request and may use, as the kernel has it: read from the cgroups on the host.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { containerCgroup, findHierarchy, podCgroup } from '../src/host/cgroups.ts';
import type { CgroupDriver } from '../src/host/cgroups.ts';
import { isErrno } from '../src/host/errno.ts';
import { cpuWeightOf } from '../src/pod/cpu-shares.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, pod, restartAllOn } from './manifests.ts';
import type { TestNode } from './node.ts';
import { generationOf, isReady, startNode, statusOf, until } from './node.ts';
import { blink } from './pace.ts';
import { reporter, reports } from './reports.ts';

const shared: { node?: TestNode } = {};
const hierarchy = findHierarchy();

function node(): TestNode {
  if (shared.node === undefined) throw new Error('the node has not started');
  return shared.node;
}

test.before(async () => {
  shared.node = await startNode();
  await shared.node.agent('--pod-pids-limit', '77');
});

test.after.always('nothing is left', async () => {
  await shared.node?.[Symbol.asyncDispose]();
});

/** A value of a cgroup; the controller says where it is, with v1. */
async function valueOf(cgroup: string, controller: string, file: string): Promise<string> {
  const mount = hierarchy.version === 2 ? hierarchy.root : hierarchy.controllers[controller];
  return (await fs.readFile(path.join(mount ?? '', cgroup, file), 'utf8')).trim();
}

/** The quota of each 100 ms in microseconds and bytes of memory; 0 stands for no limit. */
async function limitsOf(cgroup: string): Promise<readonly [quota: number, memory: number]> {
  if (hierarchy.version === 2) {
    const [quota] = (await valueOf(cgroup, 'cpu', 'cpu.max')).split(' ');
    const memory = await valueOf(cgroup, 'memory', 'memory.max');
    return [Number(quota) || 0, Number(memory) || 0];
  }
  const quota = Number(await valueOf(cgroup, 'cpu', 'cpu.cfs_quota_us'));
  const memory = Number(await valueOf(cgroup, 'memory', 'memory.limit_in_bytes'));
  return [Math.max(quota, 0), memory > Number.MAX_SAFE_INTEGER / 2 ? 0 : memory];
}

/** The limit on swap, with v1 on memory and swap together; undefined where the kernel does not count it. */
async function swapOf(cgroup: string): Promise<string | undefined> {
  const file = hierarchy.version === 2 ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes';
  return await valueOf(cgroup, 'memory', file).catch(unlessMissing);
}

/** Bytes of huge pages, by the size of a page in the kernel's words; undefined where they are not limited. */
async function hugePagesOf(cgroup: string): Promise<Record<string, number> | undefined> {
  const mount = hierarchy.version === 2 ? hierarchy.root : hierarchy.controllers['hugetlb'];
  if (mount === undefined) return undefined;
  const names = (await fs.readdir(path.join(mount, cgroup))).flatMap((name) => {
    const size = /^hugetlb\.(\w+)\.(?:max|limit_in_bytes)$/.exec(name)?.[1];
    return size === undefined ? [] : [[size, name] as const];
  });
  if (names.length === 0) return undefined;
  const limits = names.map(async ([size, name]) => {
    return [size, Number(await valueOf(cgroup, 'hugetlb', name))] as const;
  });
  return Object.fromEntries(await Promise.all(limits));
}

function unlessMissing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT')) throw error;
  return undefined;
}

async function sharesIn(cgroup: string): Promise<string> {
  return hierarchy.version === 2
    ? `weight ${await valueOf(cgroup, 'cpu', 'cpu.weight')}`
    : `shares ${await valueOf(cgroup, 'cpu', 'cpu.shares')}`;
}

function shares(number: number): string {
  return hierarchy.version === 2 ? `weight ${cpuWeightOf(number)}` : `shares ${number}`;
}

function driver(): CgroupDriver {
  return node().containerd.systemdCgroup ? 'systemd' : 'cgroupfs';
}

function cgroupOf({ metadata, status }: V1Pod): string {
  const { cgroupRoot } = node();
  return podCgroup(metadata.uid, status.qosClass, {
    cgroupRoot,
    driver: driver(),
  });
}

function cgroupOfContainer(one: V1Pod, name: string): string {
  const id = statusOf(one, name).containerID?.replace('containerd://', '') ?? '';
  return containerCgroup(cgroupOf(one), id, driver());
}

/** Where its processes are: crun, told to use systemd, puts them and some limits one cgroup deeper. */
async function cgroupInside(one: V1Pod, name: string): Promise<string> {
  const outer = cgroupOfContainer(one, name);
  if (hierarchy.version === 1) return outer;
  const inner = path.join(outer, 'container');
  const isThere = await fs.access(path.join(hierarchy.root, inner)).then(() => true, unlessMissing);
  return isThere === true ? inner : outer;
}

/** What the pod as a whole has; and its containers, whose weight with v2 is for the OCI runtime to choose. */
async function has(
  t: ExecutionContext,
  cgroup: string,
  share: number,
  limits: readonly [quota: number, memory: number],
): Promise<void> {
  t.deepEqual(await limitsOf(cgroup), limits, cgroup);
  const isContainer = /[0-9a-f]{64}/.test(cgroup);
  if (isContainer && hierarchy.version === 2) return;
  t.is(await sharesIn(cgroup), shares(share), cgroup);
}

async function started(name: string, spec: object, resources: readonly object[]): Promise<V1Pod> {
  const containers = resources.map((each, index) =>
    container(`c${index}`, undefined, { resources: each }),
  );
  await node().apply(pod(name, [], containers, { ...spec }));
  return await node().podThat(name, 'runs', isReady);
}

/** What the OCI runtime is told of a pod as a whole: CPU shares, period and quota, memory. */
async function toldOf({ metadata }: V1Pod): Promise<readonly unknown[]> {
  const [sandbox = ''] = await node().containers({
    'io.kubernetes.pod.uid': metadata.uid,
    'io.cri-containerd.kind': 'sandbox',
  });
  const info = JSON.parse(await node().containerd.ctr('containers', 'info', sandbox)) as {
    readonly Spec: { readonly annotations: Readonly<Record<string, string>> };
  };
  return ['cpu-shares', 'cpu-period', 'cpu-quota', 'memory'].map(
    (what) => info.Spec.annotations[`io.kubernetes.cri.sandbox-${what}`],
  );
}

async function oomScoreOf(one: V1Pod, name: string): Promise<string> {
  const pid = await node().pidOf(one, name);
  return (await fs.readFile(`/proc/${pid}/oom_score_adj`, 'utf8')).trim();
}

const mebibyte = 2 ** 20;

test.serial(
  'pods get what their QoS class says, and the classes what their pods request',
  async (t) => {
    const guaranteed = await started('guaranteed', {}, [
      { limits: { cpu: '250m', memory: '64Mi' } },
    ]);
    const burstable = await started('burstable', {}, [
      { requests: { cpu: '500m', memory: '32Mi' }, limits: { cpu: 1, memory: '64Mi' } },
      { requests: { cpu: '100m' }, limits: { cpu: '500m' } },
    ]);
    const bestEffort = await started('best-effort', {}, [{}]);
    t.deepEqual(
      [guaranteed, burstable, bestEffort].map(({ status }) => status.qosClass),
      ['Guaranteed', 'Burstable', 'BestEffort'],
    );

    const quarter = [25_000, 64 * mebibyte] as const;
    await has(t, cgroupOf(guaranteed), 256, quarter);
    await has(t, cgroupOfContainer(guaranteed, 'c0'), 256, quarter);
    // Without the privilege for it, containerd does not go below its own.
    const own = (await fs.readFile('/proc/self/oom_score_adj', 'utf8')).trim();
    t.true(['-997', own].includes(await oomScoreOf(guaranteed, 'c0')));

    // One container has no limit on memory, so the pod has none.
    await has(t, cgroupOf(burstable), 614, [150_000, 0]);
    // A runtime of virtual machines hears of the sum all the same.
    t.deepEqual(await toldOf(burstable), ['614', '100000', '150000', String(64 * mebibyte)]);
    await has(t, cgroupOfContainer(burstable, 'c0'), 512, [100_000, 64 * mebibyte]);
    await has(t, cgroupOfContainer(burstable, 'c1'), 102, [50_000, 0]);
    t.is(await oomScoreOf(burstable, 'c1'), '999');

    await has(t, cgroupOf(bestEffort), 2, [0, 0]);
    t.is(await oomScoreOf(bestEffort, 'c0'), '1000');

    // With v1 no more of both together than of memory alone.
    const noSwap = hierarchy.version === 2 ? '0' : String(64 * mebibyte);
    for (const each of [guaranteed, burstable]) {
      const swap = await swapOf(await cgroupInside(each, 'c0'));
      if (swap === undefined) t.log('no look at swap: this kernel does not count it');
      else t.is(swap, noSwap, each.metadata.name);
    }
    const pages = await hugePagesOf(cgroupOf(bestEffort));
    if (pages === undefined) t.log('no look at limits of huge pages: this kernel has none');
    else t.deepEqual([...new Set(Object.values(pages))], [0], 'who does not ask for any gets none');

    for (const each of [guaranteed, burstable, bestEffort]) {
      t.is(await valueOf(cgroupOf(each), 'pids', 'pids.max'), '77', each.metadata.name);
    }

    // The slices around those of pods are systemd's.
    if (driver() === 'cgroupfs') {
      const ofClass = (name: string) => sharesIn(path.posix.join(node().cgroupRoot, name));
      t.is(await ofClass('burstable'), shares(614));
      t.is(await ofClass('besteffort'), shares(2));
      await started('more', {}, [{ requests: { cpu: '400m' } }]);
      t.is(await ofClass('burstable'), shares(1024));
      await node().removed('more');
      t.is(await ofClass('burstable'), shares(614));
    }
    await node().removed('guaranteed', 'burstable', 'best-effort');
  },
);

test.serial('a pod as a whole can have resources, and containers share them', async (t) => {
  const resources = { requests: { cpu: '300m' }, limits: { cpu: '500m', memory: '96Mi' } };
  const own = { requests: { cpu: '100m' }, limits: { memory: '32Mi' } };
  const one = await started('whole', { resources }, [own, {}]);
  t.is(one.status.qosClass, 'Burstable');
  await has(t, cgroupOf(one), 307, [50_000, 96 * mebibyte]);
  await has(t, cgroupOfContainer(one, 'c0'), 102, [50_000, 32 * mebibyte]);
  await has(t, cgroupOfContainer(one, 'c1'), 512, [50_000, 96 * mebibyte]);
  await node().removed('whole');
});

test.serial('huge pages that the machine does not have are refused with the reason', async (t) => {
  // No machine has set aside an exbibyte of them.
  const resources = { limits: { cpu: '100m', 'hugepages-2Mi': '1Pi' } };
  await node().apply(pod('pages', [], [container('main', undefined, { resources })]));
  const rejected = await node().podThat(
    'pages',
    'is over',
    ({ status }) => status.phase === 'Failed',
  );
  t.is(rejected.status.reason, 'OutOfhugepages-2Mi');
  t.regex(
    rejected.status.message ?? '',
    /enough resource: hugepages-2Mi, requested: 1125899906842624/,
  );
  await node().removed('pages');
});

test.serial(
  'huge pages that the machine has are there for a pod with a limit on them',
  async (t) => {
    await using pages = await setPagesAside(4);
    if (pages === undefined) {
      t.log('skipped: this machine sets no huge pages of 2 MiB aside');
      t.pass();
      return;
    }
    const resources = { limits: { memory: '64Mi', 'hugepages-2Mi': '6Mi' } };
    const volumeMounts = [
      { name: 'shared', mountPath: '/shared' },
      { name: 'pages', mountPath: '/pages' },
    ];
    const volumes = [
      { name: 'shared', emptyDir: {} },
      { name: 'pages', emptyDir: { medium: 'HugePages', sizeLimit: '4Mi' } },
    ];
    const report = `
    grep ' /pages ' /proc/mounts | cut -d ' ' -f 3
    fallocate -l 4M /pages/fits && echo fits
    fallocate -l 2M /pages/more`;
    const main = reporter('main', report, { resources, volumeMounts });
    // The agent has been there before them.
    await node().apply(pod('has-pages', [], [main], { volumes }));
    const one = await node().ready('has-pages');
    const { main: seen = [] } = await reports(node(), one, ['main']);
    t.deepEqual(seen.slice(0, 2), ['hugetlbfs', 'fits']);
    t.regex(seen[2] ?? '', /No space left on device/);
    // Those of containers are containerd's, which leaves them out by default (disable_hugetlb_controller).
    const limits = await hugePagesOf(cgroupOf(one));
    if (limits === undefined) t.log('no look at limits of huge pages: this kernel has none');
    for (const [size, limit] of Object.entries(limits ?? {})) {
      t.is(limit, size === '2MB' ? 6 * mebibyte : 0, size);
    }
    await node().removed('has-pages');
  },
);

test.serial('a pod whose cgroup cannot be made says so, and runs when it can', async (t) => {
  if (driver() === 'systemd') {
    t.log("skipped: the cgroups of pods are systemd's, which makes them anywhere");
    t.pass();
    return;
  }
  const here = await node().beside('no-room');
  await here.agent();
  const opens = await leaveNoRoom(here.cgroupRoot);
  const resources = { limits: { cpu: '500m', memory: '32Mi' } };
  await here.apply(pod('no-room', [], [container('main', undefined, { resources })]));
  await until('it is told', async () =>
    (await here.events('no-room')).some((event) =>
      event.startsWith(
        "Warning FailedCreatePodContainer: unable to ensure pod container exists: cannot set up the pod's cgroup: ",
      ),
    ),
  );
  t.is((await here.pod('no-room')).status.phase, 'Pending');
  await opens();
  await here.ready('no-room');
  await here.removed('no-room');
});

test.serial('what dies for want of memory says so', async (t) => {
  const eats = 'exec tail /dev/zero';
  const limited = { resources: { limits: { memory: '16Mi' } } };
  await node().apply(pod('eater', [], [container('main', eats, limited)]));
  const dead = await node().podThat('eater', 'is over', ({ status }) => status.phase === 'Failed');
  t.like(statusOf(dead, 'main').state.terminated, { exitCode: 137, reason: 'OOMKilled' });
  await node().removed('eater');
});

test.serial('what dies for want of memory is told however its parent ends', async (t) => {
  const limited = { resources: { limits: { memory: '16Mi' } } };
  const codes = { fails: 1, succeeds: 0 };
  const parents = Object.entries(codes).map(([name, code]) =>
    container(name, `tail /dev/zero; exit ${code}`, limited),
  );
  await node().apply(pod('parents', [], parents));
  const dead = await node().podThat(
    'parents',
    'is over',
    ({ status }) => status.phase === 'Failed',
  );
  for (const [name, code] of Object.entries(codes)) {
    // With cgroup v2 the kernel kills all of the container, its parent included.
    const exitCode = hierarchy.version === 2 ? 137 : code;
    t.like(statusOf(dead, name).state.terminated, { exitCode, reason: 'OOMKilled' });
  }
  await node().removed('parents');
});

test.serial(
  'an init container in which something died for want of memory has failed',
  async (t) => {
    const limited = { resources: { limits: { memory: '16Mi' } } };
    const setup = container('setup', 'tail /dev/zero; exit 0', limited);
    await node().apply(pod('setup', [setup], [container('main')]));
    const dead = await node().podThat(
      'setup',
      'is over',
      ({ status }) => status.phase === 'Failed',
    );
    t.like(statusOf(dead, 'setup').state.terminated, { reason: 'OOMKilled' });
    t.is(statusOf(dead, 'main').state.terminated, undefined);
    await node().removed('setup');
  },
);

test.serial('a rule can name the exit for want of memory', async (t) => {
  const eats = `while [ ! -e /shared/eat ]; do sleep ${blink}; done; rm /shared/eat; exec tail /dev/zero`;
  const main = container('main', eats, {
    resources: { limits: { memory: '16Mi' } },
    restartPolicy: 'Never',
    ...restartAllOn(137),
  });
  await node().apply(pod('again', [], [main, container('other')]));
  const first = await node().podThat('again', 'runs', isReady);
  await fs.writeFile(path.join(node().volume(first), 'eat'), '');
  const second = await node().podThat(
    'again',
    'is back',
    (one) => isReady(one) && generationOf(one) === 1,
  );
  const last = statusOf(second, 'main').lastState.terminated;
  t.like(last, { exitCode: 137, reason: 'OOMKilled' });
  t.like(statusOf(second, 'other').lastState.terminated, {
    exitCode: 137,
    reason: 'RestartingAllContainers',
  });
  await node().removed('again');
});

/** Makes a cgroup take no pod that wants half a processor; returns what makes it take some again. */
async function leaveNoRoom(cgroup: string): Promise<() => Promise<void>> {
  const mount = hierarchy.version === 2 ? hierarchy.root : hierarchy.controllers['cpu'];
  const directory = path.join(mount ?? '', cgroup);
  await fs.mkdir(directory, { recursive: true });
  // With v1 nobody can have more than its parent; with v2 that is allowed, and of no use.
  const [file, none, all] =
    hierarchy.version === 2
      ? ['cgroup.max.descendants', '0', 'max']
      : ['cpu.cfs_quota_us', '10000', '-1'];
  await fs.writeFile(path.join(directory, file), none);
  return async () => {
    await fs.writeFile(path.join(directory, file), all);
  };
}

/** Sets so many more huge pages of 2 MiB aside while they are needed; undefined if it cannot be done. */
async function setPagesAside(count: number): Promise<AsyncDisposable | undefined> {
  const file = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages';
  const read = async (): Promise<number> => Number(await fs.readFile(file, 'utf8'));
  try {
    const before = await read();
    await fs.writeFile(file, String(before + count));
    // The kernel gives as many as it finds, and says nothing.
    const given = (await read()) - before;
    const giveBack = async (): Promise<void> => {
      await fs.writeFile(file, String((await read()) - given));
    };
    if (given === count) return { [Symbol.asyncDispose]: giveBack };
    await giveBack();
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS')) throw error;
  }
  return undefined;
}
