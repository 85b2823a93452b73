/**
 * Shows one in-place restart on real containerd, and that it leaves nothing behind.
 *
 * All of it happens below one temporary folder. However it ends, also by Ctrl-C at any moment,
 * everything is taken away again. Read next: pod-facts.ts and task-record.ts, the two observers.
 */
import { mkdtemp } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { connectAgent } from '../src/api/client.ts';
import { RepriseError } from '../src/errors.ts';
import { findLeftovers } from './leftovers.ts';
import { takeFacts, type PodFacts, type Viewpoint } from './pod-facts.ts';
import { startContainerd, stopContainerd, type PrivateContainerd } from './containerd.ts';
import { recordTasks, type TaskEvent } from './task-record.ts';
import { tellError } from './tell-error.ts';

const root = dirname(import.meta.dirname);

const POD = 'ml-worker';
const VIEWPOINT: Viewpoint = {
  container: 'main-application',
  volume: '/shared',
  file: 'runs',
  device: '/dev/accel0',
};

/** Somebody asked for the end. */
class Interrupted extends RepriseError {
  /** As a shell reports a program that died of the signal. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

async function main(): Promise<number> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      interrupt.abort(new Interrupted(name));
    });
  }
  const dir = await mkdtemp('/var/tmp/reprise-demo-');
  try {
    await demonstrate(dir, interrupt.signal);
    return await cleanUp(dir);
  } catch (error) {
    const reason: unknown = interrupt.signal.aborted ? interrupt.signal.reason : error;
    tellError(reason);
    await cleanUp(dir);
    return reason instanceof Interrupted ? reason.exitCode : 1;
  }
}

async function demonstrate(dir: string, signal: AbortSignal): Promise<void> {
  say(`Starting a private containerd in ${dir}`);
  // The demonstration needs no other machine, and so changes nothing of how this one forwards.
  const containerd = await startContainerd(dir, { outbound: false, signal });
  await using record = recordTasks(containerd);

  say('Running examples/ml-worker.yaml with bin/reprise run');
  const { before, after } = await runPod(containerd, signal);

  say('What the restart kept, and what it made anew');
  compare(before, after);
  say('How long it took, by the times of containerd');
  tellSteps(record.events, before, after);
}

/** Runs the pod to its end, looking at it before and after its restart. */
async function runPod(
  containerd: PrivateContainerd,
  signal: AbortSignal,
): Promise<{ before: PodFacts; after: PodFacts }> {
  const socket = join(containerd.dir, 'reprise.sock');
  const run = execa(
    join(root, 'bin', 'reprise'),
    [
      ...['run', '-f', join(root, 'examples', 'ml-worker.yaml')],
      ...['--containerd', containerd.socket, '--socket', socket],
      ...['--data-dir', join(containerd.dir, 'data')],
      ...['--pod-log-dir', join(containerd.dir, 'logs')],
      ...['--cgroup-root', containerd.cgroupRoot, '--node-name', 'demo'],
    ],
    { stdin: 'ignore', stdout: 'inherit', stderr: 'inherit', detached: true, reject: false },
  );
  const ended = new AbortController();
  const result = run.finally(() => {
    ended.abort();
  });
  try {
    const facts = await watchRestart(containerd, socket, AbortSignal.any([signal, ended.signal]));
    const { exitCode, shortMessage } = await Promise.race([result, untilAborted(signal)]);
    if (exitCode === 0 && facts.before && facts.after) {
      return { before: facts.before, after: facts.after };
    }
    throw new RepriseError(
      exitCode === 0
        ? 'the pod ended without a restart in place'
        : `the pod did not succeed: ${shortMessage}`,
      { where: 'examples/ml-worker.yaml', next: 'read the lines above' },
    );
  } finally {
    // The first asks for a graceful end, the second for an immediate one.
    for (const [kill, withinMs] of [
      ['SIGTERM', 5000],
      ['SIGTERM', 3000],
      ['SIGKILL', 3000],
    ] as const) {
      if (ended.signal.aborted) break;
      run.kill(kill);
      await Promise.race([result, sleep(withinMs, undefined, { ref: false })]);
    }
  }
}

/** Follows the pod until its end, and takes the facts in both of its lives. */
async function watchRestart(
  containerd: PrivateContainerd,
  socket: string,
  signal: AbortSignal,
): Promise<{ before?: PodFacts; after?: PodFacts }> {
  const facts: { before?: PodFacts; after?: PodFacts } = {};
  try {
    for await (const { object } of await untilServed(
      () => connectAgent(socket).watchPods({ namespace: 'default', name: POD }, signal),
      signal,
    )) {
      const main = object.status.containerStatuses?.find(
        ({ name }) => name === VIEWPOINT.container,
      );
      if (!main?.state.running) continue;
      if (main.restartCount === 0) facts.before ??= await takeFacts(containerd, object, VIEWPOINT);
      else facts.after ??= await takeFacts(containerd, object, VIEWPOINT);
    }
  } catch (error) {
    // The watch ends with the agent. Whether that was in order, the agent's exit code tells.
    if (!signal.aborted && facts.after === undefined) throw error;
  }
  return facts;
}

/** The agent takes a moment until it listens. */
async function untilServed<Result>(
  attempt: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await sleep(50, undefined, { signal });
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

// --- Telling -------------------------------------------------------------------------------------

type Lasting = keyof PodFacts['lasting'];

const LASTING: readonly (readonly [key: Lasting, title: string])[] = [
  ['uid', 'UID'],
  ['sandbox', 'sandbox'],
  ['address', 'IP address'],
  ['networkNamespace', 'network namespace'],
  ['cgroup', 'cgroup of the pod'],
  ['volume', 'emptyDir'],
  ['content', 'its content'],
  ['device', 'device node'],
];

function compare(before: PodFacts, after: PodFacts): void {
  for (const [key, title] of LASTING) {
    const [was, is] = [before.lasting[key], after.lasting[key]];
    console.log(`  ${was === is ? 'same' : 'LOST'}  ${title.padEnd(18)} ${was}`);
    if (was !== is) console.log(`        ${''.padEnd(18)} ${is}`);
  }
  for (const { name, id, restartCount } of before.containers) {
    const now = after.containers.find((container) => container.name === name);
    const ids = `${id.slice(0, 13)} -> ${now?.id.slice(0, 13) ?? 'none'}`;
    const counts = `${restartCount} -> ${now?.restartCount ?? 'none'}`;
    console.log(`  new   ${name.padEnd(18)} ${ids}   restarts ${counts}`);
  }
  if (LASTING.some(([key]) => before.lasting[key] !== after.lasting[key])) {
    throw new RepriseError('the restart did not keep what it has to keep');
  }
}

/** From the exit that asked for the restart to the start of the main application. */
function tellSteps(events: readonly TaskEvent[], before: PodFacts, after: PodFacts): void {
  const names = new Map(
    [...before.containers, ...after.containers].map(({ id, name }) => [id, name]),
  );
  const trigger = events.find(({ exitCode }) => exitCode === 88);
  const end = events.findLast(
    ({ kind, containerId }) => kind === 'start' && names.get(containerId) === VIEWPOINT.container,
  );
  if (!trigger || !end) throw new RepriseError('containerd told nothing of the restart');
  for (const { kind, containerId, at, exitCode } of events) {
    if (at < trigger.at || at > end.at) continue;
    const what = kind === 'start' ? 'starts' : `exits with ${exitCode}`;
    console.log(
      `  ${`+${Math.round(at - trigger.at)} ms`.padStart(8)}  ${names.get(containerId)} ${what}`,
    );
  }
}

// --- Leaving -------------------------------------------------------------------------------------

async function cleanUp(dir: string): Promise<number> {
  say('Stopping everything and cleaning up');
  await stopContainerd(dir, { purge: true });
  const leftovers = await findLeftovers({ dir });
  for (const { kind, what } of leftovers) console.log(`  left behind: ${kind} ${what}`);
  if (leftovers.length > 0) return 1;
  console.log('  Nothing is left: no process, container, mount, network, cgroup or iptables rule.');
  return 0;
}

function say(text: string): void {
  console.log(`\n==> ${text}`);
}

process.exitCode = await main();
