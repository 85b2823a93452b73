// What containers see of their volumes, looked at from inside them and from the node.
import { once } from 'node:events';
import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { hostMounts, inside as insideOf } from './inside.ts';
import type { ManifestOf } from './manifests.ts';
import { container, pod, restartAllOn, sidecar } from './manifests.ts';
import { generationOf, isReady, statusOf, until } from './node.ts';
import { blink } from './pace.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

/** With these fields a container asks for a restart of all with 88. */
const again = { restartPolicy: 'Never', ...restartAllOn(88) };

/** The path of something inside a container, from the node. */
async function within(of: V1Pod, name: string, place: string): Promise<string> {
  const pid = await node().pidOf(of, name);
  if (pid === undefined) throw new Error(`container ${name} does not run`);
  return `/proc/${pid}/root${place}`;
}

async function inside(of: V1Pod, name: string, script: string): Promise<string> {
  return await insideOf(node(), of, name, script);
}

/** Device and inode of what is mounted: the same as long as it is the same mount of the same thing. */
async function mountOf(of: V1Pod, name: string, place: string): Promise<string> {
  const { dev, ino } = await fs.stat(await within(of, name, place));
  return `${dev}:${ino}`;
}

async function exists(place: string): Promise<boolean> {
  return await fs.access(place).then(
    () => true,
    () => false,
  );
}

async function restarted(of: V1Pod): Promise<V1Pod> {
  await node().ok('restart', 'pod', of.metadata.name);
  return await node().ready(of.metadata.name, generationOf(of) + 1);
}

const sharedMount = { name: 'shared', mountPath: '/shared' };

test('a container sees one part of a volume, and the same mount after a restart', async (t) => {
  const volumeMounts = [
    sharedMount,
    { name: 'shared', mountPath: '/part', subPath: 'parts/one' },
    { name: 'shared', mountPath: '/mine', subPathExpr: 'by-name/$(NAME)', readOnly: true },
  ];
  const manifest = pod(
    'sub-paths',
    [sidecar('watcher', restartAllOn(88))],
    [container('main', undefined, { volumeMounts })],
  );
  await node().apply(manifest);
  const first = await node().ready('sub-paths');
  const volume = node().volume(first);
  await fs.writeFile(path.join(volume, 'parts/one/file'), 'content');
  t.is(await inside(first, 'main', 'cat /part/file; ls -a /mine | wc -l'), 'content2');
  t.regex(await inside(first, 'main', 'touch /mine/x'), /Read-only file system/);
  await node().story(first, 2);
  t.deepEqual((await fs.readdir(volume)).toSorted(), ['by-name', 'parts', 'story']);
  t.deepEqual(await fs.readdir(path.join(volume, 'by-name')), ['main']);
  const seen = await mountOf(first, 'main', '/part');
  const mounts = await hostMounts(node(), first);
  t.deepEqual(Object.keys(mounts).toSorted(), [
    'volume-subpaths/shared/main/1',
    'volume-subpaths/shared/main/2',
  ]);

  const second = await restarted(first);
  t.deepEqual(await hostMounts(node(), second), mounts);
  t.is(await mountOf(second, 'main', '/part'), seen);
  t.is(await inside(second, 'main', 'cat /part/file'), 'content');
  await node().removed('sub-paths');
  t.deepEqual(await hostMounts(node(), second), {});
});

