/**
 * A node of its own for a test file: a private containerd, folders, a socket and a cgroup root that
 * nobody else uses, and the command line to drive it. Disposing of it removes everything, and fails
 * if anything is left.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Options, ResultPromise } from 'execa';
import { findLeftovers } from '../scripts/leftovers.ts';
import { findCgroups } from '../scripts/private-containerd/cgroups.ts';
import { unmountAll } from '../scripts/private-containerd/mounts.ts';
import { listFolder } from '../scripts/private-containerd/folder.ts';
import { findProcesses } from '../scripts/private-containerd/processes.ts';
import type { PrivateContainerd, StartOptions } from '../scripts/private-containerd/start.ts';
import { startContainerd } from '../scripts/private-containerd/start.ts';
import { AgentUnreachable, connectAgent } from '../src/api/client.ts';
import type { Client } from '../src/api/client.ts';
import type { V1ContainerStatus, V1Pod } from '../src/pod/pod-status.ts';
import type { ManifestOf } from './manifests.ts';
import { blink, PATIENCE_MS, timeScale } from './pace.ts';

/** The command of this checkout. */
export const program = fileURLToPath(new URL('../bin/reprise', import.meta.url));

/** How long an answer may take. */
export function patience(ms = PATIENCE_MS): AbortSignal {
  return AbortSignal.timeout(ms * timeScale);
}

type Run = ResultPromise<{ reject: false; all: true }>;

/** A pod's states, one after another. */
export interface Watch {
  /** All of them, once one like this was among them. */
  readonly until: (holds: (pod: V1Pod) => boolean) => Promise<readonly V1Pod[]>;
}

/** A place on a node for one more agent; it ends with its node. */
export type Place = Omit<TestNode, typeof Symbol.asyncDispose>;

export class TestNode {
  readonly dir: string;
  readonly containerd: PrivateContainerd;
  readonly dataDir: string;
  readonly socket: string;
  readonly podLogDir: string;
  readonly cgroupRoot: string;
  readonly #runs = new Set<Run>();
  readonly #guests: TestNode[] = [];
  #manifests = 0;

  constructor(
    dir: string,
    containerd: PrivateContainerd,
    // Below the one that is removed with the containerd.
    cgroupRoot = containerd.cgroupRoot,
  ) {
    this.dir = dir;
    this.containerd = containerd;
    this.dataDir = path.join(dir, 'data');
    this.socket = path.join(dir, 'reprise.sock');
    this.podLogDir = path.join(dir, 'logs');
    this.cgroupRoot = cgroupRoot;
  }

  /** Folders, a socket and a cgroup root for another agent on the same containerd. */
  async beside(name: string): Promise<Place> {
    const dir = path.join(this.dir, name);
    await fs.mkdir(dir);
    const guest = new TestNode(dir, this.containerd, `${this.cgroupRoot}/${name}`);
    this.#guests.push(guest);
    return guest;
  }

  /** The environment that points every command at this node. */
  get env(): Record<string, string> {
    return {
      CONTAINERD_ADDRESS: this.containerd.socket,
      REPRISE_DATA_DIR: this.dataDir,
      REPRISE_SOCKET: this.socket,
      REPRISE_POD_LOG_DIR: this.podLogDir,
      REPRISE_CGROUP_ROOT: this.cgroupRoot,
      REPRISE_NODE_NAME: 'test-node',
    };
  }

  /** Runs the command line to its end, or until somebody ends it. */
  reprise(args: readonly string[], options: Options = {}): Run {
    const run = execa(program, args, {
      env: this.env,
      reject: false,
      all: true,
      // Who is told to end is waited for: how long it takes says nothing on a busy machine.
      forceKillAfterDelay: false,
      ...options,
    }) as Run;
    this.#runs.add(run);
    void run.finally(() => this.#runs.delete(run));
    return run;
  }

  /** What a command prints; fails the test if it fails. */
  async ok(...args: readonly string[]): Promise<string> {
    const { exitCode, all } = await this.reprise(args);
    if (exitCode !== 0)
      throw new Error(`reprise ${args.join(' ')} exited ${String(exitCode)}:\n${all}`);
    return all;
  }

  /** Writes a manifest down; returns its file. */
  async manifest(content: ManifestOf | string): Promise<string> {
    const file = path.join(this.dir, `manifest-${this.#manifests++}.yaml`);
    await fs.writeFile(
      file,
      typeof content === 'string' ? content : JSON.stringify(content, null, 1),
    );
    return file;
  }

  /** Starts `reprise agent` and waits until it answers. */
  async agent(...args: readonly string[]): Promise<{ readonly run: Run }> {
    const agent = this.reprise(['agent', ...args]);
    let late = '';
    const ends = agent.then(({ all }) =>
      Promise.reject(new Error(`${late}the agent ended:\n${all}`)),
    );
    const answers = until('the agent answers', async () => await this.#answers()).catch(
      (error: unknown) => {
        // What it has to say is told at its end.
        late = `${String(error)}; `;
        agent.kill('SIGKILL');
        return ends;
      },
    );
    await Promise.race([answers, ends]);
    ends.catch(() => undefined);
    // Wrapped: a bare one is a promise, and awaiting it would wait for its end.
    return { run: agent };
  }

  get #client(): Client {
    return connectAgent(this.socket);
  }

