/**
 * Starts a private containerd that outlives the process that started it.
 *
 * Starting one that runs already only waits until it is ready; one whose daemon died is started
 * anew around the containers that went on without it. Read next: config.ts, stop.ts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { RepriseError } from '../../src/errors.ts';
import { importImages } from '../images.ts';
import { claim } from './claim.ts';
import { containerdConfig, networkConfig } from './config.ts';
import type { Handlers, NetworkOptions } from './config.ts';
import { whatIsNotReady } from './cri.ts';
import { inspectHost, type HostFacts } from './host.ts';
import { instanceAt, type Instance } from './instance.ts';
import { makeBridge } from './network.ts';
import { findProcesses } from './processes.ts';
import { stopContainerd } from './stop.ts';

/** A private containerd that runs; `await using` stops it and deletes its folder. */
export interface PrivateContainerd extends Instance, AsyncDisposable {
  readonly version: string;
  readonly pid: number;
  /** True if containers must be given systemd slices as cgroup parents. */
  readonly systemdCgroup: boolean;
  /** containerd's own client with its first arguments, for what runs on beside us. */
  readonly ctrCommand: readonly [program: string, ...args: string[]];
  /** Runs containerd's own client in the namespace of CRI, and returns what it prints. */
  readonly ctr: (...args: string[]) => Promise<string>;
}

/** How to start it. */
export interface StartOptions {
  /** A folder with another containerd, its shim and ctr; CONTAINERD_BIN_DIR if not given. */
  readonly binDir?: string;
  /**
   * Whether pods reach other machines. It needs IP forwarding, which is switched on for the whole
   * machine and stays on. Default: true.
   */
  readonly outbound?: boolean;
  /** Whether pods have an IPv6 address, too. Default: false. */
  readonly dualStack?: boolean;
  /** Runtime handlers beside runc: what programs they are. */
  readonly handlers?: Handlers;
  readonly signal?: AbortSignal;
}

const READY_MS = 180_000;

/** Starts the instance of this folder, unless it runs, waits until it can run pods, and
 * gives it the local images. */
export async function startContainerd(
  folder: string,
  { binDir, outbound = true, dualStack, handlers, signal }: StartOptions = {},
): Promise<PrivateContainerd> {
  await mkdir(instanceAt(folder).dir, { recursive: true, mode: 0o711 });
  const instance = instanceAt(folder);
  await claim(instance);
  const host = await inspectHost(instance.dir, binDir);
  const runs = (await findDaemon(instance)) !== undefined;
  const daemon = runs ? undefined : await launch(instance, host, { outbound, dualStack }, handlers);
  try {
    await untilReady(instance, daemon, signal);
  } catch (error) {
    if (daemon) await stopContainerd(folder);
    throw error;
  }
  const containerd = await describe(instance, host);
  await importImages(containerd); // Without the pause image no sandbox starts.
  return containerd;
}

async function launch(
  instance: Instance,
  host: HostFacts,
  network: Omit<NetworkOptions, 'subnet'>,
  handlers: Handlers | undefined,
): Promise<ChildProcess> {
  // First: it marks the folder as ours, and only what is marked is ever cleaned.
  await writeFile(instance.configFile, containerdConfig(instance, host, handlers));
  const subnet = await makeBridge(instance);
  await mkdir(instance.cniConfDir, { recursive: true });
  await mkdir(instance.cdiDir, { recursive: true });
  await writeFile(
    join(instance.cniConfDir, '10-reprise.conflist'),
    networkConfig(instance, host, { ...network, subnet }),
  );
  // A socket that a killed daemon left would make the wait for the new one fail early.
  await rm(instance.socket, { force: true });

  const log = await open(instance.logFile, 'a');
  try {
    const daemon = spawn(host.containerd, ['--config', instance.configFile], {
      cwd: '/',
      env: { PATH: host.path, LANG: 'C.UTF-8' },
      stdio: ['ignore', log.fd, log.fd],
      // A session of its own: neither our end nor Ctrl-C in this terminal reaches it.
      detached: true,
    });
    await once(daemon, 'spawn');
    daemon.unref();
    return daemon;
  } finally {
    await log.close();
  }
}

async function untilReady(
  instance: Instance,
  daemon: ChildProcess | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const problem = await whatIsNotReady(instance.socket);
    if (problem === undefined) return;
    const ended = daemon && (daemon.exitCode ?? daemon.signalCode) !== null;
    if (ended || Date.now() > deadline) {
      throw new RepriseError(
        `${ended ? 'containerd ended' : 'containerd does not become ready'}: ${problem}\n${await logTail(instance)}`,
        { where: instance.logFile, next: 'the lines above, from its log, say why' },
      );
    }
    await sleep(50, undefined, { signal });
  }
}

async function logTail({ logFile }: Instance): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-12);
  return lines.map((line) => `  | ${line}`).join('\n');
}

async function findDaemon(instance: Instance): Promise<number | undefined> {
  return (await findProcesses(instance)).find(({ role }) => role === 'daemon')?.pid;
}

async function describe(instance: Instance, host: HostFacts): Promise<PrivateContainerd> {
  const pid = await findDaemon(instance);
  if (pid === undefined) {
    throw new RepriseError('containerd answered and is gone again', { where: instance.logFile });
  }
  const ctrCommand = [host.ctr, '-a', instance.socket, '-n', 'k8s.io'] as const;
  return {
    ...instance,
    version: host.version,
    pid,
    systemdCgroup: host.systemdCgroup,
    ctrCommand,
    ctr: async (...args) => {
      const [program, ...first] = ctrCommand;
      const run = await execa(program, [...first, ...args], {
        env: { PATH: host.path, CONTAINERD_SNAPSHOTTER: host.snapshotter },
      });
      return run.stdout;
    },
    [Symbol.asyncDispose]: () => stopContainerd(instance.dir, { purge: true }),
  };
}
