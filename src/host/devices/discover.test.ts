// Devices found in files and folders that stand in for a machine's own.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { discover as discoverWith } from './discover.ts';
import type { DeviceRoots, Inventory } from './discover.ts';
import { driverVersion, GpuReader } from './read-gpus.ts';

async function aMachine(t: ExecutionContext) {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-devices-'));
  t.teardown(() => fs.rm(dir, { recursive: true }));
  const roots = {
    cdiSpecDirs: [path.join(dir, 'etc'), path.join(dir, 'run')],
    devDirectory: path.join(dir, 'dev'),
    driverDirectory: path.join(dir, 'nvidia'),
  };
  const write = async (file: string, text: string): Promise<void> => {
    await fs.mkdir(path.dirname(path.join(dir, file)), { recursive: true });
    await fs.writeFile(path.join(dir, file), text);
  };
  return { dir, roots, write };
}

async function discover(roots: DeviceRoots): Promise<Inventory> {
  const gpus = new GpuReader(roots.driverDirectory);
  await gpus.refresh();
  return discoverWith(roots, gpus.known);
}

const yaml = `
cdiVersion: 0.6.0
kind: acme.test/npu
devices:
- name: a
  containerEdits: { deviceNodes: [{ path: /dev/npu0 }] }
`;

test('a machine without any has none, and nothing is wrong with that', async (t) => {
  const { roots } = await aMachine(t);
  t.deepEqual(await discover(roots), { devices: [], gpus: [], faults: [] });
});

test('specifications in YAML and JSON count; what cannot be used is told and left out', async (t) => {
  const { roots, write } = await aMachine(t);
  await write('etc/npu.yaml', yaml);
  await write('etc/ignored.yml', yaml);
  await write('etc/broken.json', '{');
  await write('etc/odd.yaml', 'cdiVersion: [');
  await write('run/low.json', JSON.stringify({ cdiVersion: '0.3.0', kind: 'acme.test/x' }));
  const { devices, faults } = await discover(roots);
  t.deepEqual(
    devices.map(({ id }) => id),
    ['acme.test/npu=a'],
  );
  t.deepEqual(faults.map(({ where }) => path.basename(where ?? '')).toSorted(), [
    'broken.json',
    'low.json',
    'odd.yaml',
  ]);
  t.true(faults.every(({ next }) => next !== undefined));
});

test('GPUs that no specification has are made of nodes and what the driver tells', async (t) => {
  const { roots, write } = await aMachine(t);
  await write('nvidia/version', 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Fri\n');
  await write('nvidia/gpus/0000:06:00.0/information', 'GPU UUID: GPU-aa\nDevice Minor: 3\n');
  await write('nvidia/gpus/0000:07:00.0/information', 'GPU UUID: GPU-bb\nDevice Minor: 1\n');
  await write('nvidia/capabilities/gpu1/mig/gi1/access', '');
  await write('dev/nvidiactl', '');
  t.is(driverVersion(roots.driverDirectory), '570.86.15');
  const { devices, gpus } = await discover(roots);
  t.deepEqual(
    gpus.map(({ uuid, isSliced }) => `${uuid} ${String(isSliced)}`),
    ['GPU-aa false', 'GPU-bb true'],
  );
  t.deepEqual(
    devices.map(({ id, names, nodes, sharedEdits }) => [
      id,
      names.length,
      nodes.map((node) => path.basename(node)),
      sharedEdits.deviceNodes?.map((node) => node.path),
    ]),
    [['nvidia.com/gpu=GPU-aa', 2, ['nvidia3'], ['/dev/nvidiactl']]],
  );

  await write('run/nvidia.yaml', yaml.replace('acme.test/npu', 'nvidia.com/gpu'));
  t.deepEqual(
    (await discover(roots)).devices.map(({ id }) => id),
    ['nvidia.com/gpu=a'],
  );
});

test('a driver that hangs is given up, and asked again; what it said before stays', async (t) => {
  const { dir, roots, write } = await aMachine(t);
  const information = 'nvidia/gpus/0000:06:00.0/information';
  await write(information, 'GPU UUID: GPU-aa\nDevice Minor: 3\n');
  const gpus = new GpuReader(roots.driverDirectory, 5_000);
  t.true(await gpus.refresh());
  t.false(await gpus.refresh());
  // Whoever reads it waits for somebody who writes.
  await fs.rm(path.join(dir, information));
  await execa('mkfifo', [path.join(dir, information)]);
  t.deepEqual(await Promise.all([gpus.refresh(), gpus.refresh()]), [true, true]);
  t.true(gpus.isSilent);
  t.is(gpus.known[0]?.uuid, 'GPU-aa');

  await fs.rm(path.join(dir, information));
  await write(information, 'GPU UUID: GPU-bb\nDevice Minor: 3\n');
  t.true(await gpus.refresh());
  t.deepEqual([gpus.isSilent, gpus.known[0]?.uuid], [false, 'GPU-bb']);
});
