/** Security contexts, of the pod and of a container. */
import { z } from 'zod';
import { honoured, inert, must, refused, required } from './field.ts';
import { id, listOf, plainText } from './scalar.ts';

const noSeLinux = 'SELinux is not supported yet';
const noAppArmor = 'AppArmor profiles are not supported yet';
const noWindows = 'this is a Linux node';

const seccompProfile = z.strictObject({
  type: required(
    z.enum(['RuntimeDefault', 'Unconfined']),
    "the runtime's profile or none; Localhost is not supported yet",
  ),
  localhostProfile: refused('the type Localhost is not supported yet'),
});

const capabilityName = (): z.ZodString =>
  must(z.string(), (name) => /^[A-Za-z_]+$/.test(name), 'must be the name of a capability');

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
  procMount: refused('only the default /proc is supported yet', 'Default'),
  seLinuxOptions: refused(noSeLinux, {}),
  appArmorProfile: refused(noAppArmor),
  windowsOptions: refused(noWindows),
});

const sysctlName = (): z.ZodString =>
  must(
    z.string(),
    (name) =>
      name.length <= 253 &&
      /^[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?(?:[./][a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*$/.test(name),
    "must be words of lower case letters, digits, '-' and '_', joined by '.' or '/'",
  );

export const podSecurityContext = z.strictObject({
  runAsUser: honoured(id(), 'for containers that do not say otherwise'),
  runAsGroup: honoured(id(), 'for containers that do not say otherwise'),
  runAsNonRoot: honoured(z.boolean(), 'for containers that do not say otherwise'),
  fsGroup: honoured(id(), 'the group of emptyDir volumes and of every process'),
  fsGroupChangePolicy: inert(
    z.enum(['OnRootMismatch', 'Always']),
    'volumes of the supported kinds are given their group once',
  ),
  supplementalGroups: honoured(listOf(id()), 'further groups of every process'),
  supplementalGroupsPolicy: refused('the policy Strict is not supported yet', 'Merge'),
  seccompProfile: honoured(seccompProfile, 'for containers that do not say otherwise'),
  sysctls: honoured(
    listOf(
      z.strictObject({
        name: required(sysctlName(), 'the name of a namespaced kernel parameter'),
        value: required(plainText(), 'its value'),
      }),
    ),
    'kernel parameters of the pod',
  ),
  seLinuxOptions: refused(noSeLinux, {}),
  seLinuxChangePolicy: refused(noSeLinux),
  appArmorProfile: refused(noAppArmor),
  windowsOptions: refused(noWindows),
});
