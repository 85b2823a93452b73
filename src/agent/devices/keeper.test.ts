// Who hears what of devices, from a specification and files in the place of nodes.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { GpuReader } from '../../host/devices/read-gpus.ts';
import { createLogger } from '../../log.ts';
import type { DeviceView } from '../../pod/devices.ts';
import type { Pod } from '../../pod/pod.ts';
import { aContainer, aPod } from '../../testing/builders.ts';
import { ClaimStore } from './claims.ts';
import { DeviceKeeper } from './keeper.ts';

interface Place {
  /** Another one of the same data directory: the next life of the agent. */
  readonly start: () => DeviceKeeper;
  readonly keeper: DeviceKeeper;
  readonly folder: string;
  readonly dataDir: string;
  readonly specFile: string;
  readonly owner: { readonly uid: number; readonly gid: number };
}

/** Two GPUs, and a name that stands for both. */
async function twoGpus(
  t: ExecutionContext,
  nvidiaHandlers: readonly string[],
  /** What a new one of the driver defines by itself. */
  gpus: readonly string[] = [],
  /** However busy the machine is. */
  driverTimeoutMs = 240_000,
): Promise<Place> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-keeper-'));
  t.teardown(() => fs.rm(folder, { recursive: true }));
  const [specs, dataDir] = [path.join(folder, 'cdi'), path.join(folder, 'data')];
  await fs.mkdir(specs);
  const nodes = ['nvidia0', 'nvidia1'].map((name) => path.join(folder, name));
  for (const node of nodes) await fs.writeFile(node, '');
  const device = (name: string, paths: readonly string[]) => ({
    name,
    containerEdits: {
      deviceNodes: paths.map((hostPath) => ({
        path: `/dev/${path.basename(hostPath)}`,
        hostPath,
      })),
    },
  });
  const [first = '', second = ''] = nodes;
  const devices = [device('GPU-aa', [first]), device('GPU-bb', [second]), device('all', nodes)];
  const spec = { cdiVersion: '0.5.0', kind: 'nvidia.com/gpu', devices };
  const specFile = path.join(specs, 'nvidia.json');
  await fs.writeFile(specFile, JSON.stringify(spec));
  for (const [index, uuid] of gpus.entries()) {
    const gpu = path.join(folder, `gpus/0000:0${index}:00.0`);
    await fs.mkdir(gpu, { recursive: true });
    await fs.writeFile(
      path.join(gpu, 'information'),
      `GPU UUID: ${uuid}\nDevice Minor: ${index}\n`,
    );
  }
  const reader = new GpuReader(folder, driverTimeoutMs);
  await reader.refresh();
  const start = () =>
    new DeviceKeeper({
      roots: { cdiSpecDirs: [specs], driverDirectory: folder, devDirectory: folder },
      ways: { cdiSpecDirs: [specs], nvidiaHandlers: new Set(nvidiaHandlers) },
      claims: new ClaimStore(dataDir),
      gpus: reader,
      log: createLogger({ level: 'silent' }),
    });
  return { start, keeper: start(), folder, dataDir, specFile, owner: { uid: 0, gid: 0 } };
}

function asking(name: string, annotation?: string): Pod {
  const resources = { requests: {}, limits: { 'nvidia.com/gpu': '1' } };
  const pod = aPod([], [aContainer('main', annotation === undefined ? { resources } : {})]);
  const annotations: Record<string, string> = {};
  if (annotation !== undefined) annotations['cdi.k8s.io/x'] = annotation;
  return { ...pod, metadata: { ...pod.metadata, name, uid: name, annotations } };
}

test('what cannot be remembered is not given, and its pod is told to wait', async (t) => {
  const { keeper, dataDir } = await twoGpus(t, []);
  const heard: DeviceView[] = [];
  // Its folder is not there: nothing can be written, as on a full disk.
  keeper.add(asking('a'), (view) => heard.push(view));
  t.deepEqual(heard, [
    { waits: 'what it is given cannot be remembered: see the log of the agent', given: [] },
  ]);
  t.deepEqual(
    keeper.list().flatMap(({ users }) => users),
    [],
  );
  await fs.mkdir(path.join(dataDir, 'pods/a'), { recursive: true });
  keeper.look();
  t.is(heard.at(-1)?.waits, undefined);
  t.is(heard.at(-1)?.given[0]?.id, 'nvidia.com/gpu=GPU-aa');
});

test('who has a name for all of them has each, with what is wrong with it', async (t) => {
  const { keeper, dataDir } = await twoGpus(t, []);
  await fs.mkdir(path.join(dataDir, 'pods/a'), { recursive: true });
  const heard: [DeviceView, readonly string[]][] = [];
  const pod = asking('a', 'nvidia.com/gpu=all');
  keeper.add(pod, (view, events) => heard.push([view, events.map(({ reason }) => reason)]));
  const usersOf = keeper.list().map(({ device, users }) => `${device.id} ${users.length}`);
  t.deepEqual(usersOf, [
    'nvidia.com/gpu=GPU-aa 1',
    'nvidia.com/gpu=GPU-bb 1',
    'nvidia.com/gpu=all 1',
  ]);
  t.deepEqual([...(await keeper.belongingsOf(pod)).gpuUuids], ['GPU-aa', 'GPU-bb']);

  keeper.tellUsers('GPU-bb', { type: 'Warning', reason: 'Xid', message: 'Xid 79' });
  t.deepEqual(heard.at(-1)?.[1], ['Xid']);
  keeper.report(new Map([['GPU-bb', 'Xid 79']]));
  t.is(heard.at(-1)?.[0].given[0]?.fault, 'nvidia.com/gpu=GPU-bb: Xid 79');
  // Nor is a broken one in it given to somebody else.
  keeper.add(asking('b', 'nvidia.com/gpu=all'), (view) => heard.push([view, []]));
  t.regex(heard.at(-1)?.[0].waits ?? '', /unhealthy: nvidia.com\/gpu=GPU-bb: Xid 79|in use/);
});

