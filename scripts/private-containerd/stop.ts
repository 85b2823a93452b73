/**
 * Stops a private containerd and takes away whatever it and its pods put on this machine.
 *
 * A daemon that answers removes its pods itself. What follows does not depend on that: it ends all
 * processes and undoes in the kernel what they would have undone, even if the daemon died long ago.
 * What then remains is as after a power loss, which containerd knows how to start from.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  findCgroups,
  knownIds,
  removeCgroups,
  removeDefaultParent,
  stopSlices,
} from './cgroups.ts';
import { claim } from './claim.ts';
import { removePods } from './cri.ts';
import { listFolder, removeIfEmpty } from './folder.ts';
import { instanceAt, type Instance } from './instance.ts';
import { unmountAll } from './mounts.ts';
import { removeNetwork } from './network.ts';
import { endProcesses, findProcesses } from './processes.ts';

/** Stops the instance of this folder, ends its pods and cleans up; `purge` also deletes the folder. */
export async function stopContainerd(
  folder: string,
  { purge = false }: { readonly purge?: boolean } = {},
): Promise<void> {
  const instance = instanceAt(folder);
  await claim(instance);
  const ids = await knownIds(instance);
  const shimSockets = await findShimSockets(instance);
  // No matter if it fails: no daemon, or one in trouble, is what the rest is for.
  await removePods(instance.socket).catch(() => undefined);
  await endDaemon(instance);
  await endProcesses(instance, {
    roles: ['daemon', 'helper', 'container'],
    signal: 'SIGKILL',
    withinMs: 60_000,
  });

  await unmountAll(instance.dir);
  await removeNetwork(instance, ids);
  await stopSlices(instance);
  await removeCgroups(await findCgroups(instance, ids));
  await removeDefaultParent();
  for (const socket of shimSockets) await rm(socket, { force: true });
  for (const shared of ['/run/containerd/s', '/run/containerd']) await removeIfEmpty(shared);
  for (const rest of ['state', 'runc', 'cni', 'containerd.sock', 'containerd.sock.ttrpc']) {
    await rm(join(instance.dir, rest), { recursive: true, force: true });
  }
  if (purge) await rm(instance.dir, { recursive: true, force: true });
}

/** Politely at first, so that its database is closed in order; then not. */
async function endDaemon(instance: Instance): Promise<void> {
  const roles = ['daemon'] as const;
  try {
    await endProcesses(instance, { roles, signal: 'SIGTERM', withinMs: 10_000 });
  } catch {
    await endProcesses(instance, { roles, signal: 'SIGKILL', withinMs: 60_000 });
  }
}

/** Shims listen in a folder that all containerds share; each container's bundle names its socket. */
async function findShimSockets({ state }: Instance): Promise<string[]> {
  const tasks = join(state, 'io.containerd.runtime.v2.task');
  const sockets: string[] = [];
  for (const namespace of await listFolder(tasks)) {
    for (const id of await listFolder(join(tasks, namespace))) {
      for (const file of ['address', 'bootstrap.json']) {
        const path = join(tasks, namespace, id, file);
        const text = await readFile(path, 'utf8').catch(() => ''); // Each line has one of the two.
        const socket = /unix:\/\/(\/run\/containerd\/s\/[0-9a-f]+)/.exec(text)?.[1];
        if (socket !== undefined) sockets.push(socket);
      }
    }
  }
  return sockets;
}

/** True if anything of the instance runs. */
export async function isRunning(folder: string): Promise<boolean> {
  return (await findProcesses(instanceAt(folder))).some(({ role }) => role === 'daemon');
}
