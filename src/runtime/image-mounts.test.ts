import test from 'ava';
import type { VolumeMount } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { aLoan, aNode } from '../testing/node.ts';
import { ContainerConfigError } from './config-error.ts';
import { containerConfig, specHash } from './container-config.ts';
import { assertSubPathsKnown, imageVolumesOf, isUnknownToRuntime } from './image-mounts.ts';
import { subPathsOf } from './mounts.ts';

const ingredients = {
  image: {
    ref: 'sha256:1',
    digest: 'registry/test@sha256:0',
    name: 'registry/test:1',
    user: { uid: 0 },
    pulled: false,
    sizeBytes: 1,
  },
  environment: new Map([['PART', 'bin']]),
  volumeImages: { files: 'sha256:2' },
};

function withMount(more: Partial<VolumeMount> = {}) {
  const mount = { name: 'files', mountPath: '/files', readOnly: false, ...more };
  const container = aContainer('main', { volumeMounts: [mount] });
  const image = { reference: 'a.test/files:1', pullPolicy: 'IfNotPresent' } as const;
  const pod = aPod([], [container, aContainer('plain')], { volumes: [{ name: 'files', image }] });
  return { pod, container };
}

function mountedAs(more: Partial<VolumeMount> = {}) {
  const { pod, container } = withMount(more);
  const run = { attempt: 0, generation: 0, sandboxAttempt: 0 };
  return containerConfig(pod, container, run, ingredients, aLoan(), aNode()).mounts?.[0];
}

const image = { image: 'sha256:2', userSpecifiedImage: 'a.test/files:1' };
const cases: Record<string, [Partial<VolumeMount>, object]> = {
  'an image is mounted read-only, whatever the mount says': [
    {},
    { containerPath: '/files', image, readonly: true },
  ],
  'a part of an image is left to the runtime': [
    { subPath: 'a/b' },
    { containerPath: '/files', image, imageSubPath: 'a/b', readonly: true },
  ],
  'the part may come from a variable': [
    { subPathExpr: 'usr/$(PART)' },
    { containerPath: '/files', image, imageSubPath: 'usr/bin', readonly: true },
  ],
};
for (const [title, [mount, becomes]] of Object.entries(cases)) {
  test(title, (t) => {
    t.deepEqual(mountedAs(mount) as object, becomes);
    const { pod, container } = withMount(mount);
    t.deepEqual(subPathsOf(pod, container, ingredients.environment, aLoan()), []);
  });
}

test('a container made with another image in its volume does not fit', (t) => {
  const { pod, container } = withMount();
  const hashes = ['sha256:2', 'sha256:3'].map((files) =>
    specHash(pod, container, { ...ingredients, volumeImages: { files } }, aLoan(), aNode()),
  );
  t.not(hashes[0], hashes[1]);
});

test('only who mounts an image needs it', (t) => {
  const { pod, container } = withMount({ subPath: 'a' });
  t.deepEqual(imageVolumesOf(pod, container), [{ name: 'files', hasSubPath: true }]);
  t.deepEqual(imageVolumesOf(pod, aContainer('plain')), []);
});

test('a runtime that passes over a sub-path is found out', (t) => {
  const whole = { image };
  const part = { image, imageSubPath: 'bin' };
  const told = (...mounts: object[]) => ({ config: { mounts } });
  t.notThrows(() => assertSubPathsKnown({}, [whole]));
  t.notThrows(() => assertSubPathsKnown(told({ image, image_sub_path: 'bin' }), [whole, part]));
  for (const info of [told({ image }), told(), {}, undefined]) {
    t.throws(() => assertSubPathsKnown(info, [part]), {
      instanceOf: ContainerConfigError,
      message: /does not know subPath "bin"/,
    });
  }
});

test('a mount without a source is one that the runtime has not understood', (t) => {
  t.true(isUnknownToRuntime('failed to generate spec: failed to mkdir "": mkdir : no such file'));
  t.false(isUnknownToRuntime('failed to mkdir "/srv": read-only file system'));
});
