// What containers see of ConfigMaps, Secrets and PersistentVolumeClaims that are mounted, looked at from
// inside them and from the node.
import fs from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { inside } from './inside.ts';
import { container, pod } from './manifests.ts';
import type { ContainerOf, ManifestOf } from './manifests.ts';
import { until } from './node.ts';
import { reporter, reports } from './reports.ts';
import { sharedNode } from './shared.ts';
import { testInTurn } from './turns.ts';

const node = sharedNode();
const turn = testInTurn(2);

const sharedVolume = { name: 'shared', emptyDir: {} };
const sharedMount = { name: 'shared', mountPath: '/shared' };

/** One container, `main`, with these volumes mounted at `/<name>`, that may have something to report. */
function withVolumes(
  name: string,
  volumes: readonly ContainerOf[],
  more: Record<string, unknown> = {},
  mounts: readonly object[] = [],
  report?: string,
): ManifestOf {
  const volumeMounts = [
    sharedMount,
    ...volumes.map((each) => ({ name: each.name, mountPath: `/${each.name}` })),
    ...mounts,
  ];
  const main =
    report === undefined
      ? container('main', undefined, { volumeMounts })
      : reporter('main', report, { volumeMounts });
  return pod(name, [], [main], { volumes: [sharedVolume, ...volumes], ...more });
}

async function applyObjects(...objects: readonly object[]): Promise<void> {
  const documents = objects.map((object) => JSON.stringify({ apiVersion: 'v1', ...object }));
  await node().apply(documents.join('\n---\n'));
}

