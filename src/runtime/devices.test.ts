// Devices in a container's config.
import test from 'ava';
import { devicesAnnotation, withDevices } from './devices.ts';

test('a grant adds to a config, and its variables take the place of others', (t) => {
  const config = {
    envs: [
      { key: 'A', value: Buffer.from('own') },
      { key: 'B', value: Buffer.from('own') },
    ],
    annotations: { other: 'x' },
    linux: { securityContext: { supplementalGroups: [7, 44] } },
  };
  const given = withDevices(config, {
    cdiNames: ['nvidia.com/gpu=0'],
    nodes: [{ path: '/dev/a', hostPath: '/host/a', permissions: 'rw' }],
    mounts: [{ path: '/lib', hostPath: '/host/lib', readOnly: true, propagation: 'slave' }],
    env: [{ name: 'B', value: 'given' }],
    groups: [44, 45],
    summary: '/dev/a c 1:2',
  });
  t.deepEqual(
    given.envs?.map(({ key, value }) => `${key}=${String(value)}`),
    ['A=own', 'B=given'],
  );
  t.deepEqual(given.devices, [{ containerPath: '/dev/a', hostPath: '/host/a', permissions: 'rw' }]);
  t.deepEqual(given.CDIDevices, [{ name: 'nvidia.com/gpu=0' }]);
  t.like(given.mounts?.[0], { readonly: true, propagation: 'PROPAGATION_HOST_TO_CONTAINER' });
  t.deepEqual(given.linux?.securityContext?.supplementalGroups, [7, 44, 45]);
  t.deepEqual(given.annotations, { other: 'x', [devicesAnnotation]: '/dev/a c 1:2' });
  t.is(withDevices(config, undefined), config);
});
