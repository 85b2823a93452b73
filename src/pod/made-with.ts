/**
 * What a container that has been made was made with, as its status tells it: the kubelet's
 * convertToAPIContainerStatuses. Nothing of it changes while the container is there.
 */
import type { ContainerMemory } from './memory.ts';
import type { NodeFacts } from './node-facts.ts';
import type { LinuxUser } from './origin.ts';
import { own } from './own.ts';
import type { Container, Pod, Resources, VolumeMount } from './pod.ts';
import type { V1ContainerStatus, V1LinuxUser, V1VolumeMountStatus } from './pod-status.ts';

export type MadeWith = Pick<
  V1ContainerStatus,
  'resources' | 'allocatedResources' | 'volumeMounts' | 'user'
>;

/** Empty for a container that there has never been. */
export function madeWith(
  { spec: { runtimeClassName = '' } }: Pod,
  { resources, volumeMounts }: Pick<Container, 'resources' | 'volumeMounts'>,
  known: ContainerMemory | undefined,
  { handlers }: Pick<NodeFacts, 'handlers'>,
): MadeWith {
  if (known?.containerId === undefined) return {};
  const isRecursive = own(handlers, runtimeClassName)?.recursiveReadOnlyMounts === true;
  return {
    resources: shown(resources),
    ...(hasAny(resources.requests) && { allocatedResources: resources.requests }),
    ...(volumeMounts.length > 0 && {
      volumeMounts: volumeMounts.map((mount) => mounted(mount, isRecursive)),
    }),
    ...(known.user !== undefined && { user: { linux: shownUser(known.user) } }),
  };
}

/** Kubernetes leaves out what is empty. */
function shown({ limits, requests }: Resources): Partial<Resources> {
  return { ...(hasAny(limits) && { limits }), ...(hasAny(requests) && { requests }) };
}

function shownUser({ uid, gid, supplementalGroups }: LinuxUser): V1LinuxUser {
  return { uid, gid, ...(supplementalGroups.length > 0 && { supplementalGroups }) };
}

function hasAny(amounts: Readonly<Record<string, string>>): boolean {
  return Object.keys(amounts).length > 0;
}

/** What IfPossible came to; a container with Enabled on a node that cannot do it was never made. */
function mounted(mount: VolumeMount, isRecursive: boolean): V1VolumeMountStatus {
  const { name, mountPath, readOnly, recursiveReadOnly = 'Disabled' } = mount;
  if (!readOnly) return { name, mountPath };
  const isDeep = recursiveReadOnly !== 'Disabled' && isRecursive;
  return { name, mountPath, readOnly, recursiveReadOnly: isDeep ? 'Enabled' : 'Disabled' };
}
