/** Every rule that looks at more than one field. */
import {
  checkContainerNames,
  checkResizePolicies,
  checkRestartRules,
  checkSomeContainer,
} from './containers.ts';
import { checkDevices } from './devices.ts';
import { checkEnvironment, checkFileKeys } from './environment.ts';
import { checkAnnotations, checkLabels } from './names.ts';
import {
  checkDns,
  checkHostNetworkPorts,
  checkHostPorts,
  checkHostname,
  checkPortNames,
  checkSysctls,
} from './network.ts';
import { checkHugePageVolumes } from './huge-pages.ts';
import { checkHooks, checkInitHandlers, checkProbes, checkStopSignals } from './probes.ts';
import { checkPodResources } from './pod-resources.ts';
import { checkDivisors, checkResourceFields } from './resource-fields.ts';
import { checkResources } from './resources.ts';
import type { Rule } from './rule.ts';
import {
  checkPrivileges,
  checkProcMounts,
  checkProcessNamespace,
  checkProfiles,
  checkUserNamespace,
} from './security.ts';
import { checkFilePaths, checkMountOptions, checkMounts, checkVolumes } from './volumes.ts';

export const rules: readonly Rule[] = [
  checkLabels,
  checkAnnotations,
  checkSomeContainer,
  checkContainerNames,
  checkRestartRules,
  checkResizePolicies,
  checkEnvironment,
  checkResourceFields,
  checkDivisors,
  checkFileKeys,
  checkPortNames,
  checkHostPorts,
  checkHostNetworkPorts,
  checkDns,
  checkHostname,
  checkSysctls,
  checkVolumes,
  checkMounts,
  checkProbes,
  checkHooks,
  checkInitHandlers,
  checkStopSignals,
  checkMountOptions,
  checkFilePaths,
  checkResources,
  checkDevices,
  checkPodResources,
  checkHugePageVolumes,
  checkPrivileges,
  checkProcessNamespace,
  checkProfiles,
  checkUserNamespace,
  checkProcMounts,
];
