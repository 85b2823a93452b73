/**
 * What devices mean for the life of a pod: it does not begin before it has them, and no run of it begins
 * while something of the run before has one of them open.
 *
 * Who gets which is decided for all pods of the node together, in devices/allocate.ts.
 */
import type { Action } from './action.ts';
import type { Decision, Look, PodEvent } from './decision.ts';
import { only } from './decision.ts';
import type { Memory } from './memory.ts';

/** How the devices of a pod are; only pods that ask for some have it. */
export const devicesHealthyCondition = 'reprise.dev/DevicesHealthy';

/** Whether the pod has to wait for devices that others have. */
export function waitsForDevices({ observed }: Pick<Look, 'observed'>): boolean {
  return observed.devices?.waits !== undefined;
}

/** The check that nobody has a device of the pod open any more; none if it is done or has none. */
export function freeDevices({ observed }: Look, before: number): readonly Action[] {
  const { devices, devicesFree = 0 } = observed;
  if (devices === undefined || devices.given.length === 0 || devicesFree >= before) return [];
  return [{ kind: 'free-devices', before }];
}

/** A restart that is not tried with an unhealthy device; absent: nothing keeps it from going on. */
export function heldByDevices({ observed, settings }: Look, memory: Memory): Decision | undefined {
  const faults = unhealthyIn(observed.devices);
  const { restart } = memory;
  if (settings.unhealthyDevices === 'restart' || faults.length === 0) return undefined;
  if (restart === undefined || restart.heldByDevices === true) return only(memory);
  const event: PodEvent = {
    type: 'Warning',
    reason: 'RestartHeld',
    message: `The restart waits for devices to be healthy again: ${faults.join('; ')}`,
  };
  return {
    memory: { ...memory, restart: { ...restart, heldByDevices: true } },
    actions: [],
    events: [event],
  };
}

/** Every unhealthy device of a pod in words, each once. */
export function unhealthyIn(devices: Look['observed']['devices']): readonly string[] {
  const faults = (devices?.given ?? []).flatMap(({ id, fault }) =>
    fault === undefined ? [] : [`${id}: ${fault}`],
  );
  return [...new Set(faults)];
}
