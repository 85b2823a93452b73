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
  }: { root?: string; madeHere?: string[]; driver?: CgroupDriver } = {},
): { readonly shares: QosShares; readonly read: (cgroup: string) => string } {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-qos-'));
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  fs.writeFileSync(path.join(root, 'made-cgroups'), madeHere.map((each) => `${each}\n`).join(''));
  const file = version === 1 ? 'cpu.shares' : 'cpu.weight';
  for (const cgroup of ['/p', '/p/burstable', '/p/besteffort']) {
    fs.mkdirSync(path.join(root, cgroup), { recursive: true });
    fs.writeFileSync(path.join(root, cgroup, file), '-');
  }
  const hierarchy: Hierarchy =
    version === 1 ? { version, root, controllers: { cpu: root } } : { version, root };
  const node = { memoryBytes: 1, cpus: 1, storageBytes: 1 };
  const lending = { dataDir: root, podLogDir: root, cgroupRoot, cgroupDriver: driver, node };
  return {
    shares: new QosShares(lending, hierarchy),
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

test('cgroups that systemd has made are its own', (t) => {
  const { shares, read } = aTree(t, 1, { driver: 'systemd' });
  shares.add(burstable('a', '1'));
  t.is(read('/p/burstable'), '-');
});

test('a cgroup that is gone with its last pod is not missed', (t) => {
  const gone = aTree(t, 1, { root: '/q', madeHere: ['/q', '/q/burstable'] });
  t.notThrows(() => gone.shares.add(burstable('a', '1')));
});
