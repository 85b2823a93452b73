/**
 * The cgroups that a private containerd's containers ran in, in every hierarchy of the machine.
 */
import { readdir, readFile, rmdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { RepriseError } from '../../src/errors.ts';
import { cgroupOfPods } from '../../src/host/cgroups.ts';
import { listFolder } from './folder.ts';
import type { Instance } from './instance.ts';

/** Ids are searched for in all cgroups, so only what cannot be another's name counts. */
const CRI_ID = /^[0-9a-f]{64}$/;

/** Container and sandbox ids that the instance knows or has left files of. */
export async function knownIds({ root, state }: Instance): Promise<Set<string>> {
  const cri = join(root, 'io.containerd.grpc.v1.cri');
  const tasks = join(state, 'io.containerd.runtime.v2.task');
  const namespaces = (await listFolder(tasks)).map((namespace) => join(tasks, namespace));
  const folders = [join(cri, 'sandboxes'), join(cri, 'containers'), ...namespaces];
  return new Set(
    (await Promise.all(folders.map(listFolder))).flat().filter((id) => CRI_ID.test(id)),
  );
}

/** The cgroups of these containers and the tree of the instance's pods; leaves come first. */
export async function findCgroups(
  { cgroupRoot }: Pick<Instance, 'cgroupRoot'>,
  ids: ReadonlySet<string>,
): Promise<string[]> {
  const found: string[] = [];
  for (const hierarchy of await hierarchies()) {
    const ours = new Set(
      (['cgroupfs', 'systemd'] as const).map((driver) =>
        join(hierarchy, cgroupOfPods(cgroupRoot, driver)),
      ),
    );
    const visit = async (folder: string, inside: boolean): Promise<void> => {
      for (const name of await childCgroups(folder)) {
        const child = join(folder, name);
        const mine = inside || ours.has(child) || ids.has(idOf(name));
        await visit(child, mine);
        if (mine) found.push(child);
      }
    };
    await visit(hierarchy, false);
  }
  return found;
}

/** Lets systemd take away the slices of the instance's pods and all that is in them, if it made any. */
export async function stopSlices({ cgroupRoot }: Instance): Promise<void> {
  const cgroup = cgroupOfPods(cgroupRoot, 'systemd');
  const places = (await hierarchies()).map((hierarchy) => join(hierarchy, cgroup));
  const isThere = await Promise.all(places.map((place) => stat(place).catch(() => undefined)));
  if (isThere.some(Boolean)) await execa('systemctl', ['stop', '--', basename(cgroup)]);
}

/** Removes the cgroups, leaves first; the last process may take a moment to be gone from one. */
export async function removeCgroups(cgroups: readonly string[], withinMs = 60_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (const cgroup of cgroups) {
    for (;;) {
      try {
        await rmdir(cgroup);
        break;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') break;
        if (code !== 'EBUSY') throw error;
        if (Date.now() > deadline) {
          throw new RepriseError('a cgroup of this containerd still has processes', {
            where: cgroup,
            next: 'see its cgroup.procs: they are not of this containerd, so they are left alone',
            cause: error,
          });
        }
        await sleep(20);
      }
    }
  }
}

/** Removes containerd's default parent of containers, which nobody else removes, if it is empty. */
export async function removeDefaultParent(): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    await rmdir(join(hierarchy, 'k8s.io')).catch((error: unknown) => {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!['ENOENT', 'EBUSY', 'ENOTEMPTY'].includes(code)) throw error;
    });
  }
}

/** cgroupfs names a cgroup by the id, systemd `cri-containerd-<id>.scope`. */
function idOf(name: string): string {
  return /^cri-containerd-([0-9a-f]{64})\.scope$/.exec(name)?.[1] ?? name;
}

/** Mount points of cgroup file systems: one on v2, one for each controller on v1. */
async function hierarchies(): Promise<string[]> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n');
  return mounts.flatMap((line) => {
    const [, point = '', type = ''] = line.split(' ');
    return type === 'cgroup' || type === 'cgroup2' ? [point] : [];
  });
}

async function childCgroups(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    // Removed while we walk, by whoever owns it.
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
