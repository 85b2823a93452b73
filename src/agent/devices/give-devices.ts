/**
 * Devices on their way into one container: looked up when it is created, proven to have arrived, and
 * looked at again before it is started, as it may have been created long ahead.
 */
import { DeviceError } from '../../host/devices/device-error.ts';
import type { NvidiaSmi } from '../../host/devices/nvidia-smi.ts';
import type { NodeOwner } from '../../host/devices/nodes.ts';
import { placesOf } from '../../host/lend.ts';
import type { DeviceGrant } from '../../pod/devices.ts';
import type { Container, Pod } from '../../pod/pod.ts';
import { podKey } from '../../pod/pod.ts';
import { devicesAnnotation } from '../../runtime/devices.ts';
import type { ImageUser } from '../../runtime/images.ts';
import type { Means, Occasion } from '../means.ts';
import type { DeviceKeeper } from './keeper.ts';

/** What the actions need for devices. */
export interface DeviceMeans {
  readonly keeper: DeviceKeeper;
  readonly smi: NvidiaSmi;
  /** By id of a container that was created and not started yet: what it was made with. */
  readonly madeWith: Map<string, string>;
}

type GivingMeans = Pick<Means, 'devices' | 'lending' | 'cri'>;

/** What a container is given; absent if nothing. */
export async function devicesFor(
  { devices, lending }: GivingMeans,
  pod: Pod,
  container: Container,
  user: ImageUser | undefined,
): Promise<DeviceGrant | undefined> {
  if (!devices.keeper.mayHave(pod)) return undefined;
  const folder = `${placesOf(pod, lending).devices}/${container.name}`;
  return await devices.keeper.grantFor(pod, container.name, folder, ownerOf(pod, container, user));
}

/**
 * Looks whether containerd has put what it was asked for by way of CDI into a container that was just
 * created; one that goes without would start all the same. Throws DeviceError after removing it.
 */
export async function proveInjected(
  { devices, cri }: GivingMeans,
  pod: Pod,
  { id, name }: { readonly id: string; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  const expected = devices.keeper.mayHave(pod) ? devices.keeper.cdiPathsOf(pod, name) : [];
  if (expected.length === 0) return;
  const info = (await cri.containerInfo(id, signal)) as {
    runtimeSpec?: { linux?: { devices?: readonly { path: string }[] } };
  };
  const there = new Set((info.runtimeSpec?.linux?.devices ?? []).map(({ path }) => path));
  const missing = expected.find((path) => !there.has(path));
  if (missing === undefined) return;
  await cri.removeContainer(id, signal);
  throw new DeviceError(`containerd has created the container without its device ${missing}`, {
    where: `pod ${podKey(pod)}, container "${name}"`,
    next: 'see containerd’s log about CDI; reprise doctor tells how it is configured',
  });
}

/**
 * Whether a container that was created would get the same now: a driver that was loaded anew may have
 * other numbers, a new specification other mounts. Throws DeviceError when a device is gone, and, after
 * removing it, when a container whose creation was not seen to its end goes without one.
 */
export async function hasSameDevices(
  means: GivingMeans,
  { id, name }: { readonly id: string; readonly name: string },
  { pod, signal }: Pick<Occasion, 'pod' | 'signal'>,
): Promise<boolean> {
  const { devices, cri } = means;
  if (!devices.keeper.knows(pod)) return true;
  const seen = devices.madeWith.get(id);
  const made = seen ?? (await madeWith(cri, id, signal));
  if (made !== undefined && made !== (await devices.keeper.summaryOf(pod, name))) return false;
  if (seen === undefined) await proveInjected(means, pod, { id, name }, signal);
  return true;
}

/** One that an earlier life of the agent has made says so itself. */
async function madeWith(
  cri: GivingMeans['cri'],
  id: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return (await cri.containerStatus(id, signal)).annotations[devicesAnnotation];
}

/** Who the processes of a container are, if that is known by number. */
function ownerOf(
  { spec }: Pod,
  { securityContext: own }: Container,
  user: ImageUser | undefined,
): NodeOwner {
  const uid = own.runAsUser ?? spec.securityContext.runAsUser ?? user?.uid;
  const gid = own.runAsGroup ?? spec.securityContext.runAsGroup;
  return { uid, gid };
}