const configMap = (name: string, data: Record<string, string>) => ({
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const secret = (name: string, stringData: Record<string, string>) => ({
  kind: 'Secret',
  metadata: { name },
  stringData,
});
const claim = (name: string) => ({
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'] },
});

async function look(of: V1Pod, script: string): Promise<string[]> {
  return (await inside(node(), of, 'main', script)).split('\n');
}

turn('files have their content, modes and owners, and Secrets are in memory', async (t) => {
  await applyObjects(
    { ...configMap('settings', { color: 'blue', size: '1' }), binaryData: { bin: '/wA=' } },
    secret('keys', { password: 'hunter2', token: 'abc' }),
  );
  const field = (path: string, fieldPath: string) => ({ path, fieldRef: { fieldPath } });
  const manifest = withVolumes('files', [
    { name: 'config', configMap: { name: 'settings' } },
    {
      name: 'secret',
      secret: {
        secretName: 'keys',
        defaultMode: 0o400,
        items: [
          { key: 'password', path: 'deep/er/pw' },
          { key: 'token', path: 't', mode: 0o444 },
        ],
      },
    },
    {
      name: 'downward',
      downwardAPI: {
        items: [
          field('labels', 'metadata.labels'),
          field('name', 'metadata.name'),
          { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'requests.cpu' } },
        ],
      },
    },
    {
      name: 'projected',
      projected: {
        defaultMode: 0o440,
        sources: [
          { configMap: { name: 'settings', items: [{ key: 'color', path: 'both/color' }] } },
          { secret: { name: 'keys', items: [{ key: 'password', path: 'both/pw', mode: 0o400 }] } },
          { secret: { name: 'none', optional: true } },
          { downwardAPI: { items: [field('ns', 'metadata.namespace')] } },
        ],
      },
    },
    { name: 'optional', configMap: { name: 'not-there', optional: true } },
  ]);
  const labelled = {
    ...manifest,
    metadata: { ...manifest.metadata, labels: { app: 'x', a: 'y' } },
  };
  await node().apply(labelled);
  const one = await node().ready('files');

  t.deepEqual(
    await look(one, 'cd /config; cat color size; echo; od -An -tx1 bin; ls -1; readlink color'),
    ['blue1', ' ff 00', 'bin', 'color', 'size', '..data/color'],
  );
  t.deepEqual(await look(one, 'cd /secret; cat deep/er/pw t; echo; ls -1'), [
    'hunter2abc',
    'deep',
    't',
  ]);
  t.deepEqual(await look(one, 'cd /downward; cat labels; echo; cat name cpu'), [
    'a="y"',
    'app="x"',
    'files0',
  ]);
  t.deepEqual(await look(one, 'cd /projected; cat both/color both/pw ns; ls /optional'), [
    'bluehunter2default',
  ]);
  const modes = await look(
    one,
    "stat -L -c '%a %u:%g %n' /config/color /secret/deep/er/pw /secret/t /secret/deep /projected/both/* /projected/ns",
  );
  t.deepEqual(modes, [
    '644 0:0 /config/color',
    '400 0:0 /secret/deep/er/pw',
    '444 0:0 /secret/t',
    '755 0:0 /secret/deep',
    '440 0:0 /projected/both/color',
    '400 0:0 /projected/both/pw',
    '440 0:0 /projected/ns',
  ]);
  for (const volume of ['config', 'secret', 'downward', 'projected', 'optional']) {
    t.regex((await look(one, `touch /${volume}/x`))[0] ?? '', /Read-only file system/, volume);
  }
  const volumes = path.join(node().dataDir, 'pods', one.metadata.uid, 'volumes');
  const typeOf = async (place: string) =>
    (await execa('stat', ['-f', '-c', '%T', path.join(volumes, place)])).stdout;
  // Whatever that is: the node's folder may be in memory itself.
  const deviceOf = async (place: string) => (await fs.stat(path.join(volumes, place))).dev;
  t.is(await deviceOf('kubernetes.io~configmap/config'), await deviceOf('.'));
  t.not(await deviceOf('kubernetes.io~secret/secret'), await deviceOf('.'));
  t.is(await typeOf('kubernetes.io~secret/secret'), 'tmpfs');
  t.is(await typeOf('kubernetes.io~downward-api/downward'), 'tmpfs');
  t.is(await typeOf('kubernetes.io~projected/projected'), 'tmpfs');
  await node().removed('files');
});

turn('fsGroup may read the files, and others on the node may not', async (t) => {
  await applyObjects(
    configMap('group-settings', { color: 'blue' }),
    secret('group-keys', { password: 'hunter2-of-the-group' }),
  );
  const manifest = withVolumes(
    'group',
    [
      { name: 'config', configMap: { name: 'group-settings', defaultMode: 0o400 } },
      { name: 'secret', secret: { secretName: 'group-keys', defaultMode: 0o400 } },
      {
        name: 'downward',
        downwardAPI: {
          defaultMode: 0o400,
          items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }],
        },
      },
      {
        name: 'projected',
        projected: {
          sources: [
            { secret: { name: 'group-keys', items: [{ key: 'password', path: 'deep/pw' }] } },
            {
              configMap: {
                name: 'group-settings',
                items: [{ key: 'color', path: 'color', mode: 0o400 }],
              },
            },
          ],
        },
      },
    ],
    { securityContext: { fsGroup: 2000, runAsUser: 1000, runAsGroup: 3000 } },
    [],
    'cat /config/color /secret/password /downward/name /projected/color /projected/deep/pw',
  );
  await node().apply(manifest);
  const one = await node().ready('group');
  const places = {
    '/config': '2777',
    '/config/color': '440',
    '/secret': '2777',
    '/secret/password': '440',
    '/downward': '2777',
    '/downward/name': '440',
    '/projected': '2777',
    '/projected/color': '440',
    '/projected/deep': '2755',
    '/projected/deep/pw': '644',
  };
  t.deepEqual(
    await look(one, `stat -L -c '%n %a %u:%g' ${Object.keys(places).join(' ')}`),
    Object.entries(places).map(([name, mode]) => `${name} ${mode} 0:2000`),
  );
  // As the user and the groups of the container.
  t.deepEqual(await reports(node(), one, ['main']), {
    main: ['bluehunter2-of-the-groupgroupbluehunter2-of-the-group'],
  });
  // The test's own folder keeps everybody out; a usual place for a data directory does not.
  await fs.chmod(node().dir, 0o755);
  const own = path.join(node().dataDir, 'pods', one.metadata.uid);
  const files = (await fs.readdir(own, { recursive: true })).map((file) => path.join(own, file));
  const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--', 'cat'];
  for (const file of [
    path.join(node().dataDir, 'objects/secrets/default/group-keys.json'),
    ...files,
  ]) {
    const { exitCode } = await execa('setpriv', [...asNobody, file], { reject: false });
    t.not(exitCode, 0, `nobody reads ${file}`);
  }
  for (const file of files.filter((each) => each.endsWith('.json'))) {
    t.is((await fs.stat(file)).mode & 0o077, 0, file);
  }
  await node().removed('group');
});

