/**
 * Brings an agent to life: locks the data directory, finds containerd, takes up the pods it had.
 *
 * The order matters: only when the event stream is proven to work are pods looked at, so that no
 * exit falls between the look and the first event.
 */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { RepriseError, messageOf } from '../errors.ts';
import { findHierarchy } from '../host/cgroups.ts';
import { NvidiaSmi } from '../host/devices/nvidia-smi.ts';
import { GpuReader } from '../host/devices/read-gpus.ts';
import { defaultSpecDirs } from '../host/devices/read-specs.ts';
import { holdOutput } from '../host/held-output.ts';
import { lockFolder } from '../host/lock.ts';
import { readNodeFacts } from '../host/node-facts.ts';
import { comeFirst } from '../host/priority.ts';
import { QosShares } from '../host/qos-shares.ts';
import { readResolver } from '../host/resolver.ts';
import type { Logger } from '../log.ts';
import { podKey } from '../pod/pod.ts';
import type { Pod } from '../pod/pod.ts';
import { processesOf } from '../runtime/added-process.ts';
import { isCallError } from '../runtime/call.ts';
import { findCgroupDriver } from '../runtime/cgroup-driver.ts';
import { connectContainerd } from '../runtime/connect.ts';
import type { Containerd } from '../runtime/connect.ts';
import type { Cri } from '../runtime/cri.ts';
import { criOver } from '../runtime/cri.ts';
import { countDownloads } from '../runtime/downloads.ts';
import { runtimeEvents } from '../runtime/events.ts';
import { findDeviceWays } from '../runtime/device-ways.ts';
import { findFeatures } from '../runtime/features.ts';
import { ContainerdUnreachable } from '../runtime/unreachable.ts';
import { healthChecker } from '../runtime/grpc-health.ts';
import { stopperBySignal } from '../runtime/stop-signal.ts';
import { unlessAborted } from '../unless-aborted.ts';
import type { Means } from './means.ts';
import { steadyClock } from './clock.ts';
import { CurrentNode } from './current-node.ts';
import { ClaimStore } from './devices/claims.ts';
import { watchDevices } from './devices/health-watch.ts';
import { DeferredCleanup } from './deferred-cleanup.ts';
import type { DeviceMeans } from './devices/give-devices.ts';
import { DeviceKeeper } from './devices/keeper.ts';
import { Agent } from './agent.ts';
import { endCommands, leftCommands } from './exec.ts';
import { removeLeftovers } from './leftovers.ts';
import type { LeftoverParts } from './leftovers.ts';
import { ObjectStore } from './object-store.ts';
import { OutOfMemory } from './out-of-memory.ts';
import { PulledImages } from './pulled-images.ts';
import { SharedPulls } from './shared-pulls.ts';
import { PodStore } from './store.ts';

export interface AgentOptions {
  /** Path of containerd's socket. */
  readonly containerd: string;
  readonly dataDir: string;
  readonly podLogDir: string;
  readonly cgroupRoot: string;
  /** How many processes and threads one pod may have; absent: as many as the node. */
  readonly podPidsLimit?: number;
  readonly nodeName: string;
  /** Absent: `cluster.local`. */
  readonly clusterDomain?: string;
  /** The resolv.conf of pods; empty: none; absent: the node's. */
  readonly resolvConf?: string;
  /** Longest delay between two in-place restarts of a pod; 0: none. */
  readonly inPlaceBackoffMs: number;
  /** Longest delay between two restarts of one container. */
  readonly maxContainerRestartMs: number;
  /** Kernel parameters beyond the safe ones that pods may set; absent: none. */
  readonly allowedUnsafeSysctls?: readonly string[];
  /** Whether containers are created ahead for the next in-place restart. */
  readonly standbys: boolean;
  /** Whether what the runtime does about dead containers is put off until a restart is over. */
  readonly deferredCleanup: boolean;
  /** Where devices are looked for, and what becomes of unhealthy ones; absent: as usual. */
  readonly devices?: DeviceOptions;
  /** Run this pod and no other; what else is in the data directory is left alone. */
  readonly only?: { readonly namespace: string; readonly name: string };
  readonly log: Logger;
}

/** What an agent is told about devices. */
export interface DeviceOptions {
  /** Absent: those that containerd reads, or else CDI's own. */
  readonly cdiSpecDirs?: readonly string[];
  /** Name in PATH, or path, of nvidia-smi. */
  readonly nvidiaSmi: string;
  /** /proc/driver/nvidia */
  readonly driverDirectory: string;
  /** /dev */
  readonly devDirectory: string;
  /** /dev/kmsg */
  readonly kernelLog: string;
  /** How often devices are looked at, in milliseconds. */
  readonly checkPeriodMs: number;
  /** What becomes of an in-place restart with an unhealthy device. */
  readonly unhealthy: 'restart' | 'wait';
}