test('a link that a container plants between two runs leads nobody out of the volume', async (t) => {
  const outside = path.join(node().dir, 'precious');
  await fs.mkdir(outside);
  await fs.writeFile(path.join(outside, 'file'), 'content');
  const plants = `
    while [ ! -e /shared/go ]; do sleep ${blink}; done
    [ -e /shared/planted ] || {
      rm -rf /shared/part; ln -s ${outside} /shared/part
      rm -rf /shared/made; ln -s ${outside} /shared/made
      echo planted > /shared/planted
    }
    while :; do sleep 0.1; done`;
  const manifest = pod(
    'plants-links',
    [],
    [
      container('reader', undefined, {
        volumeMounts: [
          sharedMount,
          { name: 'shared', mountPath: '/part', subPath: 'part' },
          { name: 'shared', mountPath: '/made', subPath: 'made/deep' },
        ],
      }),
      container('planter', plants),
    ],
  );
  await node().apply(manifest);
  const first = await node().ready('plants-links');
  t.is(await inside(first, 'reader', 'ls /part'), '');
  const volume = node().volume(first);
  await fs.writeFile(path.join(volume, 'go'), '');
  await until('the links are planted', () => exists(path.join(volume, 'planted')));
  await node().ok('restart', 'pod', 'plants-links');
  const after = await node().podThat('plants-links', 'cannot make its reader', (one) => {
    const { waiting } = statusOf(one, 'reader').state;
    return generationOf(one) === 1 && waiting?.reason === 'CreateContainerConfigError';
  });
  t.regex(statusOf(after, 'reader').state.waiting?.message ?? '', /leads out of the volume/);
  t.is(await node().pidOf(after, 'reader'), undefined);
  t.deepEqual(await fs.readdir(outside), ['file']);

  // As soon as the link is gone, the pod goes on by itself.
  await fs.unlink(path.join(volume, 'part'));
  await fs.unlink(path.join(volume, 'made'));
  await node().ready('plants-links', 1);
  await node().removed('plants-links');
  t.is(await fs.readFile(path.join(outside, 'file'), 'utf8'), 'content');
});

test('a subPathExpr without its variable is a mistake in the configuration', async (t) => {
  const volumeMounts = [sharedMount, { name: 'shared', mountPath: '/x', subPathExpr: '$(NOPE)' }];
  await node().apply(pod('no-variable', [], [container('main', undefined, { volumeMounts })]));
  const stuck = await node().podThat(
    'no-variable',
    'says why it waits',
    (one) => statusOf(one, 'main').state.waiting?.reason === 'CreateContainerConfigError',
  );
  t.is(statusOf(stuck, 'main').state.waiting?.message, 'missing value for "NOPE"');
  t.is(stuck.status.phase, 'Pending');
  await node().removed('no-variable');
});

test('mounts go as far as the manifest says', async (t) => {
  const place = path.join(node().dir, 'propagation');
  await fs.mkdir(place);
  await execa('mount', ['--bind', place, place]);
  try {
    await execa('mount', ['--make-shared', place]);
    const main = (name: string, mountPropagation: string, more = {}) =>
      container(name, undefined, {
        volumeMounts: [sharedMount, { name: 'host', mountPath: '/host', mountPropagation }],
        ...more,
      });
    const manifest: ManifestOf = pod(
      'propagation',
      [],
      [
        main('none', 'None'),
        main('inwards', 'HostToContainer'),
        main('both', 'Bidirectional', { securityContext: { privileged: true } }),
      ],
      {
        volumes: [
          { name: 'shared', emptyDir: {} },
          { name: 'host', hostPath: { path: place, type: 'Directory' } },
        ],
      },
    );
    await node().apply(manifest);
    const running = await node().ready('propagation');
    await fs.mkdir(path.join(place, 'by-host'));
    await execa('mount', ['-t', 'tmpfs', 'by-host', path.join(place, 'by-host')]);
    await fs.writeFile(path.join(place, 'by-host/file'), '');
    t.is(await inside(running, 'none', 'ls /host/by-host'), '');
    t.is(await inside(running, 'inwards', 'ls /host/by-host'), 'file');
    await execa('umount', [path.join(place, 'by-host')]);
    t.is(await inside(running, 'inwards', 'ls /host/by-host'), '');

    const mounts =
      'mkdir /host/by-pod && mount -t tmpfs by-pod /host/by-pod && touch /host/by-pod/x';
    t.is(await inside(running, 'both', mounts), '');
    t.deepEqual(await fs.readdir(path.join(place, 'by-pod')), ['x']);
    t.is(await inside(running, 'inwards', 'ls /host/by-pod'), 'x');
    t.is(await inside(running, 'none', 'ls /host/by-pod'), '');
    t.is(await inside(running, 'both', 'umount /host/by-pod'), '');
    await node().removed('propagation');
  } finally {
    await execa('umount', ['-R', place]);
  }
});

