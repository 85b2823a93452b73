import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { QosClass } from '../pod/pod-resources.ts';
import {
  cgroupOfPods,
  CgroupError,
  containerCgroup,
  directoriesOf,
  findHierarchy,
  podCgroup,
} from './cgroups.ts';
import type { CgroupDriver } from './cgroups.ts';
import { createPodCgroup, limitSlice } from './pod-cgroup.ts';

const names: [driver: CgroupDriver, root: string | undefined, qos: QosClass, name: string][] = [
  ['cgroupfs', undefined, 'Guaranteed', '/kubepods/poda1-b2'],
  ['cgroupfs', undefined, 'Burstable', '/kubepods/burstable/poda1-b2'],
  ['cgroupfs', '/kubepods', 'BestEffort', '/kubepods/besteffort/poda1-b2'],
  ['cgroupfs', 'lab/one/', 'Burstable', '/lab/one/burstable/poda1-b2'],
  ['cgroupfs', '/', 'Burstable', '/burstable/poda1-b2'],
  ['systemd', undefined, 'Guaranteed', '/kubepods.slice/kubepods-poda1_b2.slice'],
  [
    'systemd',
    'kubepods',
    'Burstable',
    '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda1_b2.slice',
  ],
  [
    'systemd',
    '/my-lab/one',
    'Guaranteed',
    '/my_lab.slice/my_lab-one.slice/my_lab-one-poda1_b2.slice',
  ],
  ['systemd', 'lab-one.slice', 'Guaranteed', '/lab.slice/lab-one.slice/lab-one-poda1_b2.slice'],
  [
    'systemd',
    '/lab.slice/lab-one.slice',
    'Guaranteed',
    '/lab.slice/lab-one.slice/lab-one-poda1_b2.slice',
  ],
];
for (const [driver, cgroupRoot, qos, name] of names) {
  test(`${driver}: a ${qos} pod below ${cgroupRoot ?? 'the default root'}`, (t) => {
    t.is(podCgroup('a1-b2', qos, { cgroupRoot, driver }), name);
    if (cgroupRoot !== undefined && cgroupRoot !== '/')
      t.true(name.startsWith(`${cgroupOfPods(cgroupRoot, driver)}/`));
  });
}

test('a uid that is no name is refused', (t) => {
  for (const uid of ['', '..', 'a/b', '-a', 'a b']) {
    const name = (): string => podCgroup(uid, 'Burstable', { driver: 'cgroupfs' });
    t.throws(name, { instanceOf: CgroupError }, uid);
  }
});

test('a container is below its pod, under the name that containerd gives it', (t) => {
  t.is(containerCgroup('/kubepods/podx', 'c1', 'cgroupfs'), '/kubepods/podx/c1');
  t.is(
    containerCgroup('/kubepods.slice/kubepods-podx.slice', 'c1', 'systemd'),
    '/kubepods.slice/kubepods-podx.slice/cri-containerd-c1.scope',
  );
});

/** Plain folders that look like a cgroup mount; the kernel's own files do not appear by themselves. */
function fakeMount(files: Record<string, string>, links: Record<string, string> = {}): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-cg-'));
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), content);
  }
  for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, path.join(root, name));
  return root;
}

test('v2 is known by its list of controllers', (t) => {
  const root = fakeMount({ 'cgroup.controllers': 'cpu\n' });
  t.deepEqual(findHierarchy(root), { version: 2, root });
  t.deepEqual(directoriesOf('/kubepods/podx', findHierarchy(root)), [`${root}/kubepods/podx`]);
  fs.rmSync(root, { recursive: true });
});

test('v1 has one folder per hierarchy, also where controllers share one, and a v2 tree beside it', (t) => {
  const root = fakeMount(
    {
      'cpu,cpuacct/cgroup.procs': '',
      'freezer/cgroup.procs': '',
      'unified/cgroup.procs': '',
      'unified/cgroup.controllers': '',
      'something/else': '',
    },
    { cpu: 'cpu,cpuacct', cpuacct: 'cpu,cpuacct' },
  );
  const hierarchy = findHierarchy(root);
  t.is(hierarchy.version, 1);
  t.deepEqual([...directoriesOf('/p/c', hierarchy)].sort(), [
    `${root}/cpu,cpuacct/p/c`,
    `${root}/freezer/p/c`,
    `${root}/unified/p/c`,
  ]);
  fs.rmSync(root, { recursive: true });
});

test('where nothing is mounted, it says so', (t) => {
  const root = fakeMount({ 'a/b': '' });
  t.throws(() => findHierarchy(root), { instanceOf: CgroupError, message: /no cgroups/ });
  t.throws(() => findHierarchy(`${root}/absent`), { instanceOf: CgroupError });
  fs.rmSync(root, { recursive: true });
});

