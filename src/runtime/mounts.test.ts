import test from 'ava';
import type { Volume, VolumeMount } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { aLoan, aNode } from '../testing/node.ts';
import { ContainerConfigError } from './config-error.ts';
import { containerConfig, specHash } from './container-config.ts';
import type { Ingredients } from './container-config.ts';
import { subPathsOf } from './mounts.ts';

const loan = aLoan({ volumes: { data: '/srv/data' }, subPaths: '/pods/1/volume-subpaths' });
const image = {
  ref: 'sha256:1',
  digest: 'registry/test@sha256:0',
  name: 'registry/test:1',
  user: { uid: 0 },
  pulled: false,
  sizeBytes: 1,
};
const node = aNode();

function ingredients(env: Record<string, string> = {}): Ingredients {
  return { image, environment: new Map(Object.entries(env)) };
}

function aMount(more: Partial<VolumeMount> = {}): VolumeMount {
  return { name: 'data', mountPath: '/data', readOnly: false, ...more };
}

function made(mount: VolumeMount) {
  const container = aContainer('main', {
    volumeMounts: [aMount({ mountPath: '/other' }), mount],
  });
  return [aPod([], [container]), container] as const;
}

function mountedAs(mount: VolumeMount, more = node) {
  const [pod, container] = made(mount);
  const run = { attempt: 0, generation: 0, sandboxAttempt: 0 };
  return containerConfig(pod, container, run, ingredients(), loan, more).mounts?.[1];
}

test('a sub-path is mounted from where it is bound', (t) => {
  const mount = aMount({ subPath: 'a/b' });
  const place = '/pods/1/volume-subpaths/data/main/1';
  t.is(mountedAs(mount)?.hostPath, place);
  const [pod, container] = made(mount);
  t.deepEqual(subPathsOf(pod, container, new Map(), loan), [
    { volume: 'data', root: '/srv/data', subPath: 'a/b', place },
  ]);
});

const expressions: Record<string, [expression: string, becomes: string | RegExp]> = {
  'an expression sees the variables': ['$(A)/x', 'one/x'],
  'a doubled dollar stays one': ['$$(A)', '$(A)'],
  'a missing variable is an error': ['$(NOPE)', /^missing value for "NOPE"$/],
  'an empty variable is an error': ['x$(EMPTY)', /^missing value for "EMPTY"$/],
  'a variable does not lead to the root': ['$(ROOT)', /must not be an absolute path/],
  'a variable does not lead up': ['a/$(UP)/b', /must not contain '\.\.'/],
};
for (const [title, [subPathExpr, becomes]] of Object.entries(expressions)) {
  test(title, (t) => {
    const env = { A: 'one', EMPTY: '', ROOT: '/etc', UP: '..' };
    const [pod, container] = made(aMount({ subPathExpr }));
    const environment = new Map(Object.entries(env));
    const expand = () => subPathsOf(pod, container, environment, loan)[0]?.subPath;
    if (typeof becomes === 'string') t.is(expand(), becomes);
    else t.throws(expand, { instanceOf: ContainerConfigError, message: becomes });
  });
}

test('a container made for another sub-path does not fit', (t) => {
  // Compared with one that has the sub-path written out, as the environment is part of the hash, too.
  const hashes = ['one', 'two', 'two'].map((subPath) => {
    const [pod, container] = made(aMount({ subPath }));
    return specHash(pod, container, ingredients(), loan, node);
  });
  t.not(hashes[0], hashes[1]);
  t.is(hashes[1], hashes[2]);
});

test('propagation is passed on in the words of CRI', (t) => {
  t.is(mountedAs(aMount())?.propagation, undefined);
  t.is(mountedAs(aMount({ mountPropagation: 'None' }))?.propagation, undefined);
  t.is(
    mountedAs(aMount({ mountPropagation: 'HostToContainer' }))?.propagation,
    'PROPAGATION_HOST_TO_CONTAINER',
  );
  t.is(
    mountedAs(aMount({ mountPropagation: 'Bidirectional' }))?.propagation,
    'PROPAGATION_BIDIRECTIONAL',
  );
});

test('recursion is asked for where the runtime can', (t) => {
  const able = aNode({
    handlers: { '': { userNamespaces: false, recursiveReadOnlyMounts: true } },
  });
  const ifPossible = aMount({ readOnly: true, recursiveReadOnly: 'IfPossible' });
  const enabled = aMount({ readOnly: true, recursiveReadOnly: 'Enabled' });
  t.is(mountedAs(ifPossible, able)?.recursiveReadOnly, true);
  t.is(mountedAs(enabled, able)?.recursiveReadOnly, true);
  t.is(mountedAs(ifPossible)?.recursiveReadOnly, undefined);
  t.is(mountedAs(aMount({ readOnly: true }), able)?.recursiveReadOnly, undefined);
  t.throws(() => mountedAs(enabled), {
    instanceOf: ContainerConfigError,
    message: /not supported by the runtime/,
  });
});

test('SELinux: what was made for the pod gets its label, what is the machine’s own does not', (t) => {
  const sources: readonly (readonly [source: Partial<Volume>, isLabelled: boolean])[] = [
    [{ emptyDir: { medium: '' } }, true],
    [{ hostPath: { path: '/srv/data', type: '' } }, false],
  ];
  for (const [source, isLabelled] of sources) {
    const container = aContainer('main', { volumeMounts: [aMount()] });
    const pod = aPod([], [container], { volumes: [{ name: 'data', ...source }] });
    const run = { attempt: 0, generation: 0, sandboxAttempt: 0 };
    const { mounts } = containerConfig(pod, container, run, ingredients(), loan, node);
    t.is(mounts?.[0]?.selinuxRelabel === true, isLabelled, JSON.stringify(source));
  }
});