export const defaultDeviceOptions: DeviceOptions = {
  nvidiaSmi: 'nvidia-smi',
  driverDirectory: '/proc/driver/nvidia',
  devDirectory: '/dev',
  kernelLog: '/dev/kmsg',
  checkPeriodMs: 30_000,
  unhealthy: 'restart',
};

/** A living agent. Disposing of it leaves the containers running. */
export interface RunningAgent extends AsyncDisposable {
  readonly backend: Agent;
  /** Rejects when the agent cannot go on: it has to be started again. Never resolves. */
  readonly failed: Promise<never>;
}

/** Throws ContainerdUnreachable, or DataDirBusy when another agent has the data directory. */
export async function startAgent(
  options: AgentOptions,
  signal: AbortSignal,
): Promise<RunningAgent> {
  await using stack = new AsyncDisposableStack();
  const { refused } = comeFirst();
  if (refused !== undefined) options.log.debug({ err: refused }, 'runs at the usual priority');
  makeDataDir(options.dataDir);
  stack.use(await lockFolder(options.dataDir));
  const containerd = stack.use(connectContainerd(options.containerd));
  const cri = criOver(containerd);
  const { runtimeName, runtimeVersion } = await greet(cri, signal);
  options.log.info({ socket: containerd.socketPath }, `found ${runtimeName} ${runtimeVersion}`);

  const means = await provideMeans(options, containerd, cri, signal);
  const agent = new Agent({
    means,
    settings: {
      inPlaceBackoffMaxMs: options.inPlaceBackoffMs,
      containerBackoffMaxMs: options.maxContainerRestartMs,
      standbys: options.standbys,
      unhealthyDevices: (options.devices ?? defaultDeviceOptions).unhealthy,
    },
    allowedUnsafeSysctls: options.allowedUnsafeSysctls ?? [],
    log: options.log,
    only: options.only,
  });
  const stop = new AbortController();
  const connected = Promise.withResolvers<undefined>();
  const failed = Promise.withResolvers<never>();
  // It is for whoever wants to know; until the agent is there, that is the line below.
  failed.promise.catch(() => undefined);
  const following = followEvents(
    agent,
    containerd,
    () => connected.resolve(undefined),
    stop.signal,
  ).catch(failed.reject);
  stack.defer(async () => {
    await agent.close();
    stop.abort();
    await following;
  });
  await unlessAborted(Promise.race([connected.promise, failed.promise]), signal);

  const watching = new AbortController();
  const watched = await watchDevices(
    {
      ...means.devices,
      cdiSpecDirs: means.devices.keeper.cdiSpecDirs,
      kernelLog: (options.devices ?? defaultDeviceOptions).kernelLog,
      periodMs: (options.devices ?? defaultDeviceOptions).checkPeriodMs,
      log: options.log,
    },
    AbortSignal.any([signal, watching.signal]),
  );
  stack.defer(async () => {
    watching.abort();
    await watched.ended;
  });
  const leftovers = resumePods(agent, means, options);
  const ended = endCommands(leftCommands(options.dataDir), means.processes, (err) => {
    options.log.warn({ err }, 'a command of an agent that was killed could not be ended');
  });
  stack.defer(() => ended);
  const removing = new AbortController();
  const removed = removeLeftovers(leftovers, AbortSignal.any([signal, removing.signal]));
  stack.defer(async () => {
    removing.abort();
    await removed;
  });
  const life = stack.move();
  return {
    backend: agent,
    failed: failed.promise,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

function makeDataDir(dataDir: string): void {
  try {
    makeFolders(path.resolve(dataDir));
  } catch (error) {
    throw new RepriseError(`the data directory cannot be made: ${messageOf(error)}`, {
      where: dataDir,
      next: 'choose another --data-dir',
      cause: error,
    });
  }
}

/**
 * Like mkdir with `recursive`, which in Node.js never ends where the kernel lets nobody make a folder
 * and says that there is none (/proc).
 */
function makeFolders(folder: string): void {
  const isThere = (): boolean =>
    fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere()) return;
  makeFolders(path.dirname(folder));
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another agent that starts just now may have been faster.
    if (!isThere()) throw error;
  }
}

/** A daemon that takes connections and then is silent is as good as none. */
async function greet(cri: Cri, signal: AbortSignal): ReturnType<Cri['version']> {
  try {
    return await cri.version(signal);
  } catch (error) {
    if (!isCallError(error, 'deadline')) throw error;
    throw new ContainerdUnreachable('busy', cri.socketPath, error);
  }
}

