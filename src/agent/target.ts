/** Where probes and hooks of a pod go when they name no host, and ports that are given by name. */
import { currentSandbox } from '../pod/instances.ts';
import { portNumber } from '../pod/handler.ts';
import type { Container } from '../pod/pod.ts';
import type { Means, Occasion } from './means.ts';

/**
 * The address of a pod: the node's own with the node's network. Of a sandbox that is lost none is told any
 * more; what still runs in it is asked where it was, as under the kubelet. Throws if there never was one:
 * whoever connects to an empty name is connected to the node.
 */
export function addressOf(
  { node }: Pick<Means, 'node'>,
  { pod, picture: { observed, memory } }: Pick<Occasion, 'pod' | 'picture'>,
): string {
  const [address] = pod.spec.hostNetwork
    ? node.hostIPs
    : [...(currentSandbox(observed, memory)?.ips ?? []), ...memory.podIPs];
  if (address === undefined) throw new Error('the pod has no address');
  return address;
}

/** The number of a port; throws if the container has none of that name. */
export function portOf(container: Container, port: number | string): number {
  const number = portNumber(container, port);
  if (number !== undefined) return number;
  throw new Error(`couldn't find port: "${port}" in the container's ports`);
}
