// A pod that uses everything at once is restarted in place: it keeps every mount with what is in it, every
// file of its ConfigMaps and Secrets, its address, and comes back ready.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { servesGrpc } from './health-server.ts';
import { hostMounts, inside } from './inside.ts';
import { container, image, initContainer, obeys, pod, restartAllOn, sidecar } from './manifests.ts';
import type { ContainerOf } from './manifests.ts';
import type { TestNode } from './node.ts';
import { countsOf, startNode } from './node.ts';

const objects = [
  { kind: 'ConfigMap', metadata: { name: 'settings' }, data: { color: 'blue', size: '1' } },
  { kind: 'Secret', metadata: { name: 'keys' }, stringData: { password: 'hunter2' } },
  {
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'] },
  },
].map((object) => JSON.stringify({ apiVersion: 'v1', ...object }));

const field = (name: string, fieldPath: string) => ({ path: name, fieldRef: { fieldPath } });

/** One volume of each kind; `place` is a folder of the node. */
function volumesWith(place: string): readonly ContainerOf[] {
  return [
    { name: 'shared', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { name: 'host', hostPath: { path: place, type: 'Directory' } },
    { name: 'config', configMap: { name: 'settings' } },
    { name: 'secret', secret: { secretName: 'keys', defaultMode: 0o400 } },
    { name: 'downward', downwardAPI: { items: [field('name', 'metadata.name')] } },
    {
      name: 'projected',
      projected: {
        sources: [
          { configMap: { name: 'settings', items: [{ key: 'color', path: 'in/color' }] } },
          { secret: { name: 'keys' } },
          { downwardAPI: { items: [field('uid', 'metadata.uid')] } },
        ],
      },
    },
    { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
  ];
}

const names = ['shared', 'memory', 'host', 'config', 'secret', 'downward', 'projected', 'data'];
const volumeMounts = [
  ...names.map((name) => ({ name, mountPath: `/${name}` })),
  { name: 'data', mountPath: '/part', subPath: 'parts/one' },
  { name: 'config', mountPath: '/color', subPath: 'color', readOnly: true },
];
const env = (name: string) => [
  { name: 'NAME', value: name },
  { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
  { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'keys', key: 'password' } } },
];
const full = (name: string, more: Record<string, unknown> = {}) => ({
  volumeMounts,
  env: env(name),
  ...more,
});
const language = { volumeName: 'shared', path: 'variables', key: 'LANGUAGE' };
const exec = (...command: string[]) => ({ exec: { command } });
/** Asked by the node at the pod's address. */
const serves = (port: number) =>
  `mkdir -p /www; echo ready > /www/ready; httpd -p ${port} -h /www\n${obeys}`;
const patient = { periodSeconds: 1, timeoutSeconds: 30, failureThreshold: 100 };
const says = (what: string, folder: string) =>
  exec('sh', '-c', `echo "${what}" >> /${folder}/story`);

/** What a container sees at each of its mounts: what is mounted there, and all that is in it. */
const look = `
for place in ${volumeMounts.map(({ mountPath }) => mountPath).join(' ')}; do
  stat -L -c '%n is %d:%i %a %u:%g' $place
done
cd / && find config/ secret/ downward/ projected/ memory/ host/ data/ part/ color -type f | sort |
  while read -r file; do stat -c '%n %a %u:%g %d:%i' "$file"; cat "$file"; echo; done
tr '\\0' '\\n' < /proc/1/environ | grep -E '^(COLOR|PASSWORD|LANGUAGE)=' | sort`;
const lookAtImage = "cd /image && stat -c '%n %d:%i' . && find . -type f | sort | xargs md5sum";

test('a pod with everything keeps it through restarts in place', async (t) => {
  await using node: TestNode = await startNode();
  const { run } = await node.agent();
  const place = path.join(node.dir, 'of-the-node');
  await fs.mkdir(place);
  await node.apply(objects.join('\n---\n'));
  // containerd has image volumes since 2.1; before, a container with one is refused.
  const [major = 0, minor = 0] = node.containerd.version.split('.').map(Number);
  const hasImages = major > 2 || (major === 2 && minor >= 1);
  if (!hasImages) t.log(`without a volume of an image: containerd ${node.containerd.version}`);
  const ofImage = hasImages ? [{ name: 'image', mountPath: '/image' }] : [];
  const volumes = [
    ...volumesWith(place),
    ...(hasImages ? [{ name: 'image', image: { reference: image } }] : []),
  ];
  const setup = `
echo "setup started" >> /shared/story
echo "LANGUAGE='en'" > /shared/variables
for place in memory host data part; do
  [ -e /$place/first ] || cat /proc/sys/kernel/random/uuid > /$place/first
done`;
  const manifest = pod(
    'everything',
    [
      initContainer('setup', setup, full('setup')),
      sidecar('watcher', full('watcher', restartAllOn(88))),
      container(
        'helper',
        `${servesGrpc(8082)}\n${serves(8081)}`,
        full('helper', {
          restartPolicy: 'Always',
          startupProbe: { tcpSocket: { port: 8081 }, ...patient },
          livenessProbe: { ...exec('cat', '/color'), ...patient },
          readinessProbe: { grpc: { port: 8082 }, ...patient, periodSeconds: 2 },
        }),
      ),
    ],
    [
      container(
        'main',
        undefined,
        full('main', {
          volumeMounts: [...volumeMounts, ...ofImage],
          env: [...env('main'), { name: 'LANGUAGE', valueFrom: { fileKeyRef: language } }],
          livenessProbe: { ...exec('cat', '/secret/password'), ...patient },
          lifecycle: {
            postStart: says('main has started', 'shared'),
            // Where it can be read when the pod is gone.
            preStop: says('main is to stop', 'host'),
          },
        }),
      ),
      container(
        'web',
        serves(8080),
        full('web', { readinessProbe: { httpGet: { path: '/ready', port: 8080 }, ...patient } }),
      ),
    ],
    // Nobody gets SIGKILL, and no hook is cut short, for being slow.
    { volumes, restartPolicy: 'Always', terminationGracePeriodSeconds: 3600 },
  );
  await node.apply(manifest);
  const running = ['watcher', 'helper', 'main', 'web'];
  const seen = async (of: V1Pod) => ({
    ip: of.status.podIP,
    mounts: await hostMounts(node, of),
    inside: await Promise.all(running.map((name) => inside(node, of, name, look))),
    image: hasImages ? await inside(node, of, 'main', lookAtImage) : undefined,
  });

  let one = await node.ready('everything');
  // A process is looked at when it has begun to speak: before, it is still the runtime's.
  await node.story(one, 6);
  const again = await node.manifest(manifest);
  t.is(await node.ok('apply', '-f', again), 'pod/everything unchanged');
  const before = await seen(one);
  const ofMain = before.inside[running.indexOf('main')] ?? '';
  for (const part of [
    'hunter2',
    'COLOR=blue',
    'PASSWORD=hunter2',
    'LANGUAGE=en',
    one.metadata.uid,
  ]) {
    t.true(ofMain.includes(part), `${part} in ${ofMain}`);
  }
  if (hasImages) t.regex(before.image ?? '', /bin\/busybox/);
  // Memory, and what holds secrets; two sub-paths of each container, the init container included.
  const mounted = Object.keys(before.mounts);
  t.is(mounted.length, 4 + 2 * (running.length + 1), mounted.join(' '));
  for (const generation of [1, 2]) {
    // Renamed, as the watcher may look at any moment.
    await node.tell(one, 'watcher', 88);
    one = await node.ready('everything', generation);
    await node.story(one, 7 * generation + 6);
    t.deepEqual(await seen(one), before);
    t.deepEqual(countsOf(one), {
      setup: generation,
      watcher: generation,
      helper: generation,
      main: generation,
      web: generation,
    });
  }
  const story = await node.story(one);
  t.is(story.filter((line) => line === 'main has started').length, 3);
  const lastWords = path.join(place, 'story');
  await t.throwsAsync(fs.access(lastWords), { code: 'ENOENT' }, 'no hook before the end');

  await node.ok('delete', 'pod', 'everything', '--wait');
  t.is(await fs.readFile(lastWords, 'utf8'), 'main is to stop\n');
  t.deepEqual(await hostMounts(node, one), {});
  t.deepEqual(await node.traces(), []);
  const kept = path.join(node.dataDir, 'claims/default/data/data/first');
  t.is((await fs.readFile(kept, 'utf8')).length, 37);
  run.kill('SIGTERM');
  await run;
});
