/**
 * Identity and rights of sandboxes and containers in CRI's words. What is not said to CRI is
 * allowed, so everything that is to be closed is closed here.
 */
import type { NodeFacts } from '../pod/node-facts.ts';
import type { Container, Pod, SeccompProfile } from '../pod/pod.ts';
import type { LinuxContainerSecurityContext } from './generated/runtime/v1/LinuxContainerSecurityContext.ts';
import type { LinuxSandboxSecurityContext } from './generated/runtime/v1/LinuxSandboxSecurityContext.ts';
import type { NamespaceOption } from './generated/runtime/v1/NamespaceOption.ts';
import type { SecurityProfile } from './generated/runtime/v1/SecurityProfile.ts';
import type { ImageUser } from './images.ts';

/** Files that tell of the host or reach into its hardware: not to be seen. */
const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

/** Files that belong to the whole machine: not to be written. */
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** The pause process's. */
export function sandboxSecurity(pod: Pod): LinuxSandboxSecurityContext {
  const { spec } = pod;
  const { runAsUser, runAsGroup } = spec.securityContext;
  const containers = [...spec.initContainers, ...spec.containers];
  return {
    namespaceOptions: namespacesOf(pod),
    privileged: containers.some(({ securityContext }) => securityContext.privileged),
    seccomp: { profileType: 'RuntimeDefault' },
    supplementalGroups: groupsOf(pod),
    ...(runAsUser !== undefined && { runAsUser: { value: runAsUser } }),
    // containerd refuses a group without a user.
    ...(runAsUser !== undefined &&
      runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
  };
}

/** A container's; what it says itself comes before what the pod says. */
export function containerSecurity(
  pod: Pod,
  { securityContext: own }: Container,
  imageUser: ImageUser,
  node: NodeFacts,
): LinuxContainerSecurityContext {
  const { securityContext: shared } = pod.spec;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  return {
    namespaceOptions: namespacesOf(pod),
    privileged: own.privileged,
    readonlyRootfs: own.readOnlyRootFilesystem,
    capabilities: {
      addCapabilities: [...own.capabilities.add],
      dropCapabilities: [...own.capabilities.drop],
    },
    noNewPrivs: own.allowPrivilegeEscalation === false,
    maskedPaths: [...maskedPaths, ...node.thermalThrottlePaths],
    readonlyPaths,
    seccomp: seccompOf(own.seccompProfile ?? shared.seccompProfile),
    supplementalGroups: groupsOf(pod),
    ...userOf(own.runAsUser ?? shared.runAsUser, imageUser),
    ...(runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
  };
}

/** The image's user is said too: containerd refuses a group without a user. */
function userOf(
  runAsUser: number | undefined,
  image: ImageUser,
): Pick<LinuxContainerSecurityContext, 'runAsUser' | 'runAsUsername'> {
  const uid = runAsUser ?? image.uid;
  return uid === undefined ? { runAsUsername: image.name } : { runAsUser: { value: uid } };
}

function groupsOf({ spec: { securityContext } }: Pod): number[] {
  const { fsGroup, supplementalGroups } = securityContext;
  return fsGroup === undefined ? [...supplementalGroups] : [fsGroup, ...supplementalGroups];
}

function namespacesOf({ spec }: Pod): NamespaceOption {
  return {
    network: spec.hostNetwork ? 'NODE' : 'POD',
    ipc: spec.hostIPC ? 'NODE' : 'POD',
    pid: spec.hostPID ? 'NODE' : spec.shareProcessNamespace ? 'POD' : 'CONTAINER',
  };
}

function seccompOf(profile: SeccompProfile | undefined): SecurityProfile {
  return { profileType: profile?.type ?? 'Unconfined' };
}
