/**
 * The benchmark from end to end: an agent of its own, pods for every contender, the rounds; and
 * whatever happens, everything is removed again.
 *
 * All of it shares one containerd with whoever else uses it; names, labels, cgroups and folders are
 * the benchmark's own. Read next: make-pods.ts, rounds.ts.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { startAgent } from '../agent/start.ts';
import { RepriseError, messageOf } from '../errors.ts';
import { readNodeFacts } from '../host/node-facts.ts';
import type { Logger } from '../log.ts';
import { findCgroupDriver } from '../runtime/cgroup-driver.ts';
import { findFeatures } from '../runtime/features.ts';
import { connectContainerd } from '../runtime/connect.ts';
import { criOver } from '../runtime/cri.ts';
import type { Cri } from '../runtime/cri.ts';
import { ensureImage } from '../runtime/images.ts';
import { ofAgent } from '../runtime/labels.ts';
import { CleanUp } from './clean-up.ts';
import type { Contender } from './contender.ts';
import { readHost } from './machine.ts';
import type { Machine } from './machine.ts';
import { makeInPlace, makeRaw } from './make-pods.ts';
import type { Site } from './make-pods.ts';
import { runRounds } from './rounds.ts';
import type { OnRound, RoundCounts, Sample } from './rounds.ts';
import { readRuntime } from './runtime-facts.ts';
import type { RuntimeFacts } from './runtime-facts.ts';
import type { Scenario } from './scenario.ts';

/** What to measure, and where. */
export interface BenchOptions extends RoundCounts {
  readonly scenario: Scenario;
  /** Path of containerd's socket. */
  readonly containerd: string;
  /** Folder in which a temporary one is made for everything. */
  readonly workDir: string;
  readonly cgroupRoot: string;
  /** Whether the agent creates containers ahead for the next restart. */
  readonly standbys: boolean;
  /** Whether it puts off what the runtime does about dead containers until a restart is over. */
  readonly deferredCleanup: boolean;
  /** Our own version. */
  readonly version: string;
  readonly log: Logger;
}

/** What came out of it, complete with what it was measured on. */
export interface BenchResult {
  /** RFC 3339. */
  readonly startedAt: string;
  readonly scenario: Scenario;
  /** Those that were run; `asked`: how many should have counted, when it was interrupted. */
  readonly rounds: RoundCounts & { readonly asked?: number };
  readonly standbys: boolean;
  readonly deferredCleanup: boolean;
  readonly machine: Machine;
  readonly samples: readonly Sample[];
}

/** Told while it goes on. */
export interface Progress {
  readonly onStep: (what: 'set up' | 'clean up') => void;
  readonly onRound: OnRound;
  /** Something could not be removed. */
  readonly onLeftover: (what: string) => void;
}

/**
 * Runs the benchmark; the signal ends it early, with what whole rounds have shown, if there were any.
 * Everything it made is removed in any case.
 */
export async function runBench(
  options: BenchOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<BenchResult> {
  const { scenario, standbys, deferredCleanup, warmUps, iterations } = options;
  const startedAt = new Date().toISOString();
  progress.onStep('set up');
  const folder = await makeFolder(options.workDir);
  const cleanUp = new CleanUp(progress.onLeftover);
  cleanUp.addTool(folder, () => rm(folder, { recursive: true, force: true }));
  try {
    const containerd = connectContainerd(options.containerd);
    cleanUp.addTool('the connection to containerd', () => {
      containerd[Symbol.dispose]();
      return Promise.resolve();
    });
    const cri = criOver(containerd);
    const host = await readHost({ folder, version: options.version });
    // An id that no agent has: nobody touches what carries it.
    const agentId = `bench-${randomUUID()}`;
    const contenders = await setUp(options, agentId, { scenario, folder, cri, cleanUp }, signal);
    const machine = { ...host, ...(await readRuntimeOf(agentId, cri, signal)) };
    const asked = { warmUps, iterations };
    const samples = await runRounds(contenders, asked, progress.onRound, signal);
    const run = samples.length / contenders.length;
    const rounds = run === iterations ? asked : { warmUps, iterations: run, asked: iterations };
    return { startedAt, scenario, rounds, standbys, deferredCleanup, machine, samples };
  } finally {
    progress.onStep('clean up');
    await cleanUp.run();
  }
}

async function setUp(
  options: BenchOptions,
  agentId: string,
  site: Site,
  signal: AbortSignal,
): Promise<readonly Contender[]> {
  const { scenario, folder, cri, cleanUp } = site;
  const { containerd, cgroupRoot, standbys, deferredCleanup, log } = options;
  // Before anything is made of it: an image that cannot be had is the likeliest failure.
  const image = await ensureImage(cri, scenario.image, { policy: 'IfNotPresent' }, signal);
  const podLogDir = path.join(folder, 'logs');
  const dataDir = path.join(folder, 'agent');
  const agent = await startAgent(
    {
      containerd,
      dataDir,
      podLogDir,
      cgroupRoot,
      nodeName: 'bench',
      inPlaceBackoffMs: 0,
      maxContainerRestartMs: 300_000,
      standbys,
      deferredCleanup,
      log,
    },
    signal,
  );
  cleanUp.addTool('the agent', async () => agent[Symbol.asyncDispose]());
  const node = readNodeFacts({
    name: 'bench',
    agentId,
    dataDir,
    features: await findFeatures(cri, signal),
  });
  const cgroupDriver = await findCgroupDriver(cri, signal);
  // The agent's folder: of two who keep notes of the cgroups they made, neither would remove all.
  const lending = { dataDir, podLogDir, cgroupRoot, cgroupDriver, node };
  return [
    await makeInPlace(site, { backend: agent.backend, cri, dataDir, standbys }),
    ...(await makeRaw(site, { cri, node, lending, image }, signal)),
  ];
}

/** By any container of ours: all are made in the same way. */
async function readRuntimeOf(
  agentId: string,
  cri: Cri,
  signal: AbortSignal,
): Promise<RuntimeFacts> {
  const [one] = await cri.listContainers({ labelSelector: ofAgent(agentId) }, signal);
  return readRuntime(cri, one?.id ?? '', signal);
}

async function makeFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(path.join(parent, 'reprise-bench-'));
  } catch (error) {
    throw new RepriseError(`cannot make a folder for the benchmark: ${messageOf(error)}`, {
      where: parent,
      next: 'name a folder on the disk that pods would be on with --work-dir, and run as root',
      cause: error,
    });
  }
}
