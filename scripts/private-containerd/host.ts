/**
 * What this machine offers a private containerd: programs, privileges, cgroups, file system.
 */
import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { RepriseError } from '../../src/errors.ts';

/** The facts that shape a private containerd's configuration. */
export interface HostFacts {
  readonly containerd: string;
  readonly ctr: string;
  /** `major.minor.patch`, without what distributions append. */
  readonly version: string;
  /** What runs containers instead of runc, with the same command line. */
  readonly runtime?: string;
  /** Where containerd and its shim look for programs. */
  readonly path: string;
  readonly cniBinDir: string;
  /** False without CAP_SYS_RESOURCE: the kernel then refuses the pause container's low score. */
  readonly mayLowerOomScore: boolean;
  /** True where systemd owns a unified cgroup tree: it must then make the containers' cgroups. */
  readonly systemdCgroup: boolean;
  /** True where the nat table can be read: needed to masquerade and to forward ports. */
  readonly iptables: boolean;
  readonly snapshotter: 'overlayfs' | 'native';
}

const CAP_SYS_RESOURCE = 24n;
const CGROUP2_MAGIC = 0x63677270;
const OVERLAYFS_MAGIC = 0x794c7630;

/** Looks at the machine; `binDir` holds another containerd (with its shim and ctr) than PATH's. */
export async function inspectHost(
  dir: string,
  binDir: string | undefined = process.env['CONTAINERD_BIN_DIR'],
): Promise<HostFacts> {
  if (process.geteuid?.() !== 0) {
    throw new RepriseError('only root can run containerd', { where: dir, next: 'use sudo' });
  }
  const path = searchPath(binDir);
  const containerd = await findProgram('containerd', path);
  return {
    containerd,
    ...(await otherRuntime(path)),
    ctr: await findProgram('ctr', path),
    version: await versionOf(containerd),
    path,
    cniBinDir: await findCniPlugins(),
    mayLowerOomScore: await hasCapability(CAP_SYS_RESOURCE),
    systemdCgroup:
      (await exists('/run/systemd/system')) &&
      (await statfs('/sys/fs/cgroup')).type === CGROUP2_MAGIC,
    iptables: await succeeds('iptables', ['-w', '-t', 'nat', '-S'], path),
    // An overlay cannot have another overlay as its upper layer, as in most containers.
    snapshotter: (await statfs(dir)).type === OVERLAYFS_MAGIC ? 'native' : 'overlayfs',
  };
}

/** `major.minor.patch` of the containerd in `binDir`, or else in PATH. */
export async function installedVersion(binDir?: string): Promise<string> {
  return await versionOf(await findProgram('containerd', searchPath(binDir)));
}

// Root's PATH may lack the sbin directories (su without -), where runc and iptables live.
function searchPath(binDir: string | undefined): string {
  return [
    ...(binDir === undefined ? [] : [binDir]),
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
  ].join(delimiter);
}

async function findProgram(name: string, path: string): Promise<string> {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    if (folder !== '' && (await exists(file, constants.X_OK))) return file;
  }
  throw new RepriseError(`there is no program ${name}`, {
    where: `PATH=${path}`,
    next: 'run scripts/prepare, or name the folder that has it in CONTAINERD_BIN_DIR',
  });
}

async function otherRuntime(path: string): Promise<Pick<HostFacts, 'runtime'>> {
  const name = process.env['CONTAINERD_RUNTIME'] ?? 'runc';
  const program = await findProgram(name, path);
  return name === 'runc' ? {} : { runtime: program };
}

async function versionOf(containerd: string): Promise<string> {
  const { stdout } = await execa(containerd, ['--version']);
  const version = /\bv?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version !== undefined) return version;
  throw new RepriseError(`containerd tells no version: ${stdout}`, {
    where: containerd,
    next: 'use a released containerd, 1.6 or later',
  });
}

async function findCniPlugins(): Promise<string> {
  for (const folder of ['/usr/lib/cni', '/opt/cni/bin']) {
    if (await exists(join(folder, 'bridge'), constants.X_OK)) return folder;
  }
  throw new RepriseError('the CNI plugins are not installed', {
    where: '/usr/lib/cni, /opt/cni/bin',
    next: 'run scripts/prepare',
  });
}

async function hasCapability(bit: bigint): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return ((effective >> bit) & 1n) === 1n;
}

async function exists(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function succeeds(program: string, args: string[], path: string): Promise<boolean> {
  return !(await execa(program, args, { reject: false, env: { PATH: path } })).failed;
}
