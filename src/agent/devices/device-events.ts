/** What a pod is told of its devices, as events. Pure. */
import type { Assignments } from '../../devices/allocate.ts';
import { leftOut } from '../../devices/grant.ts';
import type { Device } from '../../devices/inventory.ts';
import type { PodEvent } from '../../pod/decision.ts';
import type { DeviceView } from '../../pod/devices.ts';

/** What it has been given; `edited`: those whose specification is applied here, as far as it can be. */
export function givenEvents(given: Assignments, edited: readonly Device[]): readonly PodEvent[] {
  const words = Object.entries(given).map(
    ([container, all]) => `${container}: ${all.map(({ id }) => id).join(', ')}`,
  );
  const allocated: PodEvent = {
    type: 'Normal',
    reason: 'DevicesAllocated',
    message: words.join('; '),
  };
  const lost = leftOut(edited);
  if (lost === undefined) return [allocated];
  return [
    allocated,
    {
      type: 'Warning',
      reason: 'CDIEditsLeftOut',
      message: `This containerd does not apply CDI specifications, and not all of them can be done for it: ${lost} left out. Use a containerd with CDI (1.7 with enable_cdi, or 2.0), or for NVIDIA runtimeClassName: nvidia`,
    },
  ];
}

/** What has become of a pod's wait, and of the health of its devices. */
export function changes(before: DeviceView | undefined, now: DeviceView): readonly PodEvent[] {
  if (now.waits !== undefined) {
    if (now.waits === before?.waits) return [];
    return [{ type: 'Warning', reason: 'FailedScheduling', message: now.waits }];
  }
  const ids = [...new Set(now.given.map(({ id }) => id))];
  return ids.flatMap((id): PodEvent[] => {
    const [was, is] = [before, now].map((view) => view?.given.find((one) => one.id === id)?.fault);
    if (was === is) return [];
    return is === undefined
      ? [{ type: 'Normal', reason: 'DeviceHealthy', message: `${id} is healthy again` }]
      : [{ type: 'Warning', reason: 'DeviceUnhealthy', message: `${id}: ${is}` }];
  });
}
