// CDI specifications: what is accepted, what is refused and why, and which of many counts.
import test from 'ava';
import { CdiSpecError, parseCdiSpec } from './cdi-spec.ts';
import type { CdiSpec } from './cdi-spec.ts';
import { kindFault, parseQualifiedName } from './names.ts';
import { registryOf } from './registry.ts';

const edits = { deviceNodes: [{ path: '/dev/nvidia0' }] };
const spec = {
  cdiVersion: '0.6.0',
  kind: 'acme.test/gpu',
  devices: [{ name: '0', containerEdits: edits }],
};

/** What is wrong, without the words that are the same for all. */
function faultOf(value: unknown): string {
  try {
    parseCdiSpec(value, 'x.yaml');
    return 'none';
  } catch (error) {
    if (!(error instanceof CdiSpecError)) throw error;
    return error.message.replace('a CDI specification cannot be used: ', '');
  }
}

const cases: Readonly<Record<string, readonly [unknown, RegExp]>> = {
  'a sound one has none': [spec, /^none$/],
  'a text is no specification': ['x', /expected object/],
  'an unknown field is none of CDI': [{ ...spec, extra: 1 }, /extra/],
  'an unknown version may mean anything': [{ ...spec, cdiVersion: '9.9.9' }, /cdiVersion: must be/],
  'a version that has not what is used': [
    { ...spec, cdiVersion: '0.3.0' },
    /cdiVersion 0\.3\.0 is too low: what it uses needs 0\.5\.0/,
  ],
  'a host path needs 0.5.0': [
    {
      ...spec,
      cdiVersion: '0.4.0',
      devices: [
        {
          name: 'a',
          containerEdits: { deviceNodes: [{ path: '/dev/a', hostPath: '/dev/b' }] },
        },
      ],
    },
    /needs 0\.5\.0/,
  ],
  'groups need 0.7.0': [
    { ...spec, containerEdits: { additionalGids: [44] } },
    /0\.6\.0 is too low: what it uses needs 0\.7\.0/,
  ],
  'network devices need 1.1.0': [
    { ...spec, containerEdits: { netDevices: [{ hostInterfaceName: 'a', name: 'b' }] } },
    /needs 1\.1\.0/,
  ],
  'one without devices': [{ ...spec, devices: [] }, /devices: must name at least one/],
  'a device without edits': [
    { ...spec, devices: [{ name: '0', containerEdits: {} }] },
    /device "0" has no edits/,
  ],
  'a device that is there twice': [
    { ...spec, devices: [...spec.devices, ...spec.devices] },
    /device "0" is there twice/,
  ],
  'a kind that would crash containerd': [{ ...spec, kind: 'x.test/g' }, /crashes containerd/],
  'permissions beyond r, w and m': [
    { ...spec, containerEdits: { deviceNodes: [{ path: '/dev/a', permissions: 'x' }] } },
    /permissions: must be made of r, w and m/,
  ],
  'a hook without an absolute path': [
    { ...spec, containerEdits: { hooks: [{ hookName: 'createContainer', path: 'a' }] } },
    /must be an absolute path/,
  ],
};
for (const [title, [value, fault]] of Object.entries(cases)) {
  test(`a CDI specification: ${title}`, (t) => t.regex(faultOf(value), fault));
}

test('names of devices are taken apart, and odd ones are none', (t) => {
  t.deepEqual(parseQualifiedName('nvidia.com/gpu=GPU-1'), {
    kind: 'nvidia.com/gpu',
    name: 'GPU-1',
  });
  t.deepEqual(parseQualifiedName('nvidia.com/gpu=0:1'), { kind: 'nvidia.com/gpu', name: '0:1' });
  for (const odd of ['gpu=0', 'a.b/gpu', 'a.b/gpu=', 'a.b/gpu=-', 'a/gpu=0', 'a.b/c/d=0']) {
    t.is(parseQualifiedName(odd), undefined, odd);
  }
  t.is(kindFault('nvidia.com/gpu'), undefined);
  t.regex(kindFault('n/gpu') ?? '', /one character/);
});

const found = (file: string, priority: number, ...names: readonly string[]) => ({
  file,
  priority,
  spec: parseCdiSpec(
    { ...spec, devices: names.map((name) => ({ name, containerEdits: edits })) },
    file,
  ) satisfies CdiSpec,
});

test('the later directory wins, and what is twice in one is nobody’s', (t) => {
  const { devices, faults } = registryOf([
    found('/run/b.json', 1, '0'),
    found('/etc/a.json', 0, '0', '1', '2'),
    found('/etc/c.json', 0, '2', '3'),
  ]);
  t.deepEqual(
    [...devices.values()].map(({ name, from }) => `${name} of ${from.file}`),
    [
      'acme.test/gpu=0 of /run/b.json',
      'acme.test/gpu=1 of /etc/a.json',
      'acme.test/gpu=3 of /etc/c.json',
    ],
  );
  t.deepEqual(
    faults.map(({ message, where }) => `${message}: ${where ?? ''}`),
    [
      'device acme.test/gpu=2 is defined twice, so it cannot be had at all: /etc/a.json and /etc/c.json',
    ],
  );
});