test('on v2 controllers are passed on down to the pod, which gets its limits', async (t) => {
  const root = fakeMount({
    'cgroup.controllers': 'cpu memory pids',
    'cgroup.subtree_control': 'memory',
    'p/cgroup.subtree_control': '',
    'p/burstable/cgroup.subtree_control': 'cpu memory pids',
  });
  await createPodCgroup(
    '/p/burstable/podx',
    {
      cpuShares: 1024,
      cpuQuota: { quotaUs: 50_000, periodUs: 100_000 },
      memoryBytes: 4096,
      pids: 7,
    },
    { driver: 'cgroupfs', hierarchy: findHierarchy(root) },
  );
  const read = (name: string): string => fs.readFileSync(path.join(root, name), 'utf8');
  t.is(read('cgroup.subtree_control'), '+cpu +pids');
  t.is(read('p/cgroup.subtree_control'), '+cpu +memory +pids');
  t.is(read('p/burstable/cgroup.subtree_control'), 'cpu memory pids');
  t.is(read('p/burstable/podx/cpu.weight'), '39');
  t.is(read('p/burstable/podx/cpu.max'), '50000 100000');
  t.is(read('p/burstable/podx/memory.max'), '4096');
  t.is(read('p/burstable/podx/pids.max'), '7');
  fs.rmSync(root, { recursive: true });
});

const withPages = { cpuShares: 2, hugePages: new Map([[2 * 2 ** 20, 4 * 2 ** 20]]) };
const onV2 = { 'cgroup.controllers': 'cpu hugetlb', 'cgroup.subtree_control': '' };
const inHugePages: Record<string, readonly [Record<string, string>, Record<string, string>]> = {
  'on v1 the pod may have its huge pages, and none of other sizes': [
    {
      'cpu/cgroup.procs': '',
      'hugetlb/cgroup.procs': '',
      'hugetlb/podx/hugetlb.2MB.limit_in_bytes': 'max',
      'hugetlb/podx/hugetlb.2MB.rsvd.limit_in_bytes': 'max',
      'hugetlb/podx/hugetlb.2MB.usage_in_bytes': '0',
      'hugetlb/podx/hugetlb.1GB.limit_in_bytes': 'max',
    },
    {
      'hugetlb/podx/hugetlb.2MB.limit_in_bytes': '4194304',
      'hugetlb/podx/hugetlb.2MB.rsvd.limit_in_bytes': '4194304',
      'hugetlb/podx/hugetlb.2MB.usage_in_bytes': '0',
      'hugetlb/podx/hugetlb.1GB.limit_in_bytes': '0',
    },
  ],
  'without the controller for them there is nothing to limit on v1': [
    { 'cpu/cgroup.procs': '' },
    { 'cpu/podx/cpu.shares': '2' },
  ],
  'on v2 the controller is passed on and limited': [
    {
      ...onV2,
      'podx/hugetlb.2MB.max': 'max',
      'podx/hugetlb.2MB.rsvd.max': 'max',
      'podx/hugetlb.2MB.current': '0',
      'podx/hugetlb.64KB.max': 'max',
    },
    {
      'cgroup.subtree_control': '+cpu +memory +pids +hugetlb',
      'podx/hugetlb.2MB.max': '4194304',
      'podx/hugetlb.2MB.rsvd.max': '4194304',
      'podx/hugetlb.2MB.current': '0',
      'podx/hugetlb.64KB.max': '0',
    },
  ],
  'on v2 without the controller it is not asked for': [
    { ...onV2, 'cgroup.controllers': 'cpu' },
    { 'cgroup.subtree_control': '+cpu +memory +pids' },
  ],
};
for (const [title, [files, expected]] of Object.entries(inHugePages)) {
  test(title, async (t) => {
    const root = fakeMount(files);
    t.teardown(() => fs.rmSync(root, { recursive: true }));
    const options = { driver: 'cgroupfs', hierarchy: findHierarchy(root) } as const;
    await createPodCgroup('/podx', withPages, options);
    const found = Object.keys(expected).map((name) => [
      name,
      fs.readFileSync(path.join(root, name), 'utf8'),
    ]);
    t.deepEqual(Object.fromEntries(found), expected);
  });
}

test('on v2 huge pages of a slice are limited beside systemd, which has no words for them', (t) => {
  const root = fakeMount({
    'cgroup.controllers': 'cpu hugetlb',
    'cgroup.subtree_control': 'cpu',
    'pods.slice/cgroup.subtree_control': 'cpu hugetlb',
    'pods.slice/pods-podx.slice/hugetlb.2MB.max': 'max',
    'pods.slice/pods-podx.slice/hugetlb.1GB.max': 'max',
  });
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  limitSlice(findHierarchy(root), '/pods.slice/pods-podx.slice', withPages);
  const read = (name: string): string => fs.readFileSync(path.join(root, name), 'utf8');
  t.is(read('cgroup.subtree_control'), '+hugetlb');
  t.is(read('pods.slice/cgroup.subtree_control'), 'cpu hugetlb');
  t.is(read('pods.slice/pods-podx.slice/hugetlb.2MB.max'), '4194304');
  t.is(read('pods.slice/pods-podx.slice/hugetlb.1GB.max'), '0');
});

test('on v2 no controller of huge pages, nothing to limit', (t) => {
  const root = fakeMount({ 'cgroup.controllers': 'cpu', 'cgroup.subtree_control': 'cpu' });
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  limitSlice(findHierarchy(root), '/podx', withPages);
  t.is(fs.readFileSync(path.join(root, 'cgroup.subtree_control'), 'utf8'), 'cpu');
});
