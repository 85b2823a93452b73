/**
 * What a benchmark was run on: numbers without it mean nothing.
 */
import { readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import { execa } from 'execa';
import { findHierarchy } from '../host/cgroups.ts';
import type { Cri } from '../runtime/cri.ts';

/** The machine and the versions of all that has a part in a restart. */
export interface Machine {
  readonly cpu: string;
  /** How many of them we may use. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of the last minute, when the benchmark began: more than a little, and the numbers are noise. */
  readonly load: number;
  readonly distribution: string;
  readonly kernel: string;
  readonly cgroupVersion: 1 | 2;
  readonly containerd: string;
  /** containerd's default runtime handler, and what its program says of itself. */
  readonly ociRuntime: string;
  readonly snapshotter: string;
  /** Type of the file system of the pods' folders. */
  readonly fileSystem: string;
  readonly node: string;
  readonly reprise: string;
}

/** Looks at this machine and at containerd. */
export async function readMachine(
  cri: Cri,
  { folder, version }: { readonly folder: string; readonly version: string },
  signal: AbortSignal,
): Promise<Machine> {
  const { runtimeVersion } = await cri.version(signal);
  const { info } = await cri.status(signal);
  const { snapshotter, handler, program } = readConfig(info['config'] ?? '{}');
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    load: os.loadavg()[0] ?? 0,
    distribution: await distribution(),
    kernel: os.release(),
    cgroupVersion: findHierarchy().version,
    containerd: runtimeVersion,
    ociRuntime: `${handler} (${await versionOf(program, signal)})`,
    snapshotter,
    fileSystem: fileSystemName((await statfs(folder)).type),
    node: process.versions.node,
    reprise: version,
  };
}

interface ConfigPart {
  readonly snapshotter?: string;
  readonly defaultRuntimeName?: string;
  readonly runtimes?: Readonly<
    Record<string, { readonly options?: { readonly BinaryName?: string } | null }>
  >;
}

/** The effective configuration of CRI, as containerd tells it. */
function readConfig(config: string): { snapshotter: string; handler: string; program: string } {
  const { containerd = {} } = JSON.parse(config) as { containerd?: ConfigPart };
  const handler = containerd.defaultRuntimeName ?? 'runc';
  const program = containerd.runtimes?.[handler]?.options?.BinaryName ?? '';
  return {
    snapshotter: containerd.snapshotter ?? 'unknown',
    handler,
    program: program === '' ? 'runc' : program,
  };
}

/** Its first line; for the report only, so not to know it is no failure. */
async function versionOf(program: string, signal: AbortSignal): Promise<string> {
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  const { stdout, failed } = await execa(program, ['--version'], {
    env: { PATH: path },
    reject: false,
    cancelSignal: signal,
    timeout: 5000,
  });
  const [first = ''] = (failed ? '' : stdout).split('\n');
  return first === '' ? `${program}, version unknown` : first;
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