  async #answers(): Promise<boolean> {
    try {
      await this.#client.version(patience());
      return true;
    } catch (error) {
      if (error instanceof AgentUnreachable) return false;
      throw error;
    }
  }

  /**
   * Runs a pod. Asked for without the command line: hundreds of processes that do next to nothing
   * else would take most of the time of all tests. What people have written goes through it.
   */
  async apply(manifest: ManifestOf | string): Promise<void> {
    if (typeof manifest === 'string') await this.ok('apply', '-f', await this.manifest(manifest));
    else await this.#client.createPod('default', JSON.stringify(manifest), patience());
  }

  async pod(name: string): Promise<V1Pod> {
    return await this.#client.getPod('default', name, patience());
  }

  /** Follows a pod as `reprise get -w` shows it; resolves when it has begun to. */
  async watch(name: string): Promise<Watch> {
    const run = this.reprise(['get', 'pod', name, '-w', '-o', 'json'], { buffer: false });
    const lines: AsyncIterator<string, unknown> = run.iterable();
    const seen: V1Pod[] = [];
    const next = async (): Promise<boolean> => {
      const { value, done } = await lines.next();
      if (done !== true) seen.push(JSON.parse(value) as V1Pod);
      return done !== true;
    };
    await next();
    return {
      async until(holds) {
        while (!seen.some(holds)) if (!(await next())) throw new Error('the watch has ended');
        run.kill('SIGINT');
        while (await next());
        return seen;
      },
    };
  }

  /** Waits until the pod is as described, however short that lasts, and returns it as it was then. */
  async podThat(name: string, is: string, holds: (pod: V1Pod) => boolean): Promise<V1Pod> {
    const over = patience();
    let last: V1Pod | undefined;
    try {
      const query = { namespace: 'default', name };
      for await (const { object } of await this.#client.watchPods(query, over)) {
        last = object;
        if (holds(object)) return object;
      }
    } catch (error) {
      if (!over.aborted) throw error;
    }
    throw new Error(
      [
        `waited in vain until pod ${name} ${is}`,
        `last seen: ${last === undefined ? 'nothing' : inShort(last)}`,
        // Another one than the last that was seen: the watch has kept something back.
        `asked now: ${await this.pod(name).then(inShort, String)}`,
        ...(await this.events(name)).slice(-12),
      ].join('\n'),
    );
  }

  /** The folder of a pod's emptyDir on the host. */
  volume(pod: V1Pod, name = 'shared'): string {
    const { uid } = pod.metadata;
    return path.join(this.dataDir, 'pods', uid, 'volumes', 'kubernetes.io~empty-dir', name);
  }

  /** What the pod's containers have told, once that is as many lines: a process starts before it speaks. */
  async story(pod: V1Pod, lines = 0): Promise<string[]> {
    const file = path.join(this.volume(pod), 'story');
    return await until(`the story has ${lines} lines`, async () => {
      const told = (await readIfThere(file)).split('\n').filter(Boolean);
      return told.length >= lines && told;
    });
  }

  /** Puts a file into the pod's shared volume, whole from the first moment on. */
  async put(of: V1Pod, name: string, content = ''): Promise<void> {
    const file = path.join(this.volume(of), name);
    await fs.writeFile(`${file}.new`, content);
    await fs.rename(`${file}.new`, file);
  }

  /** Tells an obedient container to end with that code. */
  async tell(of: V1Pod, container: string, code: number): Promise<void> {
    await this.put(of, `exit-${container}`, String(code));
  }

  /** The pod once it is ready in that generation. */
  async ready(name: string, generation = 0): Promise<V1Pod> {
    return await this.podThat(name, `is ready in generation ${generation}`, readyIn(generation));
  }

  /** Deletes pods and waits until they are gone. */
  async removed(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#remove(name)));
  }

  async #remove(name: string): Promise<void> {
    const over = patience();
    // Begun before the request, so that the end cannot be missed.
    const changes = await this.#client.watchPods({ namespace: 'default', name }, over);
    await this.#client.deletePod('default', name, { force: false }, over);
    for await (const { type } of changes) if (type === 'DELETED') return;
    throw new Error(`waited in vain until pod ${name} is gone`);
  }

  /** What has been told of a pod, oldest first, as `Normal Pulled: ...`. */
  async events(name: string): Promise<readonly string[]> {
    const query = { namespace: 'default', name };
    const events = await this.#client.listEvents(query, patience());
    return events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
  }

  /** Host pid of a container's first process; undefined if none runs. */
  async pidOf(pod: V1Pod, container: string): Promise<number | undefined> {
    const id = statusOf(pod, container).containerID?.replace('containerd://', '');
    const row = await until('containerd knows the states of its tasks', async () => {
      const rows = (await this.containerd.ctr('tasks', 'ls')).split('\n');
      const found = rows.map((line) => line.split(/\s+/)).find(([task]) => task === id) ?? [];
      // Said of a task whose shim has not answered containerd within two seconds.
      return found[2] !== 'UNKNOWN' && found;
    });
    return row[2] === 'RUNNING' ? Number(row[1]) : undefined;
  }

  /** Ids of the containers and sandboxes that have these labels, asked of containerd itself. */
  async containers(labels: Readonly<Record<string, string>>): Promise<string[]> {
    const filters = Object.entries(labels).map(([name, value]) => `labels."${name}"==${value}`);
    const ids = await this.containerd.ctr('containers', 'ls', '-q', filters.join(','));
    return ids.split('\n').filter(Boolean);
  }

  /** Everything on this machine that pods of this place have; nothing once they are gone. */
  async traces(): Promise<string[]> {
    const agentId = (await readIfThere(path.join(this.dataDir, 'agent-id'))).trim();
    const containers =
      agentId === '' ? [] : await this.containers({ 'reprise.dev/agent': agentId });
    const folders = [path.join(this.dataDir, 'pods'), this.podLogDir];
    const cgroups = await findCgroups({ cgroupRoot: this.cgroupRoot }, new Set());
    // systemd makes slices for pods of each class, and keeps those.
    const isOfPod = (cgroup: string): boolean =>
      !this.containerd.systemdCgroup || /-pod[^/]+\.slice/.test(cgroup);
    return [
      ...containers,
      ...(await Promise.all(folders.map(listFolder))).flat(),
      ...cgroups.filter(isOfPod),
    ];
  }

  async #endRuns(): Promise<void> {
    for (const run of this.#runs) run.kill('SIGKILL');
    await Promise.all(this.#runs);
    for (const guest of this.#guests) await guest.#endRuns();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endRuns();
    // Nobody can be asked if a test has failed while containerd was dead; that failure is what counts.
    const runs = (await findProcesses(this.containerd)).some(({ role }) => role === 'daemon');
    const listed = runs ? await this.containerd.ctr('containers', 'ls', '-q') : '';
    const ids = listed.split('\n').filter(Boolean);
    await this.containerd[Symbol.asyncDispose]();
    // Pods that were not deleted keep their volumes.
    await unmountAll(this.dir);
    await fs.rm(this.dir, { recursive: true, force: true });
    const leftovers = await findLeftovers({ dir: this.containerd.dir, ids });
    if (leftovers.length > 0) throw new Error(`left behind: ${JSON.stringify(leftovers)}`);
  }
}

/** Starts a node; `await using` it, or dispose of it in `test.after.always`. */
export async function startNode(
  options: Pick<StartOptions, 'handlers' | 'dualStack'> = {},
): Promise<TestNode> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-e2e-'));
  // The root of a pod with users of its own is nobody on the node, and has to get to its own files.
  await fs.chmod(dir, 0o711);
  const containerd = await startContainerd(path.join(dir, 'containerd'), {
    ...options,
    outbound: false,
  });
  return new TestNode(dir, containerd);
}

