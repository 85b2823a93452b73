import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { ConflictError } from '../errors.ts';
import { findHierarchy } from '../host/cgroups.ts';
import { NvidiaSmi } from '../host/devices/nvidia-smi.ts';
import { GpuReader } from '../host/devices/read-gpus.ts';
import { QosShares } from '../host/qos-shares.ts';
import { createLogger } from '../log.ts';
import type { Memory } from '../pod/memory.ts';
import { blankMemory } from '../pod/memory.ts';
import type { Pod } from '../pod/pod.ts';
import { defaultSettings } from '../pod/settings.ts';
import { processesOf } from '../runtime/added-process.ts';
import { criOver } from '../runtime/cri.ts';
import { countDownloads } from '../runtime/downloads.ts';
import { healthChecker } from '../runtime/grpc-health.ts';
import { stopperBySignal } from '../runtime/stop-signal.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { serve } from '../testing/containerd-server.ts';
import type { Answers } from '../testing/containerd-server.ts';
import { aNode } from '../testing/node.ts';
import { aSecret } from '../testing/objects.ts';
import type { Means } from './means.ts';
import { Agent } from './agent.ts';
import { steadyClock } from './clock.ts';
import { DeferredCleanup } from './deferred-cleanup.ts';
import { ClaimStore } from './devices/claims.ts';
import { DeviceKeeper } from './devices/keeper.ts';
import { ObjectStore } from './object-store.ts';
import { OutOfMemory } from './out-of-memory.ts';
import { PulledImages } from './pulled-images.ts';
import { SharedPulls } from './shared-pulls.ts';
import { PodStore } from './store.ts';

interface TestAgent extends AsyncDisposable {
  readonly agent: Agent;
  readonly dataDir: string;
}