test('where NVIDIA’s runtime is the default, a pod that asks for nothing is told that it has none', async (t) => {
  const plain = aPod([], [aContainer('main')]);
  const byDefault = await twoGpus(t, ['nvidia', '']);
  const { owner } = byDefault;
  t.true(byDefault.keeper.mayHave(plain));
  t.deepEqual((await byDefault.keeper.grantFor(plain, 'main', '/nowhere', owner))?.env, [
    { name: 'NVIDIA_VISIBLE_DEVICES', value: 'void' },
  ]);
  const other = await twoGpus(t, ['nvidia']);
  t.false(other.keeper.mayHave(plain));
  t.is(await other.keeper.grantFor(plain, 'main', '/nowhere', owner), undefined);
});

test('what a pod has whose manifest cannot be read is not given to another one', async (t) => {
  const { start, keeper, dataDir } = await twoGpus(t, []);
  for (const uid of ['a', 'b', 'c'])
    await fs.mkdir(path.join(dataDir, 'pods', uid), { recursive: true });
  keeper.add(asking('a'), () => undefined);
  keeper.add(asking('b'), () => undefined);

  const next = start();
  next.load([asking('b')], () => true, ['a']);
  const heard: DeviceView[] = [];
  next.add(asking('b'), (view) => heard.push(view));
  next.add(asking('c'), (view) => heard.push(view));
  t.deepEqual(
    heard.map(({ waits, given }) => waits ?? given[0]?.id),
    ['nvidia.com/gpu=GPU-bb', 'Insufficient nvidia.com/gpu: 1 asked for, 0 of 2 free'],
  );
  t.deepEqual(
    next.list().map(({ users }) => users.map(({ pod }) => pod)),
    [['a'], ['default/b'], []],
  );
});

test('another specification of the same devices makes what was made before unfit', async (t) => {
  const { keeper, dataDir, specFile } = await twoGpus(t, []);
  await fs.mkdir(path.join(dataDir, 'pods/a'), { recursive: true });
  const pod = asking('a');
  keeper.add(pod, () => undefined);
  const before = await keeper.summaryOf(pod, 'main');
  keeper.look();
  t.is(await keeper.summaryOf(pod, 'main'), before);
  const spec = JSON.parse(await fs.readFile(specFile, 'utf8')) as Record<string, unknown>;
  const mounts = [{ hostPath: '/usr/lib/new.so', containerPath: '/usr/lib/new.so' }];
  await fs.writeFile(specFile, JSON.stringify({ ...spec, containerEdits: { mounts } }));
  keeper.look();
  t.not(await keeper.summaryOf(pod, 'main'), before);
});

test('who was given a device by its specification is not given its bare node without one', async (t) => {
  const uuids = ['GPU-aa', 'GPU-bb'];
  const { keeper, dataDir, specFile, owner } = await twoGpus(t, ['nvidia'], uuids);
  for (const uid of ['a', 'b'])
    await fs.mkdir(path.join(dataDir, 'pods', uid), { recursive: true });
  const heard: DeviceView[] = [];
  const pod = asking('a');
  keeper.add(pod, (view) => heard.push(view));
  const byRuntime = { ...asking('b'), spec: { ...asking('b').spec, runtimeClassName: 'nvidia' } };
  keeper.add(byRuntime, () => undefined);
  await fs.rename(specFile, `${specFile}.away`);
  keeper.look();
  t.is(
    heard.at(-1)?.given[0]?.fault,
    `no CDI specification defines it any more, as ${specFile} did`,
  );
  await t.throwsAsync(keeper.grantFor(pod, 'main', '/nowhere', owner), {
    message: /^device nvidia.com\/gpu=GPU-aa is gone: no CDI specification defines it any more/,
  });
  // Its runtime looks for what it needs by itself.
  t.deepEqual((await keeper.grantFor(byRuntime, 'main', '/nowhere', owner))?.env, [
    { name: 'NVIDIA_VISIBLE_DEVICES', value: 'GPU-bb' },
  ]);
  await fs.rename(`${specFile}.away`, specFile);
  keeper.look();
  t.is(heard.at(-1)?.given[0]?.fault, undefined);
});

test('GPUs of a driver that does not answer are unhealthy until it does', async (t) => {
  const { keeper, folder } = await twoGpus(t, [], ['GPU-aa'], 5_000);
  const faults = () => keeper.list().map(({ fault }) => fault);
  t.deepEqual(faults(), [undefined, undefined, undefined]);
  const information = path.join(folder, 'gpus/0000:00:00.0/information');
  await fs.rename(information, `${information}.away`);
  // Whoever reads it waits for somebody who writes.
  await execa('mkfifo', [information]);
  await keeper.askDriver();
  const silence = 'the driver does not answer';
  t.deepEqual(faults(), [silence, undefined, `nvidia.com/gpu=GPU-aa: ${silence}`]);
  await fs.rename(`${information}.away`, information);
  await keeper.askDriver();
  t.deepEqual(faults(), [undefined, undefined, undefined]);
});
