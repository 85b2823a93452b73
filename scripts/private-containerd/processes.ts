/**
 * Finds and ends the processes of a private containerd by what they are, not by remembered pids:
 * a pid file can lie after a crash, the process table cannot.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RepriseError } from '../../src/errors.ts';
import type { Instance } from './instance.ts';
import { unescapeMount } from './mounts.ts';

/** A process that belongs to an instance. */
export interface InstanceProcess {
  readonly pid: number;
  readonly role: 'daemon' | 'helper' | 'container';
  /** Its arguments, for people. */
  readonly command: string;
}

/** containerd's own programs; they carry the instance's folder in their arguments. */
const HELPERS = new Set(['containerd-shim-runc-v2', 'containerd-shim', 'runc', 'ctr']);

/** Every process of the instance: the daemon, its shims and runcs, and all in containers. */
export async function findProcesses(instance: Instance): Promise<InstanceProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => classify(instance, Number(pid))));
  return found.filter((process) => process !== undefined);
}

async function classify(instance: Instance, pid: number): Promise<InstanceProcess | undefined> {
  // A process that ends meanwhile has empty files, or none.
  const args = (await readProc(pid, 'cmdline')).split('\0');
  const command = args.join(' ').trim();
  const program = basename(args[0] ?? '');
  if (program === 'containerd' && args[2] === instance.configFile) {
    return { pid, role: 'daemon', command };
  }
  if (HELPERS.has(program) && args.some((arg) => isInside(instance, arg))) {
    return { pid, role: 'helper', command };
  }
  return hasRootInside(instance, await readProc(pid, 'mountinfo'))
    ? { pid, role: 'container', command }
    : undefined;
}

function isInside({ dir }: Instance, path: string): boolean {
  return path === dir || path.startsWith(`${dir}/`);
}

/** True if the process's root is a snapshot of the instance, and so not in the host's mounts. */
function hasRootInside({ root }: Instance, mountinfo: string): boolean {
  const rootMount = mountinfo.split('\n').find((line) => line.split(' ')[4] === '/');
  return unescapeMount(rootMount ?? '').includes(`${root}/`);
}

async function readProc(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ESRCH', 'EINVAL', 'EACCES'].includes(code)) return '';
    throw error;
  });
}

/** Sends the signal to the instance's processes of these roles until none is left. */
export async function endProcesses(
  instance: Instance,
  options: {
    readonly roles: readonly InstanceProcess['role'][];
    readonly signal: 'SIGTERM' | 'SIGKILL';
    readonly withinMs: number;
  },
): Promise<void> {
  const deadline = Date.now() + options.withinMs;
  const signalled = new Set<number>();
  for (;;) {
    const left = (await findProcesses(instance)).filter(({ role }) => options.roles.includes(role));
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      throw new RepriseError(`these processes do not end: ${left.map(inWords).join('; ')}`, {
        where: instance.dir,
        next: 'look at them with ps; a process in state D waits for the kernel',
      });
    }
    for (const { pid } of left) {
      // SIGKILL again and again catches what is being forked; one SIGTERM is enough to be polite.
      if (options.signal === 'SIGTERM' && signalled.has(pid)) continue;
      signalled.add(pid);
      send(pid, options.signal);
    }
    await sleep(20);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function inWords({ pid, role, command }: InstanceProcess): string {
  return `${role} ${pid} (${command.slice(0, 80)})`;
}