test('of the node a pod gets what it asks for, of whatever type', async (t) => {
  const place = path.join(node().dir, 'of-the-node');
  await fs.mkdir(path.join(place, 'folder'), { recursive: true });
  await fs.writeFile(path.join(place, 'file'), 'content');
  const server = net.createServer().listen(path.join(place, 'socket'));
  await once(server, 'listening');
  const disk = path.join(place, 'disk');
  // The first disk that the kernel keeps in memory; nothing of it is read.
  await execa('mknod', [disk, 'b', '1', '0']);
  const wanted = {
    BlockDevice: disk,
    Directory: path.join(place, 'folder'),
    DirectoryOrCreate: path.join(place, 'new/folder'),
    File: path.join(place, 'file'),
    FileOrCreate: path.join(place, 'new-file'),
    Socket: path.join(place, 'socket'),
    CharDevice: '/dev/null',
  };
  const volumes = Object.entries(wanted).map(([type, where]) => ({
    name: type.toLowerCase(),
    hostPath: { path: where, type },
  }));
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/host/${name}` }));
  const main = container('main', undefined, { volumeMounts: [sharedMount, ...volumeMounts] });
  const shared = { name: 'shared', emptyDir: {} };
  await node().apply(pod('host-paths', [], [main], { volumes: [shared, ...volumes] }));
  try {
    const running = await node().ready('host-paths');
    const seen = await inside(running, 'main', "cd /host && stat -c '%n %F %d:%i' *");
    const kinds = seen.split('\n').map((line) => line.replace(/ \d+:\d+$/, ''));
    t.deepEqual(kinds, [
      'blockdevice block special file',
      'chardevice character special file',
      'directory directory',
      'directoryorcreate directory',
      'file regular file',
      'fileorcreate regular empty file',
      'socket socket',
    ]);
    for (const [type, where] of Object.entries(wanted)) {
      const { dev, ino } = await fs.stat(where);
      t.true(seen.includes(` ${dev}:${ino}`), `${type} is that of the node`);
    }
    t.is((await fs.stat(wanted.DirectoryOrCreate)).mode & 0o7777, 0o755);
    t.is((await fs.stat(wanted.FileOrCreate)).mode & 0o7777, 0o644);
    await node().removed('host-paths');
    t.is(await fs.readFile(wanted.File, 'utf8'), 'content', 'what is the node’s stays');
  } finally {
    server.close();
  }
});

test('after a restart a container finds the machine as it is then, though it was made ahead', async (t) => {
  const place = path.join(node().dir, 'releases');
  for (const folder of ['41', '42', 'data'])
    await fs.mkdir(path.join(place, folder), { recursive: true });
  await fs.writeFile(path.join(place, '41/version'), '41\n');
  await fs.writeFile(path.join(place, '42/version'), '42\n');
  await fs.symlink('41', path.join(place, 'current'));
  const volumes = [
    { name: 'shared', emptyDir: {} },
    { name: 'current', hostPath: { path: path.join(place, 'current') } },
    { name: 'data', hostPath: { path: path.join(place, 'data') } },
  ];
  const volumeMounts = [
    sharedMount,
    { name: 'current', mountPath: '/current' },
    { name: 'data', mountPath: '/data' },
  ];
  const main = container('main', undefined, { volumeMounts });
  await node().apply(
    pod('releases', [], [main, container('other', undefined, again)], { volumes }),
  );
  const first = await node().ready('releases');
  t.is(await inside(first, 'main', 'cat /current/version; ls /data'), '41');
  const standbys = () =>
    node().containers({
      'io.kubernetes.pod.uid': first.metadata.uid,
      'reprise.dev/generation': '1',
    });
  await until('the next are made', async () => (await standbys()).length === 2);

  await fs.rm(path.join(place, 'current'));
  await fs.symlink('42', path.join(place, 'current'));
  await fs.rmdir(path.join(place, 'data'));
  const made = await standbys();
  const hosts = await inside(first, 'main', 'cat /etc/hosts; echo planted >> /etc/hosts');
  await node().ok('restart', 'pod', 'releases', '--wait');
  const second = await node().ready('releases', 1);
  t.is(await inside(second, 'main', 'cat /current/version; ls -d /data'), '42\n/data');
  t.is(await inside(second, 'main', 'cat /etc/hosts'), hosts, 'what was written there is gone');
  const isStandby = (name: string): boolean =>
    made.some((id) => statusOf(second, name).containerID === `containerd://${id}`);
  t.deepEqual([isStandby('main'), isStandby('other')], [false, true]);
  await node().removed('releases');
});

