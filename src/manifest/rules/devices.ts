/** Devices in the limits of containers: `vendor/class` and how many. */
import { isDeviceKind, isDeviceResource } from '../../pod/devices.ts';
import { own } from '../../pod/own.ts';
import { parseQuantity } from '../../pod/quantity.ts';
import { invalidValue } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import type { Amounts } from './resources.ts';
import { placedContainers } from './rule.ts';
import type { PartlyPod } from './rule.ts';

/** More than any node has. */
const mostDevices = 4096;

/** A device is given as a whole and to one pod, so limit and request are the same number. */
export function* checkDevices(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    const { requests = {}, limits = {} } = container.resources ?? {};
    const names = new Set(
      [...Object.keys(requests), ...Object.keys(limits)].filter(isDeviceResource),
    );
    for (const name of names) yield* checkDevice(name, requests, limits, [...path, 'resources']);
  }
}

function* checkDevice(
  name: string,
  requests: Amounts,
  limits: Amounts,
  at: Path,
): Generator<Problem> {
  const [request, limit] = [requests, limits].map((all) => own(all, name));
  const fault = faultInKind(name);
  const place = [...at, limit === undefined ? 'requests' : 'limits', name];
  if (fault !== undefined) {
    const hint = 'name the kind of a device as `reprise get devices` shows it, or remove it';
    yield { path: place, message: invalidValue(name, fault), hint };
  } else if (limit === undefined) {
    const message = 'Required value: Limit must be set for non overcommitable resources';
    yield {
      path: [...at, 'limits', name],
      message,
      hint: 'move it from the requests to the limits',
    };
  } else if (!Number.isInteger(amount(limit)) || amount(limit) > mostDevices) {
    yield {
      path: place,
      message: invalidValue(limit, `must be an integer of at most ${mostDevices}`),
      hint: 'write how many devices the container gets: each is given as a whole',
    };
  } else if (request !== undefined && amount(request) < amount(limit)) {
    // That it is not more is checked for all resources alike.
    yield {
      path: [...at, 'requests', name],
      message: invalidValue(request, `must be equal to ${name} limit of ${limit}`),
      hint: 'leave the request out: then it is the limit',
    };
  }
}

/** Kubernetes' own names after a slash mean nothing here; all others are kinds of devices. */
function faultInKind(name: string): string | undefined {
  if (/^(?:.*\.)?kubernetes\.io\//.test(name)) return 'must be a standard resource of a container';
  return isDeviceKind(name)
    ? undefined
    : 'must be the kind of a device, vendor/class, such as nvidia.com/gpu';
}

function amount(quantity: string | number | undefined): number {
  return parseQuantity(String(quantity)) ?? 0;
}
