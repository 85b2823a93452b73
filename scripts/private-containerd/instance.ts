/**
 * A private containerd is its folder: every path and name it uses is derived from that folder here.
 *
 * So nothing has to be looked up to stop or clean an instance, not even after a crash, and two
 * instances never share anything. Read next: start.ts, stop.ts.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { RepriseError } from '../../src/errors.ts';

/** The paths and names of one private containerd. */
export interface Instance {
  /** The folder that holds everything of this instance; absolute and without symbolic links. */
  readonly dir: string;
  readonly root: string;
  readonly state: string;
  readonly socket: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly runcRoot: string;
  readonly cniConfDir: string;
  readonly cniStateDir: string;
  /** What is to be known of registries, in `HOST:PORT/hosts.toml`; read by containerd 2.x. */
  readonly registriesDir: string;
  /** CDI specifications; read by containerd 1.7 and later. */
  readonly cdiDir: string;
  /** Name of the bridge and of the CNI network, unique to the folder; at most 15 characters. */
  readonly network: string;
  /** A cgroup below which an agent using this instance can keep its pods; removed by stop. */
  readonly cgroupRoot: string;
}

/** Linux takes 107 bytes for a socket's path; containerd appends `.ttrpc` to its own. */
const LONGEST_SOCKET = 107 - '.ttrpc'.length;

/** Derives the instance from its folder, which need not exist yet. */
export function instanceAt(folder: string): Instance {
  const dir = realFolder(resolve(folder));
  const socket = join(dir, 'containerd.sock');
  if (dir === '/' || Buffer.byteLength(socket) > LONGEST_SOCKET) {
    throw new RepriseError('the folder cannot hold a private containerd', {
      where: socket,
      next: `choose a folder of its own with a path of at most ${LONGEST_SOCKET - '/containerd.sock'.length} bytes`,
    });
  }
  const network = `rp-${createHash('sha256').update(dir).digest('hex').slice(0, 10)}`;
  return {
    dir,
    root: join(dir, 'root'),
    state: join(dir, 'state'),
    socket,
    configFile: join(dir, 'config.toml'),
    logFile: join(dir, 'containerd.log'),
    runcRoot: join(dir, 'runc'),
    cniConfDir: join(dir, 'cni', 'conf'),
    cniStateDir: join(dir, 'cni', 'state'),
    registriesDir: join(dir, 'registries'),
    cdiDir: join(dir, 'cdi'),
    network,
    cgroupRoot: `/${network}`,
  };
}

/** Resolves the symbolic links of the part that exists: the name must not change at creation. */
function realFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return join(realFolder(dirname(path)), basename(path));
  }
}
