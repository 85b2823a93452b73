/**
 * Identity and rights of sandboxes and containers in CRI's words. What is not said to CRI is
 * allowed, so everything that is to be closed is closed here.
 */
import { posix } from 'node:path';
import type { Loan } from '../pod/loan.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import { everyContainerOf } from '../pod/pod.ts';
import type { AppArmorProfile, Container, Pod, SeccompProfile } from '../pod/pod.ts';
import type { LinuxContainerSecurityContext } from './generated/runtime/v1/LinuxContainerSecurityContext.ts';
import type { LinuxSandboxSecurityContext } from './generated/runtime/v1/LinuxSandboxSecurityContext.ts';
import type { NamespaceOption } from './generated/runtime/v1/NamespaceOption.ts';
import type { SecurityProfile } from './generated/runtime/v1/SecurityProfile.ts';
import type { ImageUser } from './images.ts';
import { userNamespaceOf } from './user-namespace.ts';

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
export function sandboxSecurity(
  pod: Pod,
  loan: Loan,
  node: NodeFacts,
): LinuxSandboxSecurityContext {
  const { spec } = pod;
  const { runAsUser, runAsGroup, seLinuxOptions } = spec.securityContext;
  return {
    namespaceOptions: namespacesOf(pod, loan, node),
    // Containers are judged by it as they are made, ephemeral ones too.
    privileged: everyContainerOf(pod).some(({ container }) => container.securityContext.privileged),
    seccomp: { profileType: 'RuntimeDefault' },
    ...groupsOf(pod),
    ...(seLinuxOptions && { selinuxOptions: seLinuxOptions }),
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
  loan: Loan,
  node: NodeFacts,
): LinuxContainerSecurityContext {
  const { securityContext: shared } = pod.spec;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  const seLinuxOptions = own.seLinuxOptions ?? shared.seLinuxOptions;
  const appArmorProfile = own.appArmorProfile ?? shared.appArmorProfile;
  const isUnmasked = own.procMount === 'Unmasked';
  return {
    namespaceOptions: namespacesOf(pod, loan, node),
    privileged: own.privileged,
    readonlyRootfs: own.readOnlyRootFilesystem,
    capabilities: {
      addCapabilities: own.capabilities.add.map(withoutPrefix),
      dropCapabilities: own.capabilities.drop.map(withoutPrefix),
    },
    noNewPrivs: own.allowPrivilegeEscalation === false,
    maskedPaths: isUnmasked ? [] : [...maskedPaths, ...node.thermalThrottlePaths],
    readonlyPaths: isUnmasked ? [] : readonlyPaths,
    seccomp: seccompOf(profileOf(pod, own), node),
    ...groupsOf(pod),
    ...(appArmorProfile && { apparmor: appArmorOf(appArmorProfile) }),
    ...(seLinuxOptions && { selinuxOptions: seLinuxOptions }),
    ...userOf(own.runAsUser ?? shared.runAsUser, imageUser),
    ...(runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
  };
}

/** The same, with the processes of another container in the place of its own alone. */
export function seeing(
  target: string | undefined,
  security: LinuxContainerSecurityContext,
): LinuxContainerSecurityContext {
  if (target === undefined) return security;
  const { namespaceOptions } = security;
  return {
    ...security,
    namespaceOptions: { ...namespaceOptions, pid: 'TARGET', targetId: target },
  };
}

/** containerd puts the prefix before every name; what has it twice it would pass over in silence. */
function withoutPrefix(capability: string): string {
  return capability.replace(/^CAP_/i, '');
}

/** The image's user is said too: containerd refuses a group without a user. */
function userOf(
  runAsUser: number | undefined,
  image: ImageUser,
): Pick<LinuxContainerSecurityContext, 'runAsUser' | 'runAsUsername'> {
  const uid = runAsUser ?? image.uid;
  return uid === undefined ? { runAsUsername: image.name } : { runAsUser: { value: uid } };
}

function groupsOf({
  spec: { securityContext },
}: Pod): Pick<LinuxContainerSecurityContext, 'supplementalGroups' | 'supplementalGroupsPolicy'> {
  const { fsGroup, supplementalGroups, supplementalGroupsPolicy } = securityContext;
  return {
    supplementalGroups:
      fsGroup === undefined ? [...supplementalGroups] : [fsGroup, ...supplementalGroups],
    ...(supplementalGroupsPolicy && { supplementalGroupsPolicy }),
  };
}

function namespacesOf(pod: Pod, loan: Loan, node: NodeFacts): NamespaceOption {
  const { spec } = pod;
  const usernsOptions = userNamespaceOf(pod, loan, node);
  return {
    network: spec.hostNetwork ? 'NODE' : 'POD',
    ipc: spec.hostIPC ? 'NODE' : 'POD',
    pid: spec.hostPID ? 'NODE' : spec.shareProcessNamespace ? 'POD' : 'CONTAINER',
    ...(usernsOptions && { usernsOptions }),
  };
}

function seccompOf(profile: SeccompProfile | undefined, node: NodeFacts): SecurityProfile {
  if (profile?.type !== 'Localhost') return { profileType: profile?.type ?? 'Unconfined' };
  const { localhostProfile = '' } = profile;
  return { profileType: 'Localhost', localhostRef: seccompFile(node, localhostProfile) };
}

/** The file that a container's seccomp profile is in, if that is one of the node's. */
export function seccompFileOf(
  pod: Pod,
  { securityContext }: Container,
  node: NodeFacts,
): string | undefined {
  const profile = profileOf(pod, securityContext);
  return profile?.type === 'Localhost' ? seccompOf(profile, node).localhostRef : undefined;
}

function profileOf(
  { spec }: Pod,
  own: Pick<Container['securityContext'], 'seccompProfile'>,
): SeccompProfile | undefined {
  return own.seccompProfile ?? spec.securityContext.seccompProfile;
}

/** The manifest's check has seen to it already; this is the last moment before root reads the file. */
function seccompFile({ seccompDirectory }: NodeFacts, profile: string): string {
  const file = posix.join(seccompDirectory, profile);
  if (!file.startsWith(`${seccompDirectory}/`))
    throw new Error(`"${profile}" leads out of its folder`);
  return file;
}

function appArmorOf({ type, localhostProfile = '' }: AppArmorProfile): SecurityProfile {
  return type === 'Localhost'
    ? { profileType: type, localhostRef: localhostProfile }
    : { profileType: type };
}
