/**
 * What can be said about a private containerd from outside.
 */
import { execa } from 'execa';
import { countPods } from './cri.ts';
import { inspectHost } from './host.ts';
import { instanceAt } from './instance.ts';
import { findProcesses } from './processes.ts';

/** A running instance in figures. */
export interface ContainerdStatus {
  readonly pid: number;
  readonly version: string;
  readonly socket: string;
  readonly pods: number;
  readonly containers: number;
  /** What the folder takes on disk, as du says it. */
  readonly disk: string;
}

/** Asks the instance of this folder how it is; undefined if it does not run. */
export async function containerdStatus(folder: string): Promise<ContainerdStatus | undefined> {
  const instance = instanceAt(folder);
  const daemon = (await findProcesses(instance)).find(({ role }) => role === 'daemon');
  if (!daemon) return undefined;
  const { version } = await inspectHost(instance.dir);
  // On one file system: the containers' root file systems are mounts and would count twice.
  const du = await execa('du', ['-shx', instance.dir], { reject: false });
  return {
    pid: daemon.pid,
    version,
    socket: instance.socket,
    ...(await countPods(instance.socket)),
    disk: du.stdout.split('\t')[0] ?? '',
  };
}
