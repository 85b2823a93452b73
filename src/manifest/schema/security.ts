/** Security contexts, of the pod and of a container. */
import { z } from 'zod';
import { honoured, inert, must, refused, required } from './field.ts';
import { listOf } from './many.ts';
import { hasParentStep, id, plainText } from './scalar.ts';

const noWindows = 'this is a Linux node';

const profileType = z.enum(['RuntimeDefault', 'Unconfined', 'Localhost']);

const seccompProfile = z.strictObject({
  type: required(profileType, "the runtime's profile, none, or one of the node"),
  localhostProfile: honoured(
    must(
      plainText(),
      (path) => !path.startsWith('/') && !hasParentStep(path),
      'must be a relative path without ".."',
      'name the file from that folder on, such as "strict.json"',
    ),
    "with Localhost: a file in the folder seccomp of the agent's data directory",
  ),
});

const appArmorProfile = z.strictObject({
  type: required(profileType, "the runtime's profile, none, or one of the node"),
  localhostProfile: honoured(
    must(
      plainText(),
      (name) => name === name.trim() && name.length <= 4095,
      'must be the name of a profile, of at most 4095 characters and without spaces around it',
      'write it as /sys/kernel/security/apparmor/profiles on the node has it',
    ),
    'with Localhost: the name of a profile that the kernel has loaded',
  ),
});

const seLinuxOptions = z.strictObject({
  user: honoured(plainText(), 'the user of the label'),
  role: honoured(plainText(), 'the role of the label'),
  type: honoured(plainText(), 'the type of the label'),
  level: honoured(plainText(), 'the level of the label'),
});

const whereThereIs = (module: string): string =>
  `for containers that do not say otherwise, on a node with ${module}`;

const capabilityName = (): z.ZodString =>
  must(
    z.string(),
    (name) => /^[A-Za-z_]+$/.test(name),
    'must be the name of a capability',
    'write it like "NET_ADMIN"',
  );

export const containerSecurityContext = z.strictObject({
  runAsUser: honoured(id(), "default the pod's, then the image's"),
  runAsGroup: honoured(id(), "default the pod's, then the image's"),
  runAsNonRoot: honoured(z.boolean(), 'whether a container that would run as root is not started'),
  privileged: honoured(z.boolean(), 'all capabilities and devices of the node; default false'),
  readOnlyRootFilesystem: honoured(z.boolean(), 'default false'),
  allowPrivilegeEscalation: honoured(z.boolean(), 'false sets no_new_privs'),
  capabilities: honoured(
    z.strictObject({
      add: honoured(listOf(capabilityName()), 'added to the default set'),
      drop: honoured(listOf(capabilityName()), 'taken from the default set'),
    }),
    'kernel capabilities',
  ),
  seccompProfile: honoured(seccompProfile, "default the pod's, then Unconfined"),
  procMount: honoured(
    z.enum(['Default', 'Unmasked']),
    'whether parts of /proc are hidden or read-only; Unmasked needs hostUsers: false; default Default',
  ),
  seLinuxOptions: honoured(
    seLinuxOptions,
    "the label of its processes, on a node with SELinux; default the pod's, then the runtime's",
  ),
  appArmorProfile: honoured(
    appArmorProfile,
    "default the pod's, then the runtime's; without AppArmor the pod is rejected (reason AppArmor)",
  ),
  windowsOptions: refused(noWindows),
});

const sysctlName = (): z.ZodString =>
  must(
    z.string(),
    (name) =>
      name.length <= 253 &&
      /^[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?(?:[./][a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*$/.test(name),
    "must be words of lower case letters, digits, '-' and '_', joined by '.' or '/'",
    'write it like "net.ipv4.tcp_syncookies"',
  );

export const podSecurityContext = z.strictObject({
  runAsUser: honoured(id(), 'for containers that do not say otherwise'),
  runAsGroup: honoured(id(), 'for containers that do not say otherwise'),
  runAsNonRoot: honoured(z.boolean(), 'for containers that do not say otherwise'),
  fsGroup: honoured(id(), 'the group of every process, and of all volumes but hostPath'),
  fsGroupChangePolicy: honoured(
    z.enum(['OnRootMismatch', 'Always']),
    "OnRootMismatch leaves a claim alone whose own folder is the group's; default Always",
  ),
  supplementalGroups: honoured(listOf(id()), 'further groups of every process'),
  supplementalGroupsPolicy: honoured(
    z.enum(['Merge', 'Strict']),
    "whether the image's groups of the user are added; Strict needs containerd 2.0, else the pod is rejected; default Merge",
  ),
  seccompProfile: honoured(seccompProfile, 'for containers that do not say otherwise'),
  sysctls: honoured(
    listOf(
      z.strictObject({
        name: required(sysctlName(), 'the name of a namespaced kernel parameter'),
        value: required(plainText(), 'its value'),
      }),
    ),
    'kernel parameters of the pod; other than the safe ones need --allowed-unsafe-sysctls, else the pod is rejected (reason SysctlForbidden)',
  ),
  seLinuxOptions: honoured(seLinuxOptions, whereThereIs('SELinux')),
  seLinuxChangePolicy: inert(
    z.enum(['Recursive', 'MountOption']),
    'where containerd has SELinux on, volumes that were made for the pod get its label; hostPaths keep theirs',
  ),
  appArmorProfile: honoured(appArmorProfile, whereThereIs('AppArmor')),
  windowsOptions: refused(noWindows),
});
