/**
 * What a benchmark was run on: numbers without it mean nothing.
 */
import { readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import { findHierarchy } from '../host/cgroups.ts';
import type { RuntimeFacts } from './runtime-facts.ts';

/** The machine and the versions of all that has a part in a restart. */
export type Machine = HostFacts & RuntimeFacts;

/** What does not depend on containerd. */
export interface HostFacts {
  readonly cpu: string;
  /** How many of them we may use. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of the last minute, when the benchmark began: more than a little, and the numbers are noise. */
  readonly load: number;
  readonly distribution: string;
  readonly kernel: string;
  readonly cgroupVersion: 1 | 2;
  /** Type of the file system of the pods' folders. */
  readonly fileSystem: string;
  readonly node: string;
  readonly reprise: string;
}

/** Looks at this machine; the folder is where pods have theirs. */
export async function readHost({
  folder,
  version,
}: {
  readonly folder: string;
  readonly version: string;
}): Promise<HostFacts> {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    load: os.loadavg()[0] ?? 0,
    distribution: await distribution(),
    kernel: os.release(),
    cgroupVersion: findHierarchy().version,
    fileSystem: fileSystemName((await statfs(folder)).type),
    node: process.versions.node,
    reprise: version,
  };
}

async function distribution(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1] ?? 'unknown';
}

const fileSystems: Readonly<Record<number, string>> = {
  0x01021994: 'tmpfs',
  0x0000ef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x2fc12fc1: 'zfs',
  0x794c7630: 'overlayfs',
};

function fileSystemName(type: number): string {
  return fileSystems[type] ?? `0x${type.toString(16)}`;
}