/** An agent over a runtime that knows no other call; without any, no worker ever gets to see its pod. */
async function anAgent(answers: Answers = {}): Promise<TestAgent> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'reprise-agent-'));
  stack.defer(() => rm(dataDir, { recursive: true }));
  const { containerd } = stack.use(await serve(answers));
  const cri = criOver(containerd);
  const log = createLogger({ level: 'silent' });
  const node = aNode();
  const hierarchy = findHierarchy();
  const lending = {
    ...{ dataDir, podLogDir: path.join(dataDir, 'logs'), cgroupRoot: '/none', node },
    cgroupDriver: 'cgroupfs' as const,
  };
  const roots = { cdiSpecDirs: [], driverDirectory: dataDir, devDirectory: dataDir };
  const ways = { nvidiaHandlers: new Set<string>() };
  const gpus = new GpuReader(dataDir);
  const keeper = new DeviceKeeper({ roots, ways, claims: new ClaimStore(dataDir), gpus, log });
  const means: Means = {
    ...{ cri, node, hierarchy, lending, ...steadyClock() },
    lookForAddresses: () => false,
    resolver: () => ({ servers: [], searches: [], options: [] }),
    checkHealth: healthChecker(),
    stopWithSignal: stopperBySignal(containerd, cri),
    processes: processesOf(containerd),
    qosShares: new QosShares(lending, hierarchy),
    store: new PodStore(dataDir, () => undefined),
    objects: new ObjectStore(dataDir),
    devices: { keeper, smi: new NvidiaSmi('nvidia-smi'), madeWith: new Map() },
    pulledImages: new PulledImages(dataDir),
    pulls: new SharedPulls(),
    countDownloads: () => countDownloads(containerd),
    outOfMemory: new OutOfMemory(),
    cleanup: new DeferredCleanup(() => undefined),
  };
  const agent = new Agent({ means, settings: defaultSettings, allowedUnsafeSysctls: [], log });
  stack.defer(() => agent.close());
  const life = stack.move();
  return { agent, dataDir, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

/** A pod that asks for so many processors and a port of the node. */
function asking(name: string, cpu: string, hostPort: number): Pod {
  const ports = [{ containerPort: 80, hostPort, protocol: 'TCP' as const }];
  const resources = { requests: { cpu }, limits: {} };
  const pod = aPod([], [aContainer('main', { ports, resources })]);
  return { ...pod, metadata: { ...pod.metadata, name, uid: name } };
}

test('a pod that cannot be taken up is shown and left alone, and the others go on', async (t) => {
  await using started = await anAgent();
  const { agent, dataDir } = started;
  const broken = { ...blankMemory, startTime: 1, containers: null } as unknown as Memory;
  agent.resume(asking('broken', '1', 8080), broken);
  agent.resume(asking('whole', '1', 8081), { ...blankMemory, startTime: 1 });
  const summaries = agent.list().map(({ metadata, status: { phase, reason } }) => {
    return [metadata.name, phase, reason];
  });
  t.deepEqual(summaries, [
    ['broken', 'Unknown', 'NotTakenUp'],
    ['whole', 'Pending', undefined],
  ]);
  const shown = agent.get('default', 'broken');
  t.deepEqual(shown?.spec.containers, [{ name: 'main', image: 'localhost/test:1' }]);
  t.true(shown?.status.message?.includes(`remove ${dataDir}/pods/broken/pod.json`));

  await t.throwsAsync(agent.delete('default', 'broken', { force: true }), {
    instanceOf: ConflictError,
    message: /pod default\/broken could not be taken up/,
  });
  t.throws(() => agent.create(asking('broken', '1', 8082)), { instanceOf: ConflictError });
  const sameUid = asking('other', '1', 8082);
  const metadata = { ...sameUid.metadata, uid: 'broken' };
  t.throws(() => agent.create({ ...sameUid, metadata }), { instanceOf: ConflictError });
  await agent.create(asking('late', '1', 8080));
  t.like(agent.events({ name: 'late' })[0], { reason: 'NodePorts' });
});

test('what is asked of a pod whose worker has failed is refused, with a way out', async (t) => {
  const looked = Promise.withResolvers<undefined>();
  await using started = await anAgent({
    runtime: {
      ListPodSandbox: (_call, answer) => void looked.promise.then(() => answer(null, {})),
      ListContainers: (_call, answer) => answer(null, {}),
    },
  });
  const { agent } = started;
  // What has been decided cannot be written down, and that is the end of the worker.
  const broken = { ...blankMemory, startTime: 1, oddity: 1n } as unknown as Memory;
  agent.resume(asking('broken', '1', 8080), broken);
  const refusal = {
    instanceOf: ConflictError,
    message: /^the worker of pod default\/broken has failed: .*BigInt/,
  };
  const waiting = agent.delete('default', 'broken', { force: false });
  looked.resolve(undefined);
  const error = await t.throwsAsync(waiting, refusal);
  t.regex(error.next ?? '', /^restart the agent: its pods run on/);
  const requests = [
    () => agent.delete('default', 'broken', { force: true }),
    () => agent.restart('default', 'broken', 'test'),
    () => agent.setGates('default', 'broken', { ready: undefined }),
    () => agent.setEphemeralContainers('default', 'broken', []),
  ];
  for (const request of requests) await t.throwsAsync(async () => await request(), refusal);
  t.like(agent.get('default', 'broken')?.status, { phase: 'Unknown', reason: 'WorkerFailed' });
});

test('of two pods with one name only the first is taken up, and the other is shown', async (t) => {
  await using started = await anAgent();
  const { agent } = started;
  for (const uid of ['first', 'second']) {
    const pod = asking('web', '1', 8080);
    const metadata = { ...pod.metadata, uid };
    agent.resume({ ...pod, metadata }, { ...blankMemory, startTime: 1 });
  }
  const shown = agent.list().map(({ metadata, status: { reason } }) => [metadata.uid, reason]);
  t.deepEqual(shown, [
    ['first', undefined],
    ['second', 'NotTakenUp'],
  ]);
  t.is(agent.get('default', 'web')?.metadata.uid, 'first');
});

test('a uid is given to no new pod while an earlier one is being removed', async (t) => {
  await using started = await anAgent();
  const { agent } = started;
  const reserved = agent.reserve('web');
  t.throws(() => agent.create(asking('web', '1', 8080)), {
    instanceOf: ConflictError,
    message: /is being removed/,
  });
  await agent.create(asking('other', '1', 8081));
  reserved[Symbol.dispose]();
  await agent.create(asking('web', '1', 8080));
  t.true(agent.hasUid('web'));
  t.false(agent.hasUid('lost'));
});

test('nothing is left of a new pod that cannot be taken up', async (t) => {
  await using started = await anAgent();
  const { agent, dataDir } = started;
  const [broken, whole] = ['8080', '8081'].map((port) => asking('new', '1', Number(port))) as [
    Pod,
    Pod,
  ];
  const containers = broken.spec.containers.map((one) => ({ ...one, env: null as never }));
  t.throws(() => agent.create({ ...broken, spec: { ...broken.spec, containers } }), {
    instanceOf: TypeError,
  });
  t.deepEqual(await readdir(path.join(dataDir, 'pods')), []);
  t.deepEqual(agent.list(), []);
  await agent.create(whole);
  t.is(agent.list().length, 1);
});

test('an object that a pod cannot take is kept nevertheless, and hurts nobody else', async (t) => {
  await using started = await anAgent();
  const { agent } = started;
  const secretKeyRef = { name: 'keys', key: 'k', optional: true };
  const pod = aPod([], [aContainer('main', { env: [{ name: 'X', valueFrom: { secretKeyRef } }] })]);
  await agent.create(pod);
  const secret = { ...aSecret('keys', {}), data: { k: 7 as never } };
  t.notThrows(() => agent.objects.create(secret));
  t.is(agent.objects.get('Secret', 'default', 'keys')?.metadata.name, 'keys');
});

test('what a rejected pod has asked for is there for others at once', async (t) => {
  await using started = await anAgent();
  const { agent } = started;
  await agent.create(asking('large', '100', 8080));
  await agent.create(asking('small', '1', 8080));
  await agent.create(asking('late', '1', 8080));
  const rejected = agent.events({}).map(({ involvedObject, reason }) => {
    return `${involvedObject.name}: ${reason}`;
  });
  t.deepEqual(rejected, ['large: OutOfcpu', 'late: NodePorts']);
});