async function provideMeans(
  options: AgentOptions,
  containerd: Containerd,
  cri: Cri,
  signal: AbortSignal,
): Promise<Means> {
  const hierarchy = findHierarchy();
  const current = new CurrentNode(
    readNodeFacts({
      name: options.nodeName,
      agentId: agentIdOf(options.dataDir),
      dataDir: options.dataDir,
      clusterDomain: options.clusterDomain,
      features: await findFeatures(cri, signal),
      hierarchy,
    }),
  );
  const { dataDir, podLogDir, cgroupRoot, podPidsLimit, log } = options;
  const cgroupDriver = await findCgroupDriver(cri, signal);
  const { facts: node } = current;
  const lending = { dataDir, podLogDir, cgroupRoot, cgroupDriver, podPidsLimit, node };
  return {
    cri,
    get node() {
      return current.facts;
    },
    lookForAddresses: () => current.lookAgain(),
    resolver: () => readResolver(options.resolvConf).config,
    hierarchy,
    lending,
    qosShares: new QosShares(lending, hierarchy, {
      report: (err) => log.warn({ err }, 'a QoS class does not have its share of the processors'),
    }),
    store: new PodStore(dataDir, (err) => {
      log.error({ err }, 'what is remembered of a pod could not be brought to the disk');
    }),
    checkHealth: healthChecker(),
    stopWithSignal: stopperBySignal(containerd, cri),
    processes: processesOf(containerd),
    objects: new ObjectStore(dataDir),
    devices: await provideDevices(options, cri, signal),
    pulledImages: new PulledImages(dataDir),
    pulls: new SharedPulls(),
    countDownloads: () => countDownloads(containerd),
    outOfMemory: new OutOfMemory(),
    cleanup: new DeferredCleanup(options.deferredCleanup ? holdOutput : () => undefined),
    ...steadyClock(),
  };
}

async function provideDevices(
  { dataDir, devices = defaultDeviceOptions, log }: AgentOptions,
  cri: Cri,
  signal: AbortSignal,
): Promise<DeviceMeans> {
  const ways = await findDeviceWays(cri, signal);
  const { driverDirectory, devDirectory } = devices;
  const cdiSpecDirs = devices.cdiSpecDirs ?? ways.cdiSpecDirs ?? defaultSpecDirs;
  const gpus = new GpuReader(driverDirectory);
  const keeper = new DeviceKeeper({
    roots: { cdiSpecDirs, driverDirectory, devDirectory },
    ways,
    claims: new ClaimStore(dataDir),
    gpus,
    log,
  });
  await keeper.askDriver();
  if (gpus.isSilent)
    log.error('the NVIDIA driver does not answer: there are no GPUs until it does');
  return { keeper, smi: new NvidiaSmi(devices.nvidiaSmi), madeWith: new Map() };
}

/** Ends with the signal only; throws when it cannot go on. */
async function followEvents(
  agent: Agent,
  containerd: Containerd,
  onConnected: () => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const event of runtimeEvents(containerd, signal)) {
      agent.took(event);
      if (event.kind === 'connected') onConnected();
    }
  } catch (error) {
    throw new RepriseError(`the events of containerd cannot be followed: ${messageOf(error)}`, {
      where: containerd.socketPath,
      next: 'start the agent again; its pods run on, and it takes them up',
      cause: error,
    });
  }
}

/** Takes up the pods there are; answers with what there is besides. */
function resumePods(agent: Agent, means: Means, { only, log }: AgentOptions): LeftoverParts {
  const { pods, faults, unreadable, leftOver } = means.store.load();
  for (const fault of [...means.objects.load(), ...means.pulledImages.load(), ...faults])
    log.error({ err: fault }, fault.message);
  const known = new Set([...pods.map(({ pod }) => pod.metadata.uid), ...unreadable]);
  const isServed = (pod: Pod): boolean =>
    only === undefined || podKey(pod) === podKey({ metadata: only });
  // Before any of them is taken up: what one has must not be given to another.
  means.devices.keeper.load(
    pods.map(({ pod }) => pod),
    isServed,
    unreadable,
  );
  for (const { pod, memory, objects, trouble } of pods) {
    if (!isServed(pod)) continue;
    if (trouble !== undefined) log.error({ err: trouble, pod: podKey(pod) }, trouble.message);
    log.info({ pod: podKey(pod), generation: memory.generation }, 'taking up a pod');
    agent.resume(pod, memory, objects);
  }
  return {
    means,
    folders: leftOver,
    isKnown: (uid) => known.has(uid) || agent.hasUid(uid),
    reserve: (uid) => agent.reserve(uid),
    log,
  };
}

/** Made once for a data directory: two agents on one containerd never touch each other's pods. */
function agentIdOf(dataDir: string): string {
  const file = path.join(dataDir, 'agent-id');
  try {
    const known = fs.readFileSync(file, 'utf8').trim();
    if (known !== '') return known;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const id = randomUUID();
  // With another one it would not know its own pods after a power cut.
  fs.writeFileSync(file, `${id}\n`, { mode: 0o600, flush: true });
  return id;
}
