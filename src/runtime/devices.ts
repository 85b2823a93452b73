/**
 * Devices in a container's config, in CRI's words. Pure.
 *
 * What was given is also written on the container, so that it can be seen later what a container that
 * was made ahead was made from.
 */
import type { DeviceGrant } from '../pod/devices.ts';
import type { ContainerConfig } from './generated/runtime/v1/ContainerConfig.ts';

/** The nodes that a container was made with, each `path type major:minor`, and a hash of the edits. */
export const devicesAnnotation = 'reprise.dev/devices';

/** The config with what the grant does to it. */
export function withDevices(
  config: ContainerConfig,
  grant: DeviceGrant | undefined,
): ContainerConfig {
  if (grant === undefined) return config;
  const names = new Set(grant.env.map(({ name }) => name));
  const { securityContext } = config.linux ?? {};
  return {
    ...config,
    envs: [
      ...(config.envs ?? []).filter(({ key = '' }) => !names.has(key)),
      ...grant.env.map(({ name, value }) => ({ key: name, value: Buffer.from(value) })),
    ],
    mounts: [
      ...(config.mounts ?? []),
      ...grant.mounts.map(({ path, hostPath, readOnly, propagation }) => ({
        containerPath: path,
        hostPath,
        readonly: readOnly,
        ...(propagation === 'slave' && { propagation: 'PROPAGATION_HOST_TO_CONTAINER' as const }),
        ...(propagation === 'shared' && { propagation: 'PROPAGATION_BIDIRECTIONAL' as const }),
      })),
    ],
    devices: grant.nodes.map(({ path, hostPath, permissions }) => ({
      containerPath: path,
      hostPath,
      permissions,
    })),
    CDIDevices: grant.cdiNames.map((name) => ({ name })),
    annotations: { ...config.annotations, [devicesAnnotation]: grant.summary },
    linux: {
      ...config.linux,
      securityContext: {
        ...securityContext,
        supplementalGroups: [
          ...(securityContext?.supplementalGroups ?? []),
          ...grant.groups.filter(
            (group) => !(securityContext?.supplementalGroups ?? []).map(Number).includes(group),
          ),
        ],
      },
    },
  };
}
