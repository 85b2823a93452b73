import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { Pod } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import type { CgroupDriver, Hierarchy } from './cgroups.ts';
import { QosShares } from './qos-shares.ts';

/** Folders that look like cgroups, of which some were made here. */
function aTree(
  t: { teardown: (end: () => void) => void },
  version: 1 | 2,
  {
    root: cgroupRoot = '/p',
    madeHere = ['/p', '/p/burstable', '/p/besteffort'],
    driver = 'cgroupfs',
    refuses = false,
  }: { root?: string; madeHere?: string[]; driver?: CgroupDriver; refuses?: boolean } = {},
): {
  readonly shares: QosShares;
  readonly read: (cgroup: string) => string;
  readonly told: readonly string[];
  readonly faults: readonly unknown[];
} {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-qos-'));
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  fs.writeFileSync(path.join(root, 'made-cgroups'), `${[boot, ...madeHere].join('\n')}\n`);
  const file = version === 1 ? 'cpu.shares' : 'cpu.weight';
  for (const cgroup of ['/p', '/p/burstable', '/p/besteffort']) {
    fs.mkdirSync(path.join(root, cgroup), { recursive: true });
    fs.writeFileSync(path.join(root, cgroup, file), '-');
  }
  const hierarchy: Hierarchy =
    version === 1 ? { version, root, controllers: { cpu: root } } : { version, root };
  const node = { memoryBytes: 1, cpus: 1, storageBytes: 1 };
  const lending = { dataDir: root, podLogDir: root, cgroupRoot, cgroupDriver: driver, node };
  const told: string[] = [];
  const faults: unknown[] = [];
  const setSlice = (slice: string, value: number): Promise<void> => {
    told.push(`${slice} ${value}`);
    return refuses ? Promise.reject(new Error('no')) : Promise.resolve();
  };
  return {
    told,
    faults,
    shares: new QosShares(lending, hierarchy, { setSlice, report: (error) => faults.push(error) }),
    read: (cgroup) => fs.readFileSync(path.join(root, cgroup, file), 'utf8'),
  };
}

function burstable(uid: string, cpu: string): Pod {
  const pod = aPod([], [aContainer('main', { resources: { requests: { cpu }, limits: {} } })]);
  return { ...pod, metadata: { ...pod.metadata, uid } };
}

test('Burstable pods have together what each of them requests, as long as it needs it', (t) => {
  const { shares, read } = aTree(t, 1);
  const [a, b] = [burstable('a', '500m'), burstable('b', '2')];
  shares.add(a);
  shares.add(b);
  shares.add(b);
  t.is(read('/p/burstable'), '2560');
  t.is(read('/p'), String(os.cpus().length * 1024));
  shares.remove(b);
  t.is(read('/p/burstable'), '512');
  shares.remove(a);
  shares.remove(a);
  t.is(read('/p/burstable'), '2');
  t.is(read('/p/besteffort'), '-');
});

test('BestEffort pods have next to nothing together', (t) => {
  const { shares, read } = aTree(t, 1);
  shares.add(aPod([], [aContainer('main')]));
  t.is(read('/p/besteffort'), '2');
});

test('with cgroup v2 shares are weights', (t) => {
  const { shares, read } = aTree(t, 2);
  shares.add(burstable('a', '1'));
  shares.add(aPod([], [aContainer('main')]));
  t.deepEqual([read('/p/burstable'), read('/p/besteffort')], ['39', '1']);
});

test('cgroups that others have made are theirs', (t) => {
  const { shares, read } = aTree(t, 1, { madeHere: ['/p/burstable'] });
  shares.add(burstable('a', '1'));
  shares.add(aPod([], [aContainer('main')]));
  t.deepEqual(['/p', '/p/burstable', '/p/besteffort'].map(read), ['-', '1024', '-']);
});

test('slices are changed by systemd, one after the other, when there is something to change', async (t) => {
  const all = '/p.slice';
  const burstables = '/p.slice/p-burstable.slice';
  const slices = { driver: 'systemd' as const, madeHere: [all, burstables] };
  const { shares, told } = aTree(t, 2, slices);
  const whole = os.cpus().length * 1024;
  const [a, b] = [burstable('a', '500m'), burstable('b', '2')];
  shares.add(a);
  shares.add(a);
  shares.add(b);
  shares.add(aPod([], [aContainer('main')]));
  shares.remove(b);
  await shares.settled();
  t.deepEqual(told, [
    `${all} ${whole}`,
    `${burstables} 512`,
    `${burstables} 2560`,
    // That of BestEffort pods was made by somebody else.
    `${burstables} 512`,
  ]);
});

test('what systemd refuses is told, and asked for again with the next pod', async (t) => {
  const burstables = '/p.slice/p-burstable.slice';
  const slices = { driver: 'systemd' as const, madeHere: [burstables], refuses: true };
  const { shares, told, faults } = aTree(t, 2, slices);
  shares.add(burstable('a', '1'));
  await shares.settled();
  shares.add(burstable('a', '1'));
  await shares.settled();
  t.is(told.length, 2);
  t.is(faults.length, 2);
});

test('a cgroup that is gone with its last pod is not missed', (t) => {
  const gone = aTree(t, 1, { root: '/q', madeHere: ['/q', '/q/burstable'] });
  t.notThrows(() => gone.shares.add(burstable('a', '1')));
});
