/**
 * Ends every process of some containers at once, and tells when none is left.
 *
 * Two promises. No process outside the named cgroups is touched: not the pause process, not an
 * ephemeral container. And no process is signalled by an id that may already belong to another one:
 * cgroup v2 kills without ids; on pure v1 ids are read and used only while their owners are frozen, and
 * what is frozen can neither fork nor exit. Where neither works the caller is told, and lets the
 * runtime do it. Only what is left of a pod in its end has no runtime that knows of it: killWholePod.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CgroupError,
  directProcessesIn,
  directoriesOf,
  findHierarchy,
  isEmpty,
  processDirectoryOf,
  processesIn,
  readOr,
  subtreeOf,
} from './cgroups.ts';
import type { Hierarchy } from './cgroups.ts';
import { isErrno } from './errno.ts';

/** What became of a kill. Dying takes a moment longer: see whenEmpty. */
export interface KillResult {
  /** How many processes were sent SIGKILL. */
  readonly killed: number;
  /** The processes of every cgroup of which all were sent it, as they were just before. */
  readonly caught: ReadonlyMap<string, readonly number[]>;
  /** Cgroups that do not exist: there is nothing to kill in them. */
  readonly missing: readonly string[];
  /** Cgroups with processes that were not reached; the runtime's own kill has to do it. */
  readonly leftovers: readonly { readonly cgroup: string; readonly reason: string }[];
}

/** A process that should be gone and is not. */
export interface Survivor {
  readonly cgroup: string;
  readonly pid: number;
  /** Its short name; empty if it went away while we looked. */
  readonly command: string;
}

interface Target {
  readonly cgroup: string;
  readonly exists: boolean;
  /** Where it can be frozen, on v1. */
  readonly directory: string;
  /** Where it can be killed as a whole, if anywhere. */
  readonly unified?: string;
  readonly pids: readonly number[];
}

/** Sends SIGKILL to every process of all these containers' cgroups, at once. */
export async function killContainers(
  cgroups: readonly string[],
  options: { readonly hierarchy?: Hierarchy; readonly freezeTimeoutMs?: number } = {},
): Promise<KillResult> {
  const { hierarchy = findHierarchy(), freezeTimeoutMs = 200 } = options;
  const found = cgroups.map((cgroup) => lookInto(cgroup, hierarchy));
  const reached: Target[] = [];
  const unreached: Target[] = [];
  const caught = new Map<string, readonly number[]>();
  let killed = 0;
  // Nothing is done between these kills: all containers go down together.
  for (const target of found) {
    if (killWhole(target)) reached.push(target);
    else if (target.pids.length > 0) unreached.push(target);
  }
  for (const { cgroup, directory, pids } of reached) {
    killed += pids.length;
    caught.set(cgroup, pids);
    // On v2 frozen processes die of it. In v1's freezer, where a paused container is, they do not.
    if (hierarchy.version === 1) thaw(directory);
  }
  const rest =
    hierarchy.version === 1
      ? await killFrozen(unreached, freezeTimeoutMs)
      : {
          killed: 0,
          caught: [],
          leftovers: unreached.map(({ cgroup }) => ({ cgroup, reason: tooOld })),
        };
  for (const { cgroup, pids } of rest.caught) caught.set(cgroup, pids);
  return {
    killed: killed + rest.killed,
    caught,
    missing: found.filter(({ exists }) => !exists).map(({ cgroup }) => cgroup),
    leftovers: rest.leftovers,
  };
}

/**
 * SIGKILL to those of these processes that are in a cgroup itself and not in one below it, which are not
 * touched. Only with cgroup v1: v2 has no processes beside the cgroups that containers are in.
 */
export async function killDirectly(
  cgroup: string,
  pids: ReadonlySet<number>,
  options: { readonly hierarchy?: Hierarchy; readonly freezeTimeoutMs?: number } = {},
): Promise<void> {
  const { hierarchy = findHierarchy(), freezeTimeoutMs = 200 } = options;
  if (hierarchy.version === 2) return;
  const target = lookInto(cgroup, hierarchy);
  try {
    setFreezer(target.directory, 'FROZEN');
    const frozen = await waitUntilFrozen([target], performance.now() + freezeTimeoutMs);
    if (!frozen.has(target)) return;
    for (const pid of directProcessesIn(target.directory)) if (pids.has(pid)) kill(pid);
  } finally {
    // What is below was not frozen by itself, so that it thaws with this one.
    setFreezer(target.directory, 'THAWED');
  }
}

