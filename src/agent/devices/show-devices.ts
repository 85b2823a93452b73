/** Devices as the API shows them. */
import type { V1Device } from '../../pod/v1-device.ts';
import type { DeviceInUse } from './keeper.ts';

export function showDevice({ device, fault, users }: DeviceInUse): V1Device {
  const { id, kind, names, nodes, file, isGroup, gpu } = device;
  return {
    apiVersion: 'reprise.dev/v1',
    kind: 'Device',
    metadata: { name: id, resourceVersion: '0' },
    spec: {
      resource: kind,
      names,
      nodes,
      isGroup,
      ...(file !== undefined && { file }),
      ...(gpu && { model: gpu.model, busId: gpu.busId }),
    },
    status: {
      health: fault === undefined ? 'Healthy' : 'Unhealthy',
      ...(fault !== undefined && { message: fault }),
      users,
    },
  };
}
