import test from 'ava';
import { aContainer, aPod } from '../testing/builders.ts';
import { madeWith } from './made-with.ts';
import type { MadeWith } from './made-with.ts';
import type { ContainerMemory } from './memory.ts';
import type { Container, VolumeMount } from './pod.ts';

const made: ContainerMemory = {
  attempt: 0,
  generation: 0,
  sandboxAttempt: 0,
  restartCount: 0,
  containerId: 'c',
};
const mount = (more: Partial<VolumeMount>): VolumeMount => ({
  name: 'data',
  mountPath: '/data',
  readOnly: true,
  ...more,
});
const node = (recursiveReadOnlyMounts: boolean) => ({
  handlers: { '': { recursiveReadOnlyMounts, userNamespaces: false } },
});

const cases: Record<string, [more: Partial<Container>, able: boolean, expected: MadeWith]> = {
  'no resources, no mounts': [{}, true, { resources: {} }],
  'a limit without a request': [
    { resources: { requests: {}, limits: { memory: '1Gi' } } },
    true,
    { resources: { limits: { memory: '1Gi' } } },
  ],
  'what is requested is allocated': [
    { resources: { requests: { cpu: '100m' }, limits: { cpu: '1' } } },
    true,
    {
      resources: { requests: { cpu: '100m' }, limits: { cpu: '1' } },
      allocatedResources: { cpu: '100m' },
    },
  ],
  'a mount that can be written is no read-only one of any kind': [
    { volumeMounts: [mount({ readOnly: false })] },
    true,
    { resources: {}, volumeMounts: [{ name: 'data', mountPath: '/data' }] },
  ],
};
for (const [wish, able, recursiveReadOnly] of [
  [undefined, true, 'Disabled'],
  ['Disabled', true, 'Disabled'],
  ['IfPossible', true, 'Enabled'],
  ['IfPossible', false, 'Disabled'],
  ['Enabled', true, 'Enabled'],
] as const) {
  cases[`read-only, recursively ${wish ?? 'by default'}, ${able ? 'can' : 'cannot'} be done`] = [
    { volumeMounts: [mount({ recursiveReadOnly: wish })] },
    able,
    {
      resources: {},
      volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true, recursiveReadOnly }],
    },
  ];
}

for (const [what, [more, able, expected]] of Object.entries(cases)) {
  test(what, (t) => {
    const container = aContainer('main', more);
    t.deepEqual(madeWith(aPod([], [container]), container, made, node(able)), expected);
  });
}

test('as whom it runs is shown where the runtime tells', (t) => {
  const container = aContainer('main');
  const shown = (supplementalGroups: readonly number[]): MadeWith['user'] =>
    madeWith(
      aPod([], [container]),
      container,
      { ...made, user: { uid: 1000, gid: 2000, supplementalGroups } },
      node(true),
    ).user;
  t.deepEqual(shown([2000, 3000]), {
    linux: { uid: 1000, gid: 2000, supplementalGroups: [2000, 3000] },
  });
  t.deepEqual(shown([]), { linux: { uid: 1000, gid: 2000 } });
});

test('one that was never made was made with nothing', (t) => {
  const container = aContainer('main', { volumeMounts: [mount({})] });
  const pod = aPod([], [container]);
  t.deepEqual(madeWith(pod, container, undefined, node(true)), {});
  t.deepEqual(madeWith(pod, container, { ...made, containerId: undefined }, node(true)), {});
});
