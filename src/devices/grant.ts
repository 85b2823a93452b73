/**
 * How a container gets its devices. Pure. There are three ways, device by device:
 *
 * - NVIDIA's runtime is told by NVIDIA_VISIBLE_DEVICES, and gets the nodes too: those that containerd
 *   knows of stay usable when systemd reloads;
 * - a containerd that knows CDI, and reads the same specifications, is told the names;
 * - else what the specification says is applied here, as far as CRI has words for it.
 */
import { RepriseError } from '../errors.ts';
import type { DeviceGrant, GrantedMount } from '../pod/devices.ts';
import type { Pod } from '../pod/pod.ts';
import type { DeviceNode, Edits } from './cdi-spec.ts';
import type { Device } from './inventory.ts';
import { hostPathOf } from './inventory.ts';
import { parseQualifiedName } from './names.ts';
import { gpuKind } from './nvidia.ts';
import { visibleDevices } from './request.ts';

/** What the runtime of this node can do about devices. */
export interface DeviceWays {
  /** Where containerd reads CDI specifications; absent: it does not know CDI, or it is off. */
  readonly cdiSpecDirs?: readonly string[];
  /** Runtime handlers that are NVIDIA's; with an empty name among them it is the default one. */
  readonly nvidiaHandlers: ReadonlySet<string>;
}

export type Way = 'nvidia-runtime' | 'cdi' | 'edits';

/** A grant whose nodes have still to be looked up on the host. */
export interface PlannedGrant extends Omit<DeviceGrant, 'nodes' | 'summary'> {
  readonly nodes: readonly PlannedNode[];
}

export interface PlannedNode extends DeviceNode {
  readonly hostPath: string;
  readonly permissions: string;
  /** It may be missing: then the container goes without. */
  readonly isOptional: boolean;
}

/** The runtime handler of a pod; the default one has an empty name. */
export function handlerOf({ runtimeClassName }: Pod['spec']): string {
  return runtimeClassName ?? '';
}

/** The way by which a device is given; `specDirs` are those that this agent reads. */
export function wayOf(
  device: Device,
  handler: string,
  ways: DeviceWays,
  specDirs: readonly string[],
): Way {
  if (device.kind === gpuKind && ways.nvidiaHandlers.has(handler)) return 'nvidia-runtime';
  // With other directories the same name could mean another device there, or none.
  const sameDirs = ways.cdiSpecDirs?.join('\n') === specDirs.join('\n');
  return device.file !== undefined && sameDirs ? 'cdi' : 'edits';
}

/** What is to be done for a container with these devices. Throws when an edit is beyond us. */
export function planGrant(
  devices: readonly { readonly device: Device; readonly way: Way }[],
  isNvidiaHandler: boolean,
): PlannedGrant {
  const by = (way: Way): readonly Device[] =>
    devices.filter((one) => one.way === way).map(({ device }) => device);
  const gpus = by('nvidia-runtime');
  const edits = by('edits');
  const applied = editsOf(edits);
  return {
    cdiNames: by('cdi').map(({ id }) => id),
    nodes: uniqueByPath([
      ...applied
        .flatMap(({ deviceNodes = [] }) => deviceNodes)
        .filter(({ permissions }) => permissions !== 'none')
        .map(plannedNode),
      ...editsOf(gpus)
        .flatMap(({ deviceNodes = [] }) => deviceNodes)
        .map((node) => ({ ...plannedNode(node), isOptional: true })),
    ]),
    mounts: uniqueByPath(applied.flatMap(({ mounts = [] }) => mounts.map(plannedMount))),
    env: [
      ...applied.flatMap(({ env = [] }) => env.map(variable)),
      // Images for CUDA ask for all GPUs by themselves: whoever was given none has to be told so.
      ...(isNvidiaHandler ? [{ name: visibleDevices, value: visibleNames(gpus) }] : []),
    ],
    groups: [...new Set(applied.flatMap(({ additionalGids = [] }) => additionalGids))].filter(
      (gid) => gid !== 0,
    ),
  };
}

/** What of the specifications cannot be done by us, in words; absent if nothing. */
export function leftOut(devices: readonly Device[]): string | undefined {
  const edits = editsOf(devices);
  const hooks = edits.flatMap((one) => one.hooks ?? []).map(({ path }) => path);
  const parts = [
    ...(hooks.length > 0 ? [`${hooks.length} hooks (${[...new Set(hooks)].join(', ')})`] : []),
    ...(edits.some(({ intelRdt }) => intelRdt) ? ['intelRdt'] : []),
    ...(edits.some(({ netDevices }) => netDevices?.length) ? ['netDevices'] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** Shared edits once for each specification, before those of its devices. */
function editsOf(devices: readonly Device[]): readonly Edits[] {
  const shared = new Set(devices.map(({ sharedEdits }) => sharedEdits));
  return [...shared, ...devices.map(({ edits }) => edits)];
}

function plannedNode(node: DeviceNode): PlannedNode {
  const { permissions = 'rwm' } = node;
  if (node.type === 'p') {
    throw new RepriseError(`the FIFO ${node.path} of a CDI specification cannot be given here`, {
      where: hostPathOf(node),
      next: 'use a containerd that knows CDI (1.7 with enable_cdi, or 2.0)',
    });
  }
  return {
    ...node,
    hostPath: hostPathOf(node),
    permissions: permissions === '' ? 'rwm' : permissions,
    isOptional: false,
  };
}

function plannedMount(mount: NonNullable<Edits['mounts']>[number]): GrantedMount {
  const { type = '', options = [], hostPath, containerPath } = mount;
  if (!['', 'bind', 'none', 'rbind'].includes(type)) {
    throw new RepriseError(`a mount of type ${type} in a CDI specification cannot be made here`, {
      where: containerPath,
      next: 'use a containerd that knows CDI (1.7 with enable_cdi, or 2.0)',
    });
  }
  const has = (...names: readonly string[]): boolean => options.some((one) => names.includes(one));
  return {
    path: containerPath,
    hostPath,
    readOnly: has('ro'),
    propagation: has('shared', 'rshared') ? 'shared' : has('slave', 'rslave') ? 'slave' : 'private',
  };
}

function variable(text: string): { name: string; value: string } {
  const at = text.indexOf('=');
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

function visibleNames(gpus: readonly Device[]): string {
  const names = gpus.map(({ id }) => parseQualifiedName(id)?.name ?? id);
  return names.length === 0 ? 'void' : names.join(',');
}

/** A later one of the same path in the container wins, as in the CDI library. */
function uniqueByPath<T extends { readonly path: string }>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((one) => [one.path, one])).values()];
}