test('recursive read-only mounts are made, or the pod says that it cannot have them', async (t) => {
  const place = path.join(node().dir, 'nested');
  const inner = path.join(place, 'inner');
  await fs.mkdir(inner, { recursive: true });
  await execa('mount', ['-t', 'tmpfs', 'inner', inner]);
  const manifest = (name: string, recursiveReadOnly: string) => {
    const mount = { name: 'nested', mountPath: '/ro', readOnly: true, recursiveReadOnly };
    const main = container('main', undefined, { volumeMounts: [sharedMount, mount] });
    const nested = { name: 'nested', hostPath: { path: place, type: 'Directory' } };
    return pod(name, [], [main], { volumes: [{ name: 'shared', emptyDir: {} }, nested] });
  };
  const readOnly = /Read-only file system/;
  try {
    await node().apply(manifest('enabled', 'Enabled'));
    const after = await node().podThat(
      'enabled',
      'is decided',
      (one) =>
        isReady(one) ||
        statusOf(one, 'main').state.waiting?.reason === 'CreateContainerConfigError',
    );
    const { waiting } = statusOf(after, 'main').state;
    if (waiting === undefined) {
      t.log('made: this runtime says that it can');
      t.regex(await inside(after, 'main', 'touch /ro/x'), readOnly);
      t.regex(await inside(after, 'main', 'touch /ro/inner/x'), readOnly);
    } else {
      t.log('refused: this runtime does not say that it can');
      t.regex(waiting.message ?? '', /volume "nested" requested recursive read-only mode/);
    }
    await node().removed('enabled');

    await node().apply(manifest('if-possible', 'IfPossible'));
    const running = await node().ready('if-possible');
    t.regex(await inside(running, 'main', 'touch /ro/x'), readOnly);
    const below = await inside(running, 'main', 'touch /ro/inner/x');
    if (waiting === undefined) t.regex(below, readOnly);
    else t.is(below, '', 'only the outer mount is read-only');
    await node().removed('if-possible');
  } finally {
    await execa('umount', [inner]);
  }
});

test('an emptyDir belongs to the fsGroup, and so does what is made in it', async (t) => {
  const volumes = [
    { name: 'shared', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory' } },
  ];
  const securityContext = { fsGroup: 4321, runAsUser: 1000, runAsGroup: 1000 };
  const main = container('main', undefined, {
    volumeMounts: [
      sharedMount,
      { name: 'memory', mountPath: '/memory' },
      { name: 'shared', mountPath: '/part', subPath: 'part' },
    ],
  });
  await node().apply(pod('fs-group', [], [main], { volumes, securityContext }));
  const running = await node().ready('fs-group');
  await node().story(running, 1);
  const uid = (await fs.stat(await within(running, 'main', '/shared/story'))).uid;
  t.is(uid, 1000);
  for (const place of ['/shared', '/memory', '/part']) {
    const stats = await fs.stat(await within(running, 'main', place));
    t.is(stats.gid, 4321, place);
    t.is(stats.mode & 0o7777, 0o2777, place);
  }
  t.is((await fs.stat(await within(running, 'main', '/shared/story'))).gid, 4321);
  await node().removed('fs-group');
});

test('a volume in memory is as large as it may be, and no larger', async (t) => {
  const mounts = { small: '/small', large: '/large' };
  const volumeMounts = [
    sharedMount,
    ...Object.entries(mounts).map(([name, mountPath]) => ({ name, mountPath })),
  ];
  const resources = { limits: { memory: '64Mi' } };
  const main = container('main', undefined, { volumeMounts, resources });
  const volumes = [
    { name: 'shared', emptyDir: {} },
    { name: 'small', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    // What its pod may have at most of memory.
    { name: 'large', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
  ];
  await node().apply(pod('in-memory', [], [main], { volumes }));
  const running = await node().ready('in-memory');
  const seen = await inside(running, 'main', 'df -k /small /large');
  const sizes = seen.split('\n').slice(1);
  t.deepEqual(
    sizes.map((line) => line.split(/\s+/)).map(([kind, size, , , , place]) => [kind, size, place]),
    [
      ['tmpfs', '1024', '/small'],
      ['tmpfs', '65536', '/large'],
    ],
  );
  const fill = await inside(running, 'main', 'dd if=/dev/zero of=/small/x bs=64k');
  t.regex(fill, /No space left on device/);
  t.is((await fs.stat(await within(running, 'main', '/small/x'))).size, 2 ** 20);
  await node().removed('in-memory');
});
