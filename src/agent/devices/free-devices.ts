/**
 * Makes sure that nothing of the run before has a device of the pod open. After the kill the pod's cgroup
 * holds nothing but the pause process, so there is nothing to look at but that; whoever is still
 * in there left its container's cgroup, and ends now. Whoever left the pod's cgroup altogether is
 * found by nvidia-smi, and cannot be ended from here: the pod waits, and says for whom.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { containerCgroup, processDirectoryOf, processesIn } from '../../host/cgroups.ts';
import { DeviceError } from '../../host/devices/device-error.ts';
import { commandOf, holdersIn, pausePidIn, sharesNamespace } from '../../host/devices/holders.ts';
import type { Holder } from '../../host/devices/holders.ts';
import type { NvidiaSmi } from '../../host/devices/nvidia-smi.ts';
import { NvidiaSmiError } from '../../host/devices/nvidia-smi.ts';
import { killContainers, killDirectly } from '../../host/kill.ts';
import { placesOf } from '../../host/lend.ts';
import type { Pod } from '../../pod/pod.ts';
import { podKey } from '../../pod/pod.ts';
import type { Means, Occasion } from '../means.ts';
import type { DeviceKeeper } from './keeper.ts';

/** How long processes may take to let go before somebody has to be told. */
const FREE_WITHIN_MS = 2_000;
const LOOK_AGAIN_MS = 20;
/** nvidia-smi takes its time. */
const ASK_AGAIN_MS = 250;

type FreeingMeans = Pick<Means, 'lending' | 'hierarchy'> & {
  readonly devices: {
    readonly keeper: Pick<DeviceKeeper, 'belongingsOf'>;
    readonly smi: Pick<NvidiaSmi, 'computeProcesses'>;
  };
};
type FreeingOccasion = Pick<Occasion, 'pod' | 'picture' | 'tell' | 'signal'>;

/** Throws DeviceError when something of generations before `before` does not let go. */
export async function freeDevices(
  means: FreeingMeans,
  before: number,
  occasion: FreeingOccasion,
): Promise<void> {
  const { pod, signal } = occasion;
  const { numbers, gpuUuids } = await means.devices.keeper.belongingsOf(pod);
  const place = cgroupsOf(means, before, occasion);
  await endHolders(means, place, numbers, occasion);
  if (gpuUuids.size > 0) await awaitComputeProcesses(means, place, gpuUuids, occasion);
  signal.throwIfAborted();
}

interface Place {
  readonly pod: string;
  readonly sandbox?: string;
  /** What may go on: the pause process, and what is newer. */
  readonly spared: readonly string[];
}

function cgroupsOf(
  { lending }: FreeingMeans,
  before: number,
  { pod, picture }: FreeingOccasion,
): Place {
  const { cgroup } = placesOf(pod, lending);
  const { sandboxes, instances } = picture.observed;
  const inPod = (id: string): string => containerCgroup(cgroup, id, lending.cgroupDriver);
  const newer = instances.flatMap(({ id, generation }) =>
    id !== undefined && generation >= before ? [inPod(id)] : [],
  );
  const paused = sandboxes.map(({ id }) => inPod(id));
  return { pod: cgroup, sandbox: paused[0], spared: [...paused, ...newer] };
}

async function endHolders(
  { hierarchy }: FreeingMeans,
  place: Place,
  numbers: ReadonlySet<string>,
  { pod, tell, signal }: FreeingOccasion,
): Promise<void> {
  const look = (): readonly Holder[] => holdersIn(place.pod, place.spared, numbers, hierarchy);
  const told = new Set<number>();
  const deadline = performance.now() + FREE_WITHIN_MS;
  for (;;) {
    const holders = look();
    if (holders.length === 0) return;
    for (const { pid, command, path } of holders.filter((one) => !told.has(one.pid))) {
      told.add(pid);
      const message = `Process ${pid} (${command}) of the run before still has ${path} open; it is killed`;
      tell({ type: 'Warning', reason: 'DeviceInUse', message });
    }
    if (performance.now() > deadline) throw inUse(pod, holders.map(inWords));
    const below = holders.map(({ cgroup }) => cgroup).filter((cgroup) => cgroup !== place.pod);
    await killContainers([...new Set(below)], { hierarchy });
    const direct = holders.filter(({ cgroup }) => cgroup === place.pod).map(({ pid }) => pid);
    if (direct.length > 0) await killDirectly(place.pod, new Set(direct), { hierarchy });
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}

async function awaitComputeProcesses(
  means: FreeingMeans,
  place: Place,
  gpuUuids: ReadonlySet<string>,
  { pod, tell, signal }: FreeingOccasion,
): Promise<void> {
  const pausePid =
    place.sandbox === undefined ? undefined : pausePidIn(place.sandbox, means.hierarchy);
  const isSpared = (pid: number): boolean =>
    place.spared.some((cgroup) =>
      processesIn(processDirectoryOf(cgroup, means.hierarchy)).includes(pid),
    );
  const deadline = performance.now() + FREE_WITHIN_MS;
  for (;;) {
    let left: readonly number[];
    try {
      const all = await means.devices.smi.computeProcesses(signal);
      left = all
        .filter(({ gpuUuid }) => gpuUuids.has(gpuUuid))
        .map(({ pid }) => pid)
        .filter((pid) => pausePid !== undefined && isOf(pod, pid, pausePid))
        // Ephemeral containers are not of the run before, and stay.
        .filter((pid) => !isSpared(pid));
    } catch (error) {
      if (!(error instanceof NvidiaSmiError)) throw error;
      // What has devices open was looked for already; this would have been a second opinion.
      if (error.isAboutDevices) {
        tell({ type: 'Warning', reason: 'DeviceCheckFailed', message: error.message });
      }
      return;
    }
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw inUse(
        pod,
        left.map((pid) => `process ${pid} (${commandOf(pid)})`),
      );
    }
    await delay(ASK_AGAIN_MS, undefined, { signal });
  }
}

/** Whoever leaves a pod's cgroup stays in its namespaces; those of the host are everybody's. */
function isOf({ spec }: Pod, pid: number, pausePid: number): boolean {
  const own = [
    ...(spec.hostIPC ? [] : ['ipc' as const]),
    ...(spec.hostNetwork ? [] : ['net' as const]),
  ];
  return pid !== pausePid && sharesNamespace(pid, pausePid, own);
}

function inWords({ pid, command, path }: Holder): string {
  return `process ${pid} (${command}) has ${path} open`;
}

function inUse(pod: Pod, holders: readonly string[]): DeviceError {
  return new DeviceError(
    `devices of the pod are still in use by its run before: ${holders.join(', ')}`,
    {
      where: `pod ${podKey(pod)}`,
      next: 'end them (kill -9 PID); if they do not die they hang in the driver: see /proc/PID/stack. The pod waits',
    },
  );
}