turn(
  'files change with their object, all at once, without a restart; sub-paths do not',
  async (t) => {
    await applyObjects(
      configMap('live', { a: '1', b: '1', gone: 'x' }),
      secret('live', { s: '1' }),
    );
    const manifest = withVolumes(
      'live',
      [
        { name: 'config', configMap: { name: 'live' } },
        { name: 'secret', secret: { secretName: 'live' } },
        { name: 'late', configMap: { name: 'late', optional: true } },
      ],
      {},
      [{ name: 'config', mountPath: '/part', subPath: 'a' }],
    );
    await node().apply(manifest);
    const one = await node().ready('live');
    const seen = async () =>
      (await look(one, 'cd /; cat config/a config/b secret/s part; ls config'))[0];
    t.is(await seen(), '1111a');
    await applyObjects(
      configMap('live', { a: '2', b: '2' }),
      secret('live', { s: '2' }),
      configMap('late', { l: 'here' }),
    );
    await until('the files have changed', async () => (await seen()) === '2221a');
    await until(
      'what is optional is there',
      async () => (await look(one, 'cat /late/l'))[0] === 'here',
    );
    t.deepEqual(await look(one, 'ls /config'), ['a', 'b']);
    const { dev, ino } = await fs.stat(
      path.join(
        node().dataDir,
        'pods',
        one.metadata.uid,
        'volumes/kubernetes.io~configmap/config/a',
      ),
    );
    await node().ok('delete', 'configmap', 'live');
    await node().podThat('live', 'still runs', ({ status }) => status.phase === 'Running');
    await until('it is told', async () =>
      /FailedMount.*configmap "live" not found/.test((await node().events('live')).join('\n')),
    );
    const same = await fs.stat(
      path.join(
        node().dataDir,
        'pods',
        one.metadata.uid,
        'volumes/kubernetes.io~configmap/config/a',
      ),
    );
    t.deepEqual([same.dev, same.ino], [dev, ino], 'what was there stays');
    const now = await node().pod('live');
    t.deepEqual(
      now.status.containerStatuses?.map(({ restartCount }) => restartCount),
      [0],
    );
    await node().removed('live');
  },
);

turn('no file of a volume gets out of it', async (t) => {
  for (const place of ['../../etc/passwd', '/etc/passwd', '..data', 'a/../../b']) {
    const items = [{ key: 'k', path: place }];
    const manifest = withVolumes('escapes', [
      { name: 'v', configMap: { name: 'settings', items } },
    ]);
    const { exitCode, all } = await node().reprise([
      'apply',
      '-f',
      await node().manifest(manifest),
    ]);
    t.is(exitCode, 2, place);
    t.regex(all, /spec\.volumes\[1\]\.configMap\.items\[0\]\.path/);
  }
});

