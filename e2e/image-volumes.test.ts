// Volumes that hold the files of an image: read-only, pulled as a container's image is, the same through
// restarts in place whatever becomes of the tag; and refused by a containerd that does not know them.
import fs from 'node:fs/promises';
import test from 'ava';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { inside } from './inside.ts';
import type { ManifestOf } from './manifests.ts';
import { container, pod, restartAllOn, sidecar } from './manifests.ts';
import { isReady, statusOf } from './node.ts';
import { allowHttp, password, startRegistry } from './registry.ts';
import { shared, sharedNode } from './shared.ts';

const registry = shared('the registry', () => startRegistry('bob'));
const node = sharedNode(async (one) => {
  await allowHttp(one.containerd, registry());
  await one.agent();
});

/** The line of containerd, such as 2.1; what it can do is not asked of it, but seen. */
async function line(): Promise<number> {
  const text = await node().containerd.ctr('version');
  return Number(/Version: +v?(\d+\.\d+)/.exec(text)?.[1]);
}

const secret = (): object => {
  const config = { auths: { [registry().host]: { username: 'bob', password } } };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'regcred' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') },
  };
};

/** A pod with a container that mounts an image and one that does not. */
function mounts(name: string, image: object, mount: object = {}, more = {}): ManifestOf {
  const volumeMounts = [
    { name: 'shared', mountPath: '/shared' },
    { name: 'files', mountPath: '/files', ...mount },
  ];
  return pod(
    name,
    [sidecar('watcher', restartAllOn(88))],
    [container('main', undefined, { volumeMounts }), container('plain')],
    {
      volumes: [
        { name: 'shared', emptyDir: {} },
        { name: 'files', image },
      ],
      ...more,
    },
  );
}

const waitingOf = (one: V1Pod) => statusOf(one, 'main').state.waiting;
const waits = (reason: string) => (one: V1Pod) => waitingOf(one)?.reason === reason;

const files = 'cd /files && find . -type f | sort | xargs md5sum; stat -c %d:%i /files';

test.serial('a container reads the files of an image, through restarts in place', async (t) => {
  const reference = `${registry().host}/team/files:1`;
  // Not the image that the pod runs: what is pulled with credentials is not everybody's.
  await registry().push('pause', 'team/files:1');
  const manifest = mounts(
    'image-volume',
    { reference, pullPolicy: 'Always' },
    {},
    { imagePullSecrets: [{ name: 'regcred' }] },
  );
  const text = [secret(), manifest].map((each) => JSON.stringify(each)).join('\n---\n');
  await node().ok('apply', '-f', await node().manifest(text));
  if ((await line()) < 2.1) {
    const stuck = await node().podThat(
      'image-volume',
      'is refused',
      waits('CreateContainerConfigError'),
    );
    t.is(
      waitingOf(stuck)?.message,
      'volume "files" is an image volume, which the runtime does not know',
    );
    await node().podThat('image-volume', 'runs its other container', (one) => {
      return statusOf(one, 'plain').state.running !== undefined;
    });
    t.is(await node().pidOf(stuck, 'main'), undefined);
    await node().removed('image-volume');
    return;
  }
  const first = await node().ready('image-volume');
  const seen = await inside(node(), first, 'main', files);
  t.regex(seen, /catatonit/);
  t.regex(await inside(node(), first, 'main', 'touch /files/x'), /Read-only file system/);
  t.regex(await inside(node(), first, 'plain', 'ls /files'), /No such file/);
  const events = await node().events('image-volume');
  t.is(
    events.filter((one) => one.startsWith(`Normal Pulling: Pulling image "${reference}`)).length,
    1,
  );
  const asked = await registry().asked('team/files', '1');

  await registry().push('busybox', 'team/files:1');
  const afterPush = await registry().asked('team/files', '1');
  await node().ok('restart', 'pod', 'image-volume');
  const second = await node().ready('image-volume', 1);
  t.is(await inside(node(), second, 'main', files), seen, 'the same files, from the same mount');
  t.is(await registry().asked('team/files', '1'), afterPush, 'nobody asked the registry again');
  t.true(asked > 0);

  await node().removed('image-volume');
  t.false((await fs.readFile('/proc/self/mountinfo', 'utf8')).includes('image-volumes'));
});

test.serial('an image that cannot be had fails only who mounts it', async (t) => {
  const reference = `${registry().host}/team/nowhere:1`;
  await node().apply(mounts('no-image', { reference }));
  const stuck = await node().podThat('no-image', 'waits for the image', waits('ImagePullBackOff'));
  t.true(
    waitingOf(stuck)?.message?.startsWith(`Back-off pulling image "${reference}": ErrImagePull`),
  );
  await node().podThat('no-image', 'runs its other container', (one) => {
    return statusOf(one, 'plain').state.running !== undefined;
  });
  t.true(
    (await node().events('no-image')).includes(
      `Normal BackOff: Back-off pulling image "${reference}"`,
    ),
  );
  await node().removed('no-image');

  await node().apply(mounts('never', { reference, pullPolicy: 'Never' }));
  await node().podThat('never', 'has no image', waits('ErrImageNeverPull'));
  await node().removed('never');
});

test.serial('a part of an image is mounted, or the pod says that it cannot have it', async (t) => {
  const reference = 'localhost/reprise/busybox:1';
  await node().apply(mounts('part', { reference }, { subPath: 'bin' }));
  const decided = await node().podThat('part', 'is decided', (one) => {
    return isReady(one) || waits('CreateContainerConfigError')(one);
  });
  const version = await line();
  if (version >= 2.2) {
    t.regex(await inside(node(), decided, 'main', 'ls /files'), /busybox/);
  } else {
    const why =
      version < 2.1
        ? 'volume "files" is an image volume, which the runtime does not know'
        : 'the runtime does not know subPath "bin" of an image volume';
    t.is(waitingOf(decided)?.message, why);
    t.is(await node().pidOf(decided, 'main'), undefined);
  }
  await node().removed('part');
});