/** Looks again and again until something holds; throws when that takes too long. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  withinMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + withinMs * timeScale;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(blink * 1000);
  }
}

async function readIfThere(file: string): Promise<string> {
  return await fs.readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return '';
  });
}

export function statusOf({ status }: V1Pod, container: string): V1ContainerStatus {
  const all = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const found = all.find(({ name }) => name === container);
  if (found === undefined) throw new Error(`the pod has no container ${container}`);
  return found;
}

/** What a pod is doing, in one line. */
function inShort(pod: V1Pod): string {
  const { initContainerStatuses = [], containerStatuses = [], phase } = pod.status;
  const containers = [...initContainerStatuses, ...containerStatuses].map(
    ({ name, restartCount, state }) => `${name} ${JSON.stringify(state)} after ${restartCount}`,
  );
  return `${phase} in generation ${generationOf(pod)}; ${containers.join('; ')}`;
}

/** `name:restartCount` of every container. */
export function countsOf({ status }: V1Pod): Record<string, number> {
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return Object.fromEntries(all.map(({ name, restartCount }) => [name, restartCount]));
}

export function generationOf({ metadata }: V1Pod): number {
  return Number(metadata.annotations?.['reprise.dev/generation'] ?? '0');
}

export function isReady({ status }: V1Pod): boolean {
  return status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

export function readyIn(generation: number): (pod: V1Pod) => boolean {
  return (one) => isReady(one) && generationOf(one) === generation;
}
