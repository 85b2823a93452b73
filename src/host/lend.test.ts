// Real folders, mounts and cgroups, under names of their own; so most of it needs root.
import fs from 'node:fs/promises';
import { existsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import type { Pod, Volume } from '../pod/pod.ts';
import { CgroupError, directoriesOf, findHierarchy } from './cgroups.ts';
import { FolderError } from './folder.ts';
import { cgroupValues, lend, takeBack } from './lend.ts';
import type { LendSettings } from './lend.ts';
import { mountPoints } from './mounts.ts';
import { removePodCgroup } from './pod-cgroup.ts';

const testAsRoot = process.getuid?.() === 0 && canMakeCgroups() ? test : test.skip;

function canMakeCgroups(): boolean {
  try {
    return findHierarchy().version > 0;
  } catch {
    return false;
  }
}

interface Node extends AsyncDisposable {
  readonly settings: LendSettings;
}

/** A node's folders for one test, and a cgroup root that no other test has. */
async function aNode(t: ExecutionContext): Promise<Node> {
  const directory = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-lend-'));
  const title = t.title.replaceAll(/\W+/g, '-');
  const settings: LendSettings = {
    dataDir: path.join(directory, 'data'),
    podLogDir: path.join(directory, 'logs'),
    cgroupRoot: `/reprise-test-${process.pid}-${title}`,
    cgroupDriver: 'cgroupfs',
    node: { memoryBytes: 64 * 2 ** 20, cpus: 4, storageBytes: 2 ** 30 },
  };
  await fs.mkdir(settings.dataDir, { recursive: true });
  return {
    settings,
    async [Symbol.asyncDispose]() {
      for (const mounted of (await mountPoints()).toReversed()) {
        if (mounted.startsWith(`${directory}/`)) await execa('umount', [mounted]);
      }
      await execa('rm', ['-rf', '--one-file-system', directory]);
    },
  };
}

function aPod(volumes: readonly Volume[] = [], spec: Partial<Pod['spec']> = {}): Pod {
  return {
    metadata: { name: 'web', namespace: 'lab', uid: 'u-1', labels: {}, annotations: {} },
    spec: {
      initContainers: [],
      containers: [{ resources: { requests: { cpu: '250m' }, limits: {} } }],
      volumes,
      securityContext: { supplementalGroups: [], sysctls: [] },
      ...spec,
    },
  } as unknown as Pod;
}

const emptyDir = (name: string, more: Partial<Volume['emptyDir']> = {}): Volume => ({
  name,
  emptyDir: { medium: '', ...more },
});

async function modeOf(place: string): Promise<string> {
  return ((await fs.stat(place)).mode & 0o7777).toString(8);
}

testAsRoot(
  'what no folder can be named after is never lent, and taken back all the same',
  async (t) => {
    await using node = await aNode(t);
    const pod = aPod();
    const named = { ...pod, metadata: { ...pod.metadata, name: 'x'.repeat(253) } };
    await t.throwsAsync(lend(named, node.settings), {
      instanceOf: FolderError,
      message: /ENAMETOOLONG/,
    });
    await t.notThrowsAsync(takeBack(named, node.settings));
  },
);

testAsRoot('a pod gets its folders, and everything but its own folder is taken back', async (t) => {
  await using node = await aNode(t);
  const { settings } = node;
  const pod = aPod([emptyDir('scratch')]);

  const loan = await lend(pod, settings);

  const folder = path.join(settings.dataDir, 'pods', 'u-1');
  t.deepEqual(loan, {
    logDirectory: path.join(settings.podLogDir, 'lab_web_u-1'),
    messageDirectory: path.join(folder, 'containers'),
    cgroupParent: `${settings.cgroupRoot}/burstable/podu-1`,
    volumes: { scratch: path.join(folder, 'volumes/kubernetes.io~empty-dir/scratch') },
    hostsFile: path.join(folder, 'etc-hosts'),
    subPaths: path.join(folder, 'volume-subpaths'),
  });
  t.is(await modeOf(folder), '750');
  t.is(await modeOf(loan.logDirectory), '755');
  t.is(await modeOf(loan.volumes['scratch'] ?? ''), '777');
  for (const directory of directoriesOf(loan.cgroupParent, findHierarchy())) {
    t.true(existsSync(directory), directory);
  }

  await fs.writeFile(path.join(folder, 'pod.json'), '{}');
  await fs.writeFile(loan.hostsFile, '');
  await fs.mkdir(path.join(loan.messageDirectory, 'main'), { recursive: true });
  await takeBack(pod, settings);

  t.deepEqual(await fs.readdir(folder), ['pod.json']);
  t.deepEqual(await fs.readdir(settings.podLogDir), []);
  for (const directory of directoriesOf(settings.cgroupRoot, findHierarchy())) {
    t.false(existsSync(directory), directory);
  }
  await t.notThrowsAsync(takeBack(pod, settings));
});

testAsRoot(
  'lending again changes neither content nor what a container did to a mode',
  async (t) => {
    await using node = await aNode(t);
    const pod = aPod([emptyDir('disk'), emptyDir('ram', { medium: 'Memory' })]);
    const { volumes } = await lend(pod, node.settings);
    const places = Object.values(volumes);
    for (const place of places) {
      await fs.writeFile(path.join(place, 'kept'), 'content');
      await fs.chmod(place, 0o700);
    }

    await lend(pod, node.settings);

    for (const place of places) {
      t.is(await fs.readFile(path.join(place, 'kept'), 'utf8'), 'content');
      t.is(await modeOf(place), '700');
      const times = (await mountPoints()).filter((mounted) => mounted === place).length;
      t.is(times, place.endsWith('ram') ? 1 : 0);
    }
    await takeBack(pod, node.settings);
    t.deepEqual(
      (await mountPoints()).filter((mounted) => places.includes(mounted)),
      [],
    );
  },
);

testAsRoot('memory for a volume is bounded by its limit, the pod and the node', async (t) => {
  await using node = await aNode(t);
  const mib = 2 ** 20;
  const limited = { containers: [{ resources: { requests: {}, limits: { memory: '32Mi' } } }] };
  const sizes: [expected: number, pod: Pod][] = [
    [64, aPod([emptyDir('ram', { medium: 'Memory' })])],
    [8, aPod([emptyDir('ram', { medium: 'Memory', sizeLimit: '8Mi' })])],
    [32, aPod([emptyDir('ram', { medium: 'Memory' })], limited as unknown as Partial<Pod['spec']>)],
  ];
  for (const [expected, pod] of sizes) {
    const { volumes } = await lend(pod, node.settings);
    const stats = await fs.statfs(volumes['ram'] ?? '');
    t.is((stats.blocks * stats.bsize) / mib, expected);
    await takeBack(pod, node.settings);
  }
});

testAsRoot(
  'with fsGroup a volume belongs to the group, and so does what is made in it',
  async (t) => {
    await using node = await aNode(t);
    const pod = aPod([emptyDir('disk'), emptyDir('ram', { medium: 'Memory' })], {
      securityContext: { fsGroup: 4321, supplementalGroups: [], sysctls: [] },
    });
    const { volumes } = await lend(pod, node.settings);
    for (const place of Object.values(volumes)) {
      t.is(await modeOf(place), '2777');
      await fs.writeFile(path.join(place, 'file'), '');
      t.is((await fs.stat(path.join(place, 'file'))).gid, 4321);
    }
    await takeBack(pod, node.settings);
  },
);

testAsRoot('what a container left in a volume leads nobody out of it', async (t) => {
  await using node = await aNode(t);
  const outside = path.join(node.settings.dataDir, 'outside');
  await fs.mkdir(outside);
  await fs.writeFile(path.join(outside, 'precious'), 'content');
  const pod = aPod([emptyDir('scratch')]);
  const place = (await lend(pod, node.settings)).volumes['scratch'] ?? '';
  await fs.symlink(outside, path.join(place, 'link'));
  await fs.symlink('../../../../../outside', path.join(place, 'relative'));
  await fs.mkdir(path.join(place, 'mounted here'));
  await execa('mount', ['--bind', outside, path.join(place, 'mounted here')]);
  // Deeper than the longest path the kernel takes.
  const step = 'd'.repeat(200);
  await execa(
    'bash',
    ['-c', `for i in $(seq 30); do mkdir ${step} && cd -P ${step} || exit 1; done; touch end`],
    { cwd: place },
  );

  await takeBack(pod, node.settings);

  t.is(await fs.readFile(path.join(outside, 'precious'), 'utf8'), 'content');
  t.false(existsSync(place));
  t.deepEqual(
    (await mountPoints()).filter((mounted) => mounted.startsWith(place)),
    [],
  );
});

testAsRoot('a mount that is still in use is an error, and nothing is deleted', async (t) => {
  await using node = await aNode(t);
  const pod = aPod([emptyDir('ram', { medium: 'Memory' })]);
  const place = (await lend(pod, node.settings)).volumes['ram'] ?? '';
  const held = await fs.open(path.join(place, 'held'), 'w');

  const error = await t.throwsAsync(takeBack(pod, node.settings), { name: 'RemovalError' });

  t.regex(error.message, /busy/);
  t.true(existsSync(path.join(place, 'held')));
  await held.close();
  await takeBack(pod, node.settings);
  t.false(existsSync(place));
});

testAsRoot('whatever is still in the cgroup of a pod ends with it, wherever it is', async (t) => {
  await using node = await aNode(t);
  const pod = aPod([emptyDir('scratch')]);
  const loan = await lend(pod, node.settings);
  const places = directoriesOf(loan.cgroupParent, findHierarchy());
  const below = path.join(places[0] ?? '', 'below', 'it');
  await fs.mkdir(below, { recursive: true });
  // Each is in one hierarchy of v1 only, the last one in all.
  const groups = [...places.map((one) => [one]), [below], places];
  const strays = groups.map((directories) => {
    const stray = execa('sleep', ['100000'], { reject: false });
    for (const directory of directories)
      writeFileSync(path.join(directory, 'cgroup.procs'), String(stray.pid));
    return stray;
  });
  const beside = execa('sleep', ['100000'], { reject: false });

  await takeBack(pod, node.settings);

  for (const stray of strays) t.is((await stray).signal, 'SIGKILL');
  t.deepEqual(places.filter(existsSync), []);
  beside.kill('SIGTERM');
  t.is((await beside).signal, 'SIGTERM', 'it lived until then');
});

test('a pod with a process that does not die is not taken back', async (t) => {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-cgroup-'));
  t.teardown(() => fs.rm(root, { recursive: true }));
  await fs.mkdir(path.join(root, 'pods', 'podx'), { recursive: true });
  // More than the kernel ever gives: nobody is hit, and the file goes on to tell of it.
  await fs.writeFile(path.join(root, 'pods', 'podx', 'cgroup.procs'), '4194305\n');
  const hierarchy = { version: 2 as const, root };
  for (const driver of ['cgroupfs', 'systemd'] as const) {
    await t.throwsAsync(removePodCgroup('/pods/podx', { driver, hierarchy }), {
      instanceOf: CgroupError,
      message: "processes are left in the pod's cgroup: 4194305",
    });
  }
});

testAsRoot('parents of cgroups go with the last pod, if they came with reprise', async (t) => {
  await using node = await aNode(t);
  const { settings } = node;
  const [first, second] = ['a', 'b'].map((uid) => {
    const pod = aPod();
    return { ...pod, metadata: { ...pod.metadata, uid } };
  });
  if (!first || !second) throw new Error('two pods');
  const hierarchy = findHierarchy();
  const exists = (cgroup: string): boolean => directoriesOf(cgroup, hierarchy).some(existsSync);

  await lend(first, settings);
  await lend(second, settings);
  await takeBack(first, settings);
  t.true(exists(`${settings.cgroupRoot}/burstable/podb`));
  await takeBack(second, settings);
  t.false(exists(settings.cgroupRoot));

  for (const directory of directoriesOf(settings.cgroupRoot, hierarchy)) await fs.mkdir(directory);
  await lend(first, settings);
  await takeBack(first, settings);
  t.false(exists(`${settings.cgroupRoot}/burstable`));
  t.true(exists(settings.cgroupRoot), 'somebody else made it');
  for (const directory of directoriesOf(settings.cgroupRoot, hierarchy)) await fs.rmdir(directory);
});

testAsRoot(
  'a pod that has filled the disk is taken back, and the disk has room again',
  async (t) => {
    await using node = await aNode(t);
    const { settings } = node;
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', settings.dataDir]);
    const filler = aPod([emptyDir('scratch')]);
    // Of another class: something is left to be noted when the first one goes.
    const other = aPod([], { containers: [] });
    const stays = { ...other, metadata: { ...other.metadata, uid: 'u-2' } };
    const { volumes } = await lend(filler, settings);
    await lend(stays, settings);
    const fill = fs.writeFile(path.join(volumes['scratch'] ?? '', 'all'), Buffer.alloc(2 ** 21));
    await t.throwsAsync(fill, { code: 'ENOSPC' });

    await t.notThrowsAsync(takeBack(filler, settings));

    t.false(existsSync(volumes['scratch'] ?? ''));
    await takeBack(stays, settings);
  },
);

testAsRoot('the limits of the pod as a whole are in force', async (t) => {
  const hierarchy = findHierarchy();
  if (hierarchy.version !== 1) {
    t.pass('the files of cgroup v2 are tested in pod-cgroup.test.ts');
    return;
  }
  await using node = await aNode(t);
  const container = {
    resources: { requests: { cpu: '500m' }, limits: { cpu: '1', memory: '64Mi' } },
  };
  const pod = aPod([], { containers: [container] } as unknown as Partial<Pod['spec']>);
  const { cgroupParent } = await lend(pod, node.settings);
  const read = async (controller: string, file: string): Promise<string> =>
    (
      await fs.readFile(
        path.join(hierarchy.controllers[controller] ?? '', cgroupParent, file),
        'utf8',
      )
    ).trim();
  t.is(await read('cpu', 'cpu.shares'), '512');
  t.is(await read('cpu', 'cpu.cfs_quota_us'), '100000');
  t.is(await read('memory', 'memory.limit_in_bytes'), String(64 * 2 ** 20));
  t.not(await read('cpuset', 'cpuset.cpus'), '');
  await takeBack(pod, node.settings);
});

test('a name that leads out of its folder is refused', async (t) => {
  const settings: LendSettings = {
    dataDir: '/nonexistent',
    podLogDir: '/nonexistent',
    cgroupRoot: '/reprise-test',
    cgroupDriver: 'cgroupfs',
    node: { memoryBytes: 1, cpus: 1, storageBytes: 1 },
  };
  for (const uid of ['..', '.', '', 'a/b', '../x', 'a\0b']) {
    const pod = aPod();
    const odd = { ...pod, metadata: { ...pod.metadata, uid } };
    await t.throwsAsync(lend(odd, settings), { message: /cannot name a/ }, uid);
    await t.throwsAsync(takeBack(odd, settings), { message: /cannot name a/ }, uid);
  }
});

test('values of the pod cgroup follow the formulas of Kubernetes', (t) => {
  const nothing = { cpuRequestMilli: 0, memoryRequestBytes: 0 };
  t.deepEqual(cgroupValues(nothing, new Map()), { cpuShares: 2, hugePages: new Map() });
  t.deepEqual(
    cgroupValues(
      { cpuRequestMilli: 1500, cpuLimitMilli: 5, memoryRequestBytes: 0, memoryLimitBytes: 1024 },
      new Map([['hugepages-2Mi', 6]]),
    ),
    {
      cpuShares: 1536,
      cpuQuota: { quotaUs: 1000, periodUs: 100_000 },
      memoryBytes: 1024,
      hugePages: new Map([[2 * 2 ** 20, 6]]),
    },
  );
});

testAsRoot("a pod's own folders that cannot be made are told apart from its volumes", async (t) => {
  await using node = await aNode(t);
  const isFile = path.join(node.settings.dataDir, 'file');
  await fs.mkdir(node.settings.dataDir, { recursive: true });
  await fs.writeFile(isFile, '');
  for (const settings of [
    { ...node.settings, dataDir: isFile },
    { ...node.settings, podLogDir: isFile },
  ]) {
    const error = await t.throwsAsync(lend(aPod([]), settings), { instanceOf: FolderError });
    t.regex(error.message, /ENOTDIR/);
    t.true(error.where?.startsWith(isFile));
  }
  await takeBack(aPod([]), { ...node.settings });
});
