/**
 * A container's mounts in CRI's words, and the sub-paths that have to be bound before them. Pure.
 */
import { posix } from 'node:path';
import type { Loan, SubPath } from '../pod/loan.ts';
import { subPathPlace } from '../pod/loan.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import { own } from '../pod/own.ts';
import type { Container, Pod, VolumeMount } from '../pod/pod.ts';
import { readOnlySources } from '../pod/volume-sources.ts';
import type { ImageVolume } from '../pod/volume-sources.ts';
import { ContainerConfigError } from './config-error.ts';
import { expandPath } from './expand.ts';
import type { Environment } from './expand.ts';
import type { Mount } from './generated/runtime/v1/Mount.ts';
import { imageSource } from './image-mounts.ts';
import type { VolumeImages } from './image-mounts.ts';

const hostsPath = '/etc/hosts';

/** The container's own mounts in their order, then the managed /etc/hosts unless it brings one. */
export function mountsOf(
  pod: Pod,
  container: Container,
  loan: Loan,
  node: NodeFacts,
  { environment, images }: { environment: Environment; images: VolumeImages },
): Mount[] {
  const handler = pod.spec.runtimeClassName ?? '';
  const sourceOf = (mount: VolumeMount, index: number): Mount => {
    const image = imageOf(pod, mount);
    if (image !== undefined) {
      const subPath = hasSubPath(mount) ? subPathOf(mount, environment) : undefined;
      return imageSource(mount.name, image.reference, images, subPath);
    }
    const place = { volume: mount.name, container: container.name, index };
    return { hostPath: hasSubPath(mount) ? subPathPlace(loan, place) : hostPathOf(mount, loan) };
  };
  const mounts = container.volumeMounts.map((mount, index): Mount => ({
    containerPath: posix.resolve('/', mount.mountPath),
    ...sourceOf(mount, index),
    readonly: mount.readOnly || isReadOnlyVolume(pod, mount),
    ...(isRecursive(mount, own(node.handlers, handler)?.recursiveReadOnlyMounts === true) && {
      recursiveReadOnly: true,
    }),
    ...propagationOf(mount),
    ...(isLent(pod, mount) && { selinuxRelabel: true }),
  }));
  if (mounts.some(({ containerPath }) => containerPath === hostsPath)) return mounts;
  const hosts = { containerPath: hostsPath, hostPath: loan.hostsFile, readonly: false };
  return [...mounts, { ...hosts, selinuxRelabel: true }];
}

/** What has to be bound before the container is created, and before it is started. */
export function subPathsOf(
  pod: Pod,
  container: Container,
  environment: Environment,
  loan: Loan,
): readonly SubPath[] {
  return container.volumeMounts.flatMap((mount, index) =>
    // A part of an image is found by the runtime.
    hasSubPath(mount) && imageOf(pod, mount) === undefined
      ? {
          volume: mount.name,
          root: hostPathOf(mount, loan),
          subPath: subPathOf(mount, environment),
          place: subPathPlace(loan, { volume: mount.name, container: container.name, index }),
        }
      : [],
  );
}

/** The paths of the machine that a container mounts as they are. */
export function hostPathsOf(pod: Pod, { volumeMounts }: Container, loan: Loan): readonly string[] {
  return volumeMounts.flatMap((mount) => {
    const isOfTheHost = pod.spec.volumes.find(({ name }) => name === mount.name)?.hostPath;
    return isOfTheHost !== undefined && !hasSubPath(mount) ? hostPathOf(mount, loan) : [];
  });
}

/** Whether a container has to be prepared again before each start. */
export function hasSubPaths({ volumeMounts }: Container): boolean {
  return volumeMounts.some(hasSubPath);
}

function hasSubPath({ subPath, subPathExpr }: VolumeMount): boolean {
  return subPath !== undefined || subPathExpr !== undefined;
}

function subPathOf(mount: VolumeMount, environment: Environment): string {
  return mount.subPath ?? expandedSubPath(mount, environment);
}

function imageOf({ spec }: Pod, { name }: VolumeMount): ImageVolume | undefined {
  return spec.volumes.find((each) => each.name === name)?.image;
}

/**
 * What the node has made for pods gets the label of the container, without which SELinux lets no container
 * use it; what is the machine's own keeps its label. Where there is no SELinux nothing is labelled.
 */
function isLent(pod: Pod, mount: VolumeMount): boolean {
  const volume = pod.spec.volumes.find(({ name }) => name === mount.name);
  return volume !== undefined && volume.hostPath === undefined && volume.image === undefined;
}

function hostPathOf({ name }: VolumeMount, loan: Loan): string {
  const hostPath = own(loan.volumes, name);
  if (hostPath === undefined) throw new Error(`volume "${name}" is mounted but was not lent`);
  return hostPath;
}

/** Whatever the mount says: what is filled from objects is nobody's to write to. */
function isReadOnlyVolume({ spec }: Pod, { name }: VolumeMount): boolean {
  const volume = spec.volumes.find((each) => each.name === name);
  const isFilled = readOnlySources.some((source) => volume?.[source] !== undefined);
  return isFilled || volume?.persistentVolumeClaim?.readOnly === true;
}

// Variables may hold anything, so what the manifest may not say is checked once more.
function expandedSubPath(
  { mountPath, subPathExpr = '' }: VolumeMount,
  environment: Environment,
): string {
  const subPath = expandPath(
    subPathExpr,
    environment,
    `subPathExpr of the mount at "${mountPath}"`,
  );
  if (subPath.startsWith('/')) {
    throw new ContainerConfigError(`error SubPath \`${subPath}\` must not be an absolute path`);
  }
  if (subPath.split('/').includes('..')) {
    throw new ContainerConfigError(
      `unable to provision SubPath \`${subPath}\`: must not contain '..'`,
    );
  }
  return subPath;
}

function isRecursive({ name, recursiveReadOnly }: VolumeMount, isSupported: boolean): boolean {
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return false;
  if (recursiveReadOnly === 'Enabled' && !isSupported) {
    throw new ContainerConfigError(
      `volume "${name}" requested recursive read-only mode, but it is not supported by the runtime`,
      {
        next: 'use recursiveReadOnly: IfPossible, or containerd 2.0 with a kernel of 5.12 or later',
      },
    );
  }
  return isSupported;
}

function propagationOf({ mountPropagation }: VolumeMount): Pick<Mount, 'propagation'> {
  if (mountPropagation === 'HostToContainer') {
    return { propagation: 'PROPAGATION_HOST_TO_CONTAINER' };
  }
  if (mountPropagation === 'Bidirectional') return { propagation: 'PROPAGATION_BIDIRECTIONAL' };
  return {};
}
