/** The hostname of a pod with a network of its own: at most 63 characters, as Kubernetes cuts it. */
import type { Pod } from './pod.ts';

/** What the pod's containers find in /etc/hostname, and in /etc/hosts beside the pod's address. */
export function hostnameOf(pod: Pod): string {
  return (pod.spec.hostname ?? pod.metadata.name).slice(0, 63).replace(/[-.]+$/, '');
}
