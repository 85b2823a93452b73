// How a container gets its devices: by the runtime, by NVIDIA's runtime, or by our own hand.
import test from 'ava';
import type { Edits } from './cdi-spec.ts';
import { leftOut, planGrant, wayOf } from './grant.ts';
import type { Device } from './inventory.ts';

const dirs = ['/etc/cdi', '/var/run/cdi'];

function aDevice(name: string, edits: Edits, sharedEdits: Edits = {}): Device {
  const id = `nvidia.com/gpu=${name}`;
  const device = { id, kind: 'nvidia.com/gpu', names: [id], nodes: [], isGroup: false };
  return { ...device, edits, sharedEdits, file: '/etc/cdi/nvidia.yaml' };
}

const gpu = aDevice('GPU-1', { deviceNodes: [{ path: '/dev/nvidia0' }] });

test('the runtime applies specifications only where it reads the same ones', (t) => {
  const none = new Set<string>();
  const knowing = { cdiSpecDirs: dirs, nvidiaHandlers: new Set(['nvidia']) };
  t.is(wayOf(gpu, '', knowing, dirs), 'cdi');
  t.is(wayOf(gpu, '', knowing, ['/elsewhere']), 'edits');
  t.is(wayOf(gpu, '', { nvidiaHandlers: none }, dirs), 'edits');
  t.is(wayOf({ ...gpu, file: undefined }, '', knowing, dirs), 'edits');
  t.is(wayOf(gpu, 'nvidia', knowing, dirs), 'nvidia-runtime');
  t.is(wayOf(gpu, 'other', knowing, dirs), 'cdi');
  t.is(wayOf({ ...gpu, kind: 'acme.test/npu' }, 'nvidia', knowing, dirs), 'cdi');
});

test('what a specification says is done by us, shared parts once', (t) => {
  const shared: Edits = {
    env: ['A=1', 'B=x=y'],
    additionalGids: [0, 44],
    deviceNodes: [{ path: '/dev/nvidiactl', hostPath: '/stand-in/ctl', permissions: 'rw' }],
    mounts: [
      { hostPath: '/usr/lib/a', containerPath: '/a', options: ['ro', 'nosuid', 'bind'] },
      { hostPath: '/b', containerPath: '/b', options: ['rslave'] },
    ],
  };
  const both = [gpu, aDevice('GPU-2', { deviceNodes: [{ path: '/dev/n1', permissions: 'none' }] })];
  const devices = both.map((one) => ({
    device: { ...one, sharedEdits: shared },
    way: 'edits' as const,
  }));
  t.deepEqual(planGrant(devices, false), {
    cdiNames: [],
    nodes: [
      { path: '/dev/nvidiactl', hostPath: '/stand-in/ctl', permissions: 'rw', isOptional: false },
      { path: '/dev/nvidia0', hostPath: '/dev/nvidia0', permissions: 'rwm', isOptional: false },
    ],
    mounts: [
      { path: '/a', hostPath: '/usr/lib/a', readOnly: true, propagation: 'private' },
      { path: '/b', hostPath: '/b', readOnly: false, propagation: 'slave' },
    ],
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: 'x=y' },
    ],
    groups: [44],
  });
});

test('what CRI has no words for is an error, or is told to be left out', (t) => {
  const odd = (edits: Edits) => [{ device: aDevice('a', edits), way: 'edits' as const }];
  t.throws(() => planGrant(odd({ deviceNodes: [{ path: '/dev/p', type: 'p' }] }), false), {
    message: /FIFO/,
  });
  const tmpfs = { hostPath: 'tmpfs', containerPath: '/x', type: 'tmpfs' };
  t.throws(() => planGrant(odd({ mounts: [tmpfs] }), false), { message: /type tmpfs/ });
  const hooks = [{ hookName: 'createContainer' as const, path: '/usr/bin/nvidia-ctk' }];
  t.is(leftOut([aDevice('a', {}, { hooks })]), '1 hooks (/usr/bin/nvidia-ctk)');
  t.is(leftOut([gpu]), undefined);
});

test('NVIDIA’s runtime is told the names; who has none is told that', (t) => {
  const plan = planGrant([{ device: gpu, way: 'nvidia-runtime' }], true);
  t.deepEqual(plan.env, [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'GPU-1' }]);
  t.deepEqual(
    plan.nodes.map(({ path, isOptional }) => ({ path, isOptional })),
    [{ path: '/dev/nvidia0', isOptional: true }],
  );
  t.is(planGrant([], true).env[0]?.value, 'void');
  t.deepEqual(planGrant([{ device: gpu, way: 'cdi' }], false).cdiNames, ['nvidia.com/gpu=GPU-1']);
});
