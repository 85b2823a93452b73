/**
 * Which devices there are to hand out. CDI has names; many of them can mean one device (`0`,
 * `GPU-...`), and one can mean several (`all`). What is handed out is told apart by its nodes.
 *
 * Two devices that share a node without one having all of the other's (slices of one GPU) are two.
 */
import type { DeviceNode, Edits } from './cdi-spec.ts';
import type { Gpu } from './nvidia.ts';
import type { DefinedDevice } from './registry.ts';
import { parseQualifiedName } from './names.ts';

/** One device, under all of its names. */
export interface Device {
  /** The full name that lasts: with a UUID in it, if there is one. */
  readonly id: string;
  readonly kind: string;
  /** Every full name, `id` first. */
  readonly names: readonly string[];
  /** Host paths of its own nodes; not those that all devices of its specification have. */
  readonly nodes: readonly string[];
  /** It stands for several others, so it is never chosen for somebody who only says how many. */
  readonly isGroup: boolean;
  readonly edits: Edits;
  /** What its specification does for whoever gets any of its devices. */
  readonly sharedEdits: Edits;
  /** The file that defines it; absent: made from what the kernel tells. */
  readonly file?: string;
  /** The GPU whose node it has, if the driver tells of one. */
  readonly gpu?: Gpu;
}

/** Puts names that mean the same device together; in the order of their definition. */
export function devicesOf(
  defined: Iterable<DefinedDevice>,
  gpus: readonly Gpu[],
  isFromKernel: (file: string) => boolean,
): readonly Device[] {
  const bySelf = Map.groupBy(defined, selfOf);
  const devices = [...bySelf.values()].map((aliases): Device => {
    const names = aliases.map(({ name }) => name).toSorted(byLastingness);
    const [first] = aliases as [DefinedDevice, ...DefinedDevice[]];
    const { file, spec } = first.from;
    const nodes = ownNodes(first);
    return {
      id: names[0] ?? first.name,
      kind: spec.kind,
      names,
      nodes,
      isGroup: false,
      edits: first.device.containerEdits,
      sharedEdits: spec.containerEdits ?? {},
      ...(!isFromKernel(file) && { file }),
      ...gpuOf(names, nodes, gpus),
    };
  });
  return devices.map((one) => ({
    ...one,
    isGroup: devices.filter((other) => other.kind === one.kind && isPartOf(other, one)).length > 1,
  }));
}

/** Whether two devices cannot be in two hands at once: one of them has all nodes of the other. */
export function overlap(one: Device, other: Device): boolean {
  return one.id === other.id || contains(one, other) || contains(other, one);
}

/** The GPU that a device is, or is a part of: as the driver tells, or by its name. */
export function gpuUuidOf({ gpu, names }: Device): string | undefined {
  const own = names.map((name) => parseQualifiedName(name)?.name ?? '');
  return gpu?.uuid ?? own.find((name) => name.startsWith('GPU-'));
}

/** The path on the host that a node is made from. */
export function hostPathOf({ hostPath, path }: DeviceNode): string {
  return hostPath ?? path;
}

/** The devices that a group stands for; none of any other. */
export function membersOf(group: Device, devices: readonly Device[]): readonly Device[] {
  if (!group.isGroup) return [];
  return devices.filter((one) => one.kind === group.kind && !one.isGroup && isPartOf(one, group));
}

function contains(one: Device, other: Device): boolean {
  const nodes = tellingNodes(other);
  return nodes.length > 0 && nodes.every((node) => one.nodes.includes(node));
}

/** Those for graphics a slice of a GPU does not have, and yet it is a part of the whole. */
function tellingNodes({ nodes }: Device): readonly string[] {
  const others = nodes.filter((node) => !node.includes('/dri/'));
  return others.length > 0 ? others : nodes;
}

function isPartOf(part: Device, whole: Device): boolean {
  return part !== whole && contains(whole, part);
}

/** What tells a device from others; one without nodes is known by its name alone. */
function selfOf(defined: DefinedDevice): string {
  const nodes = ownNodes(defined);
  return nodes.length === 0 ? defined.name : [defined.from.spec.kind, ...nodes].join('\n');
}

function ownNodes({ device }: DefinedDevice): readonly string[] {
  return (device.containerEdits.deviceNodes ?? []).map(hostPathOf).toSorted();
}

/** A UUID stays through boots, an index may not. */
function byLastingness(a: string, b: string): number {
  return Number(hasUuid(b)) - Number(hasUuid(a));
}

/** Whether a name is that of one device for ever. */
export function hasUuid(name: string): boolean {
  return /=(?:GPU|MIG)-|[0-9a-f]{8}-[0-9a-f]{4}-/i.test(name);
}

function gpuOf(
  names: readonly string[],
  nodes: readonly string[],
  gpus: readonly Gpu[],
): { gpu?: Gpu } {
  const called = new Set(names.map((name) => parseQualifiedName(name)?.name));
  const minors = nodes.flatMap((node) => /\/nvidia(\d+)$/.exec(node)?.[1] ?? []).map(Number);
  const gpu =
    gpus.find(({ uuid }) => called.has(uuid)) ??
    (minors.length === 1 ? gpus.find(({ minor }) => minor === minors[0]) : undefined);
  return gpu === undefined ? {} : { gpu };
}
