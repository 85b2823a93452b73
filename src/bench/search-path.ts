/**
 * Where a daemon looks for programs: the PATH of the process behind a unix socket. Ours may be
 * another one, and what is found in it another version.
 *
 * Node.js does not tell who is at the other end of a socket, but the kernel lists who listens where:
 * /proc/net/unix has the inode of each socket, and the descriptors of a process name their inodes.
 */
import { readFile, readdir, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';

/** Absent: nobody is seen to listen there, as from another namespace, or more than one. */
export async function searchPathOf(socket: string): Promise<string | undefined> {
  const inodes = await inodesOf(socket);
  const links = new Set(inodes.map((inode) => `socket:[${inode}]`));
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const paths = await Promise.all(
    pids.map(async (pid) => ((await holds(pid, links)) ? [await pathVariable(pid)] : [])),
  );
  const [found, ...others] = new Set(paths.flat());
  return others.length === 0 ? found : undefined;
}

const LISTENS = 0x10000; // __SO_ACCEPTCON

async function inodesOf(socket: string): Promise<readonly string[]> {
  const wanted = await realpath(socket).catch(() => socket);
  const lines = (await readFile('/proc/net/unix', 'utf8')).split('\n');
  const listening = lines.flatMap((line) => {
    // Num RefCount Protocol Flags Type St Inode Path
    const [, flags = '', inode = '', place = ''] =
      /^\S+: \S+ \S+ (\S+) \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
    return (parseInt(flags, 16) & LISTENS) === 0 ? [] : [{ inode, place }];
  });
  const same = listening.filter(({ place }) => path.basename(place) === path.basename(wanted));
  const real = await Promise.all(
    same.map(async ({ inode, place }) => {
      // As the daemon calls it, which may be by a link: /var/run.
      return (await realpath(place).catch(() => place)) === wanted ? [inode] : [];
    }),
  );
  return real.flat();
}

/** Whether the process has one of these open; one that ends meanwhile, or is not ours to see, has not. */
async function holds(pid: string, links: ReadonlySet<string>): Promise<boolean> {
  if (links.size === 0) return false;
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  const targets = await Promise.all(
    descriptors.map((one) => readlink(path.join(folder, one)).catch(() => '')),
  );
  return targets.some((target) => links.has(target));
}

/** As the process was started with. */
async function pathVariable(pid: string): Promise<string | undefined> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const variable = environment.split('\0').find((one) => one.startsWith('PATH='));
  return variable?.slice('PATH='.length);
}
