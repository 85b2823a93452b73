/**
 * What a pod is called on its network, after the kubelet's GeneratePodHostNameAndDomain.
 *
 * There is no cluster whose DNS would know the domain; it is for the pod itself, in /etc/hosts.
 */
import type { Pod } from './pod.ts';

/** The longest name that the kernel takes. */
export const maxKernelHostname = 64;

export interface PodNames {
  readonly hostname: string;
  /** With a subdomain: `<subdomain>.<namespace>.svc.<cluster domain>`. */
  readonly domain?: string;
  /** What `hostname` prints in the pod's containers. */
  readonly kernelHostname: string;
}

/** The names of a pod with a network of its own. */
export function namesOf({ metadata, spec }: Pod, clusterDomain: string): PodNames {
  const { hostnameOverride, subdomain } = spec;
  if (hostnameOverride !== undefined) {
    return { hostname: hostnameOverride, kernelHostname: hostnameOverride };
  }
  // A DNS label has at most 63 characters, and ends in a letter or digit.
  const hostname = (spec.hostname ?? metadata.name).slice(0, 63).replace(/[-.]+$/, '');
  if (subdomain === undefined) return { hostname, kernelHostname: hostname };
  const domain = `${subdomain}.${metadata.namespace}.svc.${clusterDomain}`;
  const kernelHostname = spec.setHostnameAsFQDN ? `${hostname}.${domain}` : hostname;
  return { hostname, domain, kernelHostname };
}
