/**
 * What devices a pod asks for, container by container. Pure.
 *
 * Init containers hand theirs on to those after them, sidecars keep theirs, as under the kubelet
 * (devicemanager's podDevices): a pod never needs more than it has in use at one time.
 */
import { cdiAnnotationPrefix, isDeviceResource } from '../pod/devices.ts';
import type { Container, Pod } from '../pod/pod.ts';
import { containersOf } from '../pod/pod.ts';
import { parseQuantity } from '../pod/quantity.ts';
import { parseQualifiedName, qualified } from './names.ts';
import { gpuKind } from './nvidia.ts';

/** The variable by which containers tell NVIDIA's runtime what they want. */
export const visibleDevices = 'NVIDIA_VISIBLE_DEVICES';

/** How many of a kind a pod needs, and who gets the first, the second ... of them. */
export interface CountedRequest {
  readonly kind: string;
  readonly count: number;
  /** By container: indexes below `count`. */
  readonly shares: Readonly<Record<string, readonly number[]>>;
}

/** One device by a full name, for these containers. */
export interface NamedRequest {
  readonly name: string;
  readonly containers: readonly string[];
}

export interface DeviceRequest {
  readonly counted: readonly CountedRequest[];
  readonly named: readonly NamedRequest[];
}

/** Absent if the pod asks for none. `isNvidia`: its runtime handler reads NVIDIA_VISIBLE_DEVICES. */
export function requestOf(pod: Pod, isNvidia: boolean): DeviceRequest | undefined {
  const all = containersOf(pod);
  const kinds = new Set(all.flatMap(({ container }) => kindsIn(container)));
  const counted = [...kinds].map((kind) => countedRequest(pod, kind));
  const named = mergeNamed([
    ...annotatedNames(pod).map((name) => ({
      name,
      containers: all.map(({ container }) => container.name),
    })),
    ...(isNvidia ? all.flatMap(({ container }) => variableRequests(container)) : []),
  ]);
  return counted.length + named.length === 0 ? undefined : { counted, named };
}

/** Devices that annotations `cdi.k8s.io/...` of a pod name, for all of its containers. */
function annotatedNames({ metadata }: Pod): readonly string[] {
  return Object.entries(metadata.annotations)
    .filter(([key]) => key.startsWith(cdiAnnotationPrefix))
    .flatMap(([, value]) => value.split(',').map((name) => name.trim()));
}

/** What a container asks of NVIDIA's runtime itself; a number in its limits counts instead. */
function variableRequests(container: Container): readonly NamedRequest[] {
  const { value = '' } = container.env.findLast(({ name }) => name === visibleDevices) ?? {};
  if (kindsIn(container).includes(gpuKind) || ['', 'none', 'void'].includes(value)) return [];
  return value.split(',').map((text) => {
    const name = text.trim();
    const isFull = parseQualifiedName(name) !== undefined;
    return {
      name: isFull ? name : qualified({ kind: gpuKind, name }),
      containers: [container.name],
    };
  });
}

function kindsIn({ resources }: Container): readonly string[] {
  return Object.entries(resources.limits).flatMap(([name, amount]) =>
    isDeviceResource(name) && (parseQuantity(amount) ?? 0) > 0 ? [name] : [],
  );
}

function countedRequest(pod: Pod, kind: string): CountedRequest {
  const shares: Record<string, readonly number[]> = {};
  let kept = 0;
  let count = 0;
  for (const { container, kind: role } of containersOf(pod)) {
    const amount = parseQuantity(container.resources.limits[kind] ?? '0') ?? 0;
    if (amount === 0) continue;
    shares[container.name] = Array.from({ length: amount }, (_, index) => kept + index);
    count = Math.max(count, kept + amount);
    if (role !== 'init') kept += amount;
  }
  return { kind, count, shares };
}

function mergeNamed(requests: readonly NamedRequest[]): readonly NamedRequest[] {
  const byName = Map.groupBy(requests, ({ name }) => name);
  return [...byName].map(([name, same]) => ({
    name,
    containers: [...new Set(same.flatMap(({ containers }) => containers))],
  }));
}
