// Names to devices: aliases, groups, slices, and GPUs that the driver tells of.
import test from 'ava';
import { parseCdiSpec } from './cdi-spec.ts';
import { devicesOf, overlap } from './inventory.ts';
import type { Device } from './inventory.ts';
import { parseGpu, plainBusId, specOfGpus } from './nvidia.ts';
import { registryOf } from './registry.ts';

/** As nvidia-ctk makes it: by index and by UUID, and `all`. */
function nvidia(...devices: readonly (readonly [names: readonly string[], nodes: string[]])[]) {
  const value = {
    cdiVersion: '0.5.0',
    kind: 'nvidia.com/gpu',
    devices: devices.flatMap(([names, nodes]) =>
      names.map((name) => ({
        name,
        containerEdits: { deviceNodes: nodes.map((path) => ({ path })) },
      })),
    ),
    containerEdits: { deviceNodes: [{ path: '/dev/nvidiactl' }] },
  };
  return registryOf([
    { file: 'nvidia.yaml', priority: 0, spec: parseCdiSpec(value, 'nvidia.yaml') },
  ]);
}

const gpus = [
  parseGpu(
    '0000:06:00.0',
    'Model: \t\t H100\nIRQ:   1\nGPU UUID: \t GPU-aa\nDevice Minor: \t 0\n',
    false,
  ),
  parseGpu('0000:07:00.0', 'GPU UUID: GPU-bb\nDevice Minor: 1\n', false),
].flatMap((gpu) => gpu ?? []);

const inWords = ({ names, isGroup, gpu }: Device): string =>
  `${names.map((name) => name.split('=')[1]).join(' ')}${isGroup ? ' (group)' : ''}${gpu ? ` at ${gpu.busId}` : ''}`;

test('names with the same nodes are one device, by the name that lasts', (t) => {
  const { devices } = nvidia(
    [['0', 'GPU-aa'], ['/dev/nvidia0']],
    [['1', 'GPU-bb'], ['/dev/nvidia1']],
    [['all'], ['/dev/nvidia0', '/dev/nvidia1']],
  );
  const all = devicesOf(devices.values(), gpus, () => false);
  t.deepEqual(all.map(inWords), [
    'GPU-aa 0 at 0000:06:00.0',
    'GPU-bb 1 at 0000:07:00.0',
    'all (group)',
  ]);
  const [first, second, every] = all as [Device, Device, Device];
  t.false(overlap(first, second));
  t.true(overlap(first, every));
  t.true(overlap(every, second));
});

test('with one GPU "all" is just another name for it', (t) => {
  const { devices } = nvidia([['0', 'GPU-aa', 'all'], ['/dev/nvidia0']]);
  t.deepEqual(devicesOf(devices.values(), gpus, () => false).map(inWords), [
    'GPU-aa 0 all at 0000:06:00.0',
  ]);
});

test('slices of one GPU are devices of their own, and overlap the whole', (t) => {
  const { devices } = nvidia(
    [
      ['0:0', 'MIG-x'],
      ['/dev/nvidia0', '/dev/nvidia-caps/nvidia-cap12'],
    ],
    [
      ['0:1', 'MIG-y'],
      ['/dev/nvidia0', '/dev/nvidia-caps/nvidia-cap21'],
    ],
    [['0'], ['/dev/nvidia0']],
  );
  const [x, y, whole] = devicesOf(devices.values(), gpus, () => false) as [Device, Device, Device];
  t.is(x.id, 'nvidia.com/gpu=MIG-x');
  t.false(overlap(x, y));
  t.true(overlap(x, whole));
  t.is(x.gpu?.uuid, 'GPU-aa');
});

test('the whole has nodes for graphics that its slices do not have, and is the whole all the same', (t) => {
  const { devices } = nvidia(
    [['0:0'], ['/dev/nvidia0', '/dev/nvidia-caps/nvidia-cap12']],
    [['0'], ['/dev/dri/card0', '/dev/dri/renderD128', '/dev/nvidia0']],
    [['gpu-of-another-vendor'], ['/dev/dri/card0']],
  );
  const [slice, whole, other] = devicesOf(devices.values(), gpus, () => false) as [
    Device,
    Device,
    Device,
  ];
  t.true(overlap(slice, whole));
  t.false(overlap(slice, other));
  t.true(overlap(whole, other));
});

test('a GPU that the driver leaves out, or whose files have gone, is none', (t) => {
  t.is(parseGpu('0000:06:00.0', '', false), undefined);
  const excluded = 'GPU UUID: GPU-aa\nDevice Minor: 0\nGPU Excluded: Yes\n';
  t.is(parseGpu('0000:06:00.0', excluded, false), undefined);
  t.is(parseGpu('0000:06:00.0', 'GPU UUID: ???\nDevice Minor: 0\n', false), undefined);
  t.is(plainBusId('00000000:0A:00.0'), '0000:0a:00.0');
});

test('without a specification GPUs are made of nodes; what is cut into slices is left out', (t) => {
  const sliced = { ...gpus[1], isSliced: true } as (typeof gpus)[number];
  const spec = specOfGpus([...gpus.slice(0, 1), sliced], ['nvidiactl'], '/stand-in');
  t.deepEqual(
    spec?.devices.map(({ name }) => name),
    ['GPU-aa', '0'],
  );
  t.deepEqual(spec?.devices[0]?.containerEdits.deviceNodes, [
    { path: '/dev/nvidia0', hostPath: '/stand-in/nvidia0', permissions: 'rw' },
  ]);
  t.notThrows(() => parseCdiSpec(spec, 'made'));
  t.is(specOfGpus([sliced], [], '/dev'), undefined);
});