turn('a pod waits for what it mounts, and starts by itself when that is applied', async (t) => {
  const manifest = withVolumes('waits', [
    { name: 'config', configMap: { name: 'waited-for', items: [{ key: 'k', path: 'k' }] } },
    { name: 'data', persistentVolumeClaim: { claimName: 'waited-for' } },
  ]);
  await node().apply(manifest);
  await until('it is told', async () =>
    /FailedMount/.test((await node().events('waits')).join('\n')),
  );
  t.regex(
    (await node().events('waits')).join('\n'),
    /FailedMount: Unable to attach or mount volumes: MountVolume\.SetUp failed for volume "config" : configmap "waited-for" not found; MountVolume\.SetUp failed for volume "data" : persistentvolumeclaim "waited-for" not found/,
  );
  const waiting = await node().pod('waits');
  t.is(waiting.status.phase, 'Pending');
  t.is(waiting.status.containerStatuses?.[0]?.state.waiting?.reason, 'ContainerCreating');
  await applyObjects(claim('waited-for'), configMap('waited-for', { other: '1' }));
  await until('it is told what is missing in it', async () =>
    /configmap references non-existent config key: k/.test(
      (await node().events('waits')).join('\n'),
    ),
  );
  await applyObjects(configMap('waited-for', { k: 'here' }));
  const one = await node().ready('waits');
  t.deepEqual(await look(one, 'cat /config/k'), ['here']);
  await node().removed('waits');

  await node().ok('delete', 'configmap', 'waited-for');
  await node().apply({ ...manifest, metadata: { name: 'gives-up' } });
  await until('it waits', async () =>
    /not found/.test((await node().events('gives-up')).join('\n')),
  );
  await node().removed('gives-up');
});

turn('what is in a claim outlives the pod, and the claim', async (t) => {
  await applyObjects(claim('kept'));
  const volumes = (readOnly: boolean) => [
    { name: 'data', persistentVolumeClaim: { claimName: 'kept', readOnly } },
  ];
  await node().apply(withVolumes('writer', volumes(false)));
  const writer = await node().ready('writer');
  t.deepEqual(
    await look(writer, 'echo content > /data/file; chmod 600 /data/file; stat -c %a /data'),
    ['777'],
  );
  await node().removed('writer');
  await node().ok('delete', 'pvc', 'kept');
  await applyObjects(claim('kept'));

  await node().apply(withVolumes('reader', volumes(true), { securityContext: { fsGroup: 2000 } }));
  const reader = await node().ready('reader');
  t.deepEqual(await look(reader, "cat /data/file; stat -c '%a %g' /data/file"), [
    'content',
    '600 0',
  ]);
  t.regex((await look(reader, 'touch /data/x'))[0] ?? '', /Read-only file system/);
  await node().removed('reader');

  await node().apply(
    withVolumes('group-reader', volumes(false), {
      securityContext: { fsGroup: 2000, runAsUser: 1000 },
    }),
  );
  const grouped = await node().ready('group-reader');
  t.deepEqual(await look(grouped, "stat -c '%a %u:%g' /data /data/file"), [
    '2777 0:2000',
    '660 0:2000',
  ]);
  await node().removed('group-reader');
  const data = path.join(node().dataDir, 'claims/default/kept/data');
  t.is(await fs.readFile(path.join(data, 'file'), 'utf8'), 'content\n');
});

turn('objects beside a pod are its own, and go before those of the agent', async (t) => {
  await applyObjects(configMap('mine', { who: 'the agent' }));
  const manifest = withVolumes('own', [{ name: 'config', configMap: { name: 'mine' } }]);
  const own = { apiVersion: 'v1', ...configMap('mine', { who: 'the pod' }) };
  const file = await node().manifest(`${JSON.stringify(manifest)}\n---\n${JSON.stringify(own)}`);
  const run = node().reprise(['run', '-f', file]);
  const one = await node().ready('own');
  t.deepEqual(await look(one, 'cat /config/who'), ['the pod']);
  t.is(await node().ok('get', 'cm', 'mine', '-o', 'jsonpath={.data.who}'), 'the agent');
  run.kill('SIGINT');
  await run;
});
