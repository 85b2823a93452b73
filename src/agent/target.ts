/** Where probes and hooks of a pod go when they name no host, and ports that are given by name. */
import { currentSandbox } from '../pod/instances.ts';
import { portNumber } from '../pod/handler.ts';
import type { Container } from '../pod/pod.ts';
import type { Means, Occasion } from './means.ts';

/** The address of a pod: the node's own with the node's network; empty if it has none. */
export function addressOf(
  { node }: Pick<Means, 'node'>,
  { pod, picture }: Pick<Occasion, 'pod' | 'picture'>,
): string {
  if (pod.spec.hostNetwork) return node.hostIPs[0] ?? '';
  return currentSandbox(picture.observed, picture.memory)?.ips[0] ?? '';
}

/** The number of a port; throws if the container has none of that name. */
export function portOf(container: Container, port: number | string): number {
  const number = portNumber(container, port);
  if (number !== undefined) return number;
  throw new Error(`couldn't find port: "${port}" in the container's ports`);
}
