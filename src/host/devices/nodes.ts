/**
 * The nodes that containers are given. CRI copies mode and owner of the host's node; where a CDI
 * specification wants others, or has no host node at all, a node of our own is made to copy from.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { DeviceNode } from '../../devices/cdi-spec.ts';
import type { PlannedNode } from '../../devices/grant.ts';
import { hostPathOf } from '../../devices/inventory.ts';
import type { GrantedNode } from '../../pod/devices.ts';
import { isErrno } from '../errno.ts';
import { DeviceError } from './device-error.ts';
import { deviceOf } from './numbers.ts';

/** Who the processes of a container are; absent if only the image knows. */
export interface NodeOwner {
  readonly uid?: number;
  readonly gid?: number;
}

interface Wanted {
  /** `c 195:0` */
  readonly device: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Looks every node up as it is now, and makes those that have to be made in `folder`, which is the
 * container's own. Throws DeviceError for one that is gone.
 */
export async function provideNodes(
  nodes: readonly PlannedNode[],
  folder: string,
  owner: NodeOwner,
): Promise<readonly GrantedNode[]> {
  const granted: GrantedNode[] = [];
  for (const [index, node] of nodes.entries()) {
    const found = await lookUp(node);
    if (found === undefined) continue;
    const wanted = wantedOf(node, found, owner);
    const isAsItIs = found.isThere && sameAs(found, wanted);
    const hostPath = isAsItIs ? node.hostPath : path.join(folder, String(index));
    if (!isAsItIs) await makeNode(hostPath, wanted);
    granted.push({ path: node.path, hostPath, permissions: node.permissions });
  }
  return granted;
}

/** Nodes with their numbers as they are now: `c 195:0`. Those that are gone are left out. */
export async function numbersOfNodes(
  nodes: readonly DeviceNode[],
): Promise<readonly { readonly path: string; readonly device: string }[]> {
  const found = await Promise.all(
    nodes.map(async (node) => {
      const planned = { ...node, hostPath: hostPathOf(node), permissions: 'rw', isOptional: true };
      return { path: node.path, device: (await lookUp(planned))?.device };
    }),
  );
  return found.flatMap(({ path, device }) => (device === undefined ? [] : [{ path, device }]));
}

async function lookUp(node: PlannedNode): Promise<(Wanted & { isThere: boolean }) | undefined> {
  const { hostPath, type, major, minor, isOptional } = node;
  const told =
    type !== undefined && major !== undefined && minor !== undefined
      ? `${type === 'u' ? 'c' : type} ${major}:${minor}`
      : undefined;
  const stats = await statOf(hostPath);
  const device = stats && deviceOf(stats);
  if (stats !== undefined && device !== undefined && (told === undefined || told === device)) {
    return { device, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid, isThere: true };
  }
  if (told !== undefined) return { device: told, mode: 0o666, uid: 0, gid: 0, isThere: false };
  if (isOptional) return undefined;
  throw new DeviceError(
    stats === undefined ? `the device node ${hostPath} is gone` : `${hostPath} is no device node`,
    {
      where: hostPath,
      next: 'see whether the driver is loaded and its nodes are made (nvidia-smi makes those of NVIDIA), or make the CDI specification again',
    },
  );
}

/** As the CDI library does it: without an owner of its own, a node is that of the container's user. */
function wantedOf(node: PlannedNode, found: Wanted, owner: NodeOwner): Wanted {
  return {
    device: found.device,
    mode: node.fileMode === undefined ? found.mode : node.fileMode & 0o7777,
    uid: node.uid ?? nonRoot(owner.uid) ?? found.uid,
    gid: node.gid ?? nonRoot(owner.gid) ?? found.gid,
  };
}

function nonRoot(id: number | undefined): number | undefined {
  return id === 0 ? undefined : id;
}

function sameAs(one: Wanted, other: Wanted): boolean {
  return (['device', 'mode', 'uid', 'gid'] as const).every((key) => one[key] === other[key]);
}

async function makeNode(file: string, wanted: Wanted): Promise<void> {
  const stats = await statOf(file);
  const is = stats && deviceOf(stats);
  if (is !== wanted.device) {
    await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await fs.rm(file, { force: true });
    // Node.js has no call for it.
    const [type = '', numbers = ''] = wanted.device.split(' ');
    await execa('mknod', [file, type, ...numbers.split(':')]);
  }
  await fs.chown(file, wanted.uid, wanted.gid);
  await fs.chmod(file, wanted.mode);
}

async function statOf(file: string) {
  try {
    return await fs.stat(file);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO')) return undefined;
    throw error;
  }
}
