/**
 * Pod and loan -> the sandbox as CRI wants to hear it. Pure: the same config is made again for
 * every container that is created in the sandbox.
 *
 * Its resolver comes on top when the sandbox is made (dns.ts); containers have no use for it.
 */
import { RepriseError } from '../errors.ts';
import { maxKernelHostname, namesOf } from '../pod/hostname.ts';
import type { Loan } from '../pod/loan.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import { podKey } from '../pod/pod.ts';
import type { Pod } from '../pod/pod.ts';
import type { PodSandboxConfig } from './generated/runtime/v1/PodSandboxConfig.ts';
import type { PortMapping } from './generated/runtime/v1/PortMapping.ts';
import { sandboxLabels } from './labels.ts';
import { sandboxResourcesOf } from './resources.ts';
import { sandboxSecurity } from './security.ts';

/** The config of one attempt at the pod's sandbox. */
export function sandboxConfig(
  pod: Pod,
  attempt: number,
  loan: Loan,
  node: NodeFacts,
): PodSandboxConfig {
  const { metadata, spec } = pod;
  const { name, namespace, uid } = metadata;
  return {
    metadata: { name, namespace, uid, attempt },
    // With the host's network the host's name stays, and the OCI runtime refuses another one.
    hostname: spec.hostNetwork ? '' : kernelHostnameOf(pod, node),
    logDirectory: loan.logDirectory,
    portMappings: portMappingsOf(pod),
    labels: sandboxLabels(pod, node.agentId),
    annotations: metadata.annotations,
    linux: {
      cgroupParent: loan.cgroupParent,
      sysctls: sysctlsOf(pod),
      securityContext: sandboxSecurity(pod, loan, node),
      resources: sandboxResourcesOf(pod, node),
    },
  };
}

function kernelHostnameOf(pod: Pod, { clusterDomain }: NodeFacts): string {
  const { kernelHostname } = namesOf(pod, clusterDomain);
  if (kernelHostname.length <= maxKernelHostname) return kernelHostname;
  throw new RepriseError(
    `the hostname "${kernelHostname}" is too long: ${kernelHostname.length} characters, where the kernel takes ${maxKernelHostname}`,
    {
      where: `${podKey(pod)}, spec.setHostnameAsFQDN`,
      next: 'choose a shorter hostname, subdomain or namespace, or leave setHostnameAsFQDN out',
    },
  );
}

/** Only app containers get ports of the host, as with the kubelet. */
function portMappingsOf({ spec }: Pod): PortMapping[] {
  if (spec.hostNetwork) return [];
  return spec.containers
    .flatMap(({ ports }) => ports)
    .flatMap(({ protocol, containerPort, hostPort = 0, hostIP = '' }) =>
      hostPort > 0 ? [{ protocol, containerPort, hostPort, hostIp: hostIP }] : [],
    );
}

function sysctlsOf({ spec }: Pod): Record<string, string> {
  const { sysctls } = spec.securityContext;
  return Object.fromEntries(sysctls.map(({ name, value }) => [name.replaceAll('/', '.'), value]));
}