/**
 * SIGKILL to everything in a pod's own cgroup and below it, when nothing of the pod may be left. A process
 * may have been moved to where it can neither be frozen nor killed as a part of the whole: into the
 * cgroup of some controllers of v1 only. Then its id is used in the moment in which it is read, as by the kubelet.
 */
export async function killWholePod(
  cgroup: string,
  options: { readonly hierarchy?: Hierarchy; readonly freezeTimeoutMs?: number } = {},
): Promise<void> {
  const { hierarchy = findHierarchy() } = options;
  const { caught } = await killContainers([cgroup], { ...options, hierarchy });
  const dying = new Set(caught.get(cgroup));
  for (const directory of directoriesOf(cgroup, hierarchy)) {
    const pids = processesIn(directory);
    assertNotOurs(cgroup, pids);
    for (const pid of pids) if (!dying.has(pid)) kill(pid);
  }
}

/** Waits until no process is left in any of these cgroups; answers with those left at the time-out. */
export async function whenEmpty(
  cgroups: readonly string[],
  signal: AbortSignal,
  timeoutMs: number,
  hierarchy: Hierarchy = findHierarchy(),
): Promise<readonly Survivor[]> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const over = AbortSignal.any([signal, timeout]);
  const wait = hierarchy.version === 2 ? waitForEvent : waitByLooking;
  await Promise.all(cgroups.map((cgroup) => wait(cgroup, hierarchy, over)));
  signal.throwIfAborted();
  return cgroups.flatMap((cgroup) => {
    const pids = processesIn(processDirectoryOf(cgroup, hierarchy));
    return pids.map((pid) => ({ cgroup, pid, command: readOr('', `/proc/${pid}/comm`).trim() }));
  });
}

const tooOld = 'this kernel cannot kill a cgroup as a whole (cgroup.kill, Linux 5.14)';

function lookInto(cgroup: string, hierarchy: Hierarchy): Target {
  const directory = processDirectoryOf(cgroup, hierarchy);
  const pids = processesIn(directory);
  assertNotOurs(cgroup, pids);
  const unified = unifiedDirectoryOf(cgroup, pids, hierarchy);
  return { cgroup, exists: fs.existsSync(directory), directory, unified, pids };
}

function assertNotOurs(cgroup: string, pids: readonly number[]): void {
  if (!pids.includes(process.pid)) return;
  throw new CgroupError('refusing to kill the cgroup that reprise itself runs in', {
    where: cgroup,
    next: 'run reprise outside the cgroups of its pods, or choose another --cgroup-root',
  });
}

/** The cgroup in the v2 tree, if its processes are in there. */
function unifiedDirectoryOf(
  cgroup: string,
  pids: readonly number[],
  hierarchy: Hierarchy,
): string | undefined {
  if (hierarchy.version === 2) return processDirectoryOf(cgroup, hierarchy);
  // A hybrid set-up has a v2 tree without controllers beside v1, and runc (1.1 on) joins it too.
  const { unified } = hierarchy.controllers;
  if (unified === undefined) return undefined;
  const directory = path.join(unified, cgroup);
  const there = new Set(processesIn(directory));
  return pids.every((pid) => there.has(pid)) ? directory : undefined;
}

// Freezing is no way out on older kernels with v2: there a frozen process still dies of a SIGKILL
// from elsewhere, so its id may be free again when we come to use it.
function killWhole({ unified, exists }: Target): boolean {
  if (unified === undefined || !exists) return false;
  try {
    fs.writeFileSync(path.join(unified, 'cgroup.kill'), '1', { flag: 'r+' });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return false;
    throw error;
  }
  return true;
}

