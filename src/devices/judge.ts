/** What is wrong with which device. Pure. */
import type { Device } from './inventory.ts';
import { gpuUuidOf, membersOf } from './inventory.ts';

/** What is known of devices beside what defines them. */
export interface Evidence {
  /** A node of it that should be there. */
  readonly missingNode: (device: Device) => string | undefined;
  /** UUID of the GPU that the driver has told of for it, whatever it tells now. */
  readonly gpuOf: (device: Device) => string | undefined;
  /** UUIDs of GPUs that the driver tells of now. */
  readonly there: ReadonlySet<string>;
  readonly isDriverSilent: boolean;
  /** What others have found wrong, by the UUID of a GPU. */
  readonly reported: ReadonlyMap<string, string>;
}

/** What is wrong, in words, by the id of a device; a group is as faulty as the first of its members. */
export function judge(devices: readonly Device[], evidence: Evidence): ReadonlyMap<string, string> {
  const faults = new Map(
    devices.flatMap((device): [string, string][] => {
      const fault = faultOf(device, evidence);
      return fault === undefined ? [] : [[device.id, fault]];
    }),
  );
  for (const group of devices) {
    const faulty = membersOf(group, devices).find(({ id }) => faults.has(id));
    if (faulty === undefined || faults.has(group.id)) continue;
    faults.set(group.id, `${faulty.id}: ${faults.get(faulty.id) ?? ''}`);
  }
  return faults;
}

function faultOf(device: Device, evidence: Evidence): string | undefined {
  const missing = evidence.missingNode(device);
  if (missing !== undefined) return `its node ${missing} is gone`;
  const uuid = evidence.gpuOf(device);
  if (uuid !== undefined && !evidence.there.has(uuid)) return 'the driver has lost it';
  if (uuid !== undefined && evidence.isDriverSilent) return 'the driver does not answer';
  return evidence.reported.get(gpuUuidOf(device) ?? '');
}
