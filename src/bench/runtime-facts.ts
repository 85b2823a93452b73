/**
 * What containerd is, and what it makes the containers of the benchmark with.
 */
import path from 'node:path';
import { execa } from 'execa';
import type { Cri } from '../runtime/cri.ts';
import { searchPathOf } from './search-path.ts';

export interface RuntimeFacts {
  readonly containerd: string;
  /** containerd's default runtime handler, and what its program says of itself. */
  readonly ociRuntime: string;
  readonly snapshotter: string;
}

/** Asks containerd, also about one of the containers that were made. */
export async function readRuntime(
  cri: Cri,
  containerId: string,
  signal: AbortSignal,
): Promise<RuntimeFacts> {
  const { runtimeVersion } = await cri.version(signal);
  const { info } = await cri.status(signal);
  const { handler, program } = readConfig(info['config'] ?? '{}');
  // From 2.0 on CRI's status does not tell how images are configured; the container does on all lines.
  const container = (await cri.containerInfo(containerId, signal)) as { snapshotter?: string };
  return {
    containerd: runtimeVersion,
    ociRuntime: `${handler} (${await versionOf(program, cri.socketPath, signal)})`,
    snapshotter: container.snapshotter ?? 'unknown',
  };
}

interface ConfigPart {
  readonly defaultRuntimeName?: string;
  readonly runtimes?: Readonly<
    Record<string, { readonly options?: { readonly BinaryName?: string } | null }>
  >;
}

/** The effective configuration of CRI, as containerd tells it. */
function readConfig(config: string): { handler: string; program: string } {
  const { containerd = {} } = JSON.parse(config) as { containerd?: ConfigPart };
  const handler = containerd.defaultRuntimeName ?? 'runc';
  const program = containerd.runtimes?.[handler]?.options?.BinaryName ?? '';
  return { handler, program: program === '' ? 'runc' : program };
}

/** Its first line; for the report only, so not to know it is no failure. */
async function versionOf(program: string, socket: string, signal: AbortSignal): Promise<string> {
  const theirs = path.isAbsolute(program) ? '' : await searchPathOf(socket);
  const ours = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  const { stdout, failed } = await execa(program, ['--version'], {
    env: { PATH: theirs ?? ours },
    reject: false,
    cancelSignal: signal,
    timeout: 5000,
  });
  const [first = ''] = (failed ? '' : stdout).split('\n');
  const version = first === '' ? `${program}, version unknown` : first;
  return theirs === undefined ? `${version}, by the PATH of this command` : version;
}