async function killFrozen(
  targets: readonly Target[],
  timeoutMs: number,
): Promise<Pick<KillResult, 'killed' | 'leftovers'> & { readonly caught: readonly Target[] }> {
  let killed = 0;
  const caught: Target[] = [];
  const leftovers = [];
  try {
    for (const { directory } of targets) setFreezer(directory, 'FROZEN');
    const frozen = await waitUntilFrozen(targets, performance.now() + timeoutMs);
    for (const target of targets) {
      if (frozen.has(target)) {
        killed += killAllIn(target.directory);
        caught.push(target);
      } else if (processesIn(target.directory).length > 0) {
        leftovers.push({ cgroup: target.cgroup, reason: `not frozen within ${timeoutMs} ms` });
      }
    }
  } finally {
    for (const { directory } of targets) thaw(directory);
  }
  return { killed, caught, leftovers };
}

// Sub-cgroups as well: one that was frozen by itself would keep its dead from dying.
function thaw(directory: string): void {
  for (const each of subtreeOf(directory)) setFreezer(each, 'THAWED');
}

function setFreezer(directory: string, state: 'FROZEN' | 'THAWED'): void {
  try {
    fs.writeFileSync(path.join(directory, 'freezer.state'), state, { flag: 'r+' });
  } catch (error) {
    // Gone, or a hierarchy without freezer: then it never reads FROZEN, and is left to the runtime.
    if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error;
  }
}

// Freezing takes well under a millisecond, unless a process sits in a driver; there is no event.
async function waitUntilFrozen(targets: readonly Target[], deadline: number): Promise<Set<Target>> {
  const frozen = new Set<Target>();
  let waiting = targets;
  const spinUntil = performance.now() + 2;
  for (;;) {
    waiting = waiting.filter((target) => {
      const state = readOr(undefined, path.join(target.directory, 'freezer.state'));
      if (state?.startsWith('FROZEN')) frozen.add(target);
      return state !== undefined && !frozen.has(target);
    });
    const now = performance.now();
    if (waiting.length === 0 || now >= deadline) return frozen;
    if (now >= spinUntil) await sleep(1);
  }
}

function killAllIn(directory: string): number {
  const signalled = new Set<number>();
  // Again until nobody new is there: an exec may have joined after the first reading.
  for (let round = 0; round < 10; round += 1) {
    const found = processesIn(directory).filter((pid) => !signalled.has(pid));
    if (found.length === 0) break;
    for (const pid of found) {
      signalled.add(pid);
      kill(pid);
    }
  }
  return signalled.size;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

// The kernel touches cgroup.events whenever "populated" changes.
async function waitForEvent(
  cgroup: string,
  hierarchy: Hierarchy,
  over: AbortSignal,
): Promise<void> {
  const file = path.join(processDirectoryOf(cgroup, hierarchy), 'cgroup.events');
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let watcher;
  try {
    watcher = fs.watch(file, () => {
      if (isEmpty(cgroup, hierarchy)) resolve(undefined);
    });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return;
    // Nobody has to wait for it: any process of root, in a container as well, can use up all watches.
    if (!isErrno(error, 'ENOSPC', 'EMFILE')) throw error;
    await waitByLooking(cgroup, hierarchy, over);
    return;
  }
  // A watch that fails after this can only mean that the cgroup is going away: look once more.
  watcher.on('error', () => resolve(undefined));
  over.addEventListener('abort', () => resolve(undefined), { once: true });
  // After the watch has begun, so that nothing falls between.
  if (!over.aborted && !isEmpty(cgroup, hierarchy)) await promise;
  watcher.close();
}

// cgroup v1 has no such event, and not every watch can be had. Whoever waits has already heard of the
// exits, or sent SIGKILL: what is awaited here is the last few milliseconds of dying. So the first looks are
// as close to each other as a timer allows, and later ones ever further apart.
async function waitByLooking(
  cgroup: string,
  hierarchy: Hierarchy,
  over: AbortSignal,
): Promise<void> {
  for (let pauseMs = 1; !over.aborted && !isEmpty(cgroup, hierarchy); pauseMs *= 1.1) {
    await sleep(Math.min(pauseMs, 50));
  }
}
