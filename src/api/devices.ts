/** Devices over HTTP: the list of them. */
import type { V1Device } from '../pod/v1-device.ts';
import type { ApiContext, Call } from './call.ts';
import { sendList } from './negotiate.ts';
import { column } from './table.ts';
import type { Column } from './table.ts';

/** GET /api/v1/devices. */
export function listDevices(call: Call, { backend }: ApiContext): void {
  sendList(call, {
    apiVersion: 'reprise.dev/v1',
    kind: 'Device',
    columns: deviceColumns,
    items: backend.devices(),
    resourceVersion: '0',
  });
}

/** The columns of `get devices`. */
export const deviceColumns: readonly Column<V1Device>[] = [
  column('Name', 'Full name', ({ metadata }) => metadata.name, { format: 'name' }),
  column('Health', 'Whether it is given to pods', ({ status }) => status.health),
  column('Users', 'Pods that have it, and which of their containers', usersOf),
  column('Model', 'What the driver calls it', ({ spec }) => spec.model ?? '<none>', {
    priority: 1,
  }),
  column('Nodes', 'Its nodes on the host', ({ spec }) => orNone(spec.nodes), { priority: 1 }),
  column('Names', 'What it is called besides', ({ spec }) => orNone(spec.names.slice(1)), {
    priority: 1,
  }),
  column('From', 'What defines it', ({ spec }) => spec.file ?? 'the driver', { priority: 1 }),
  column('Message', 'What is wrong with it', ({ status }) => status.message ?? ''),
];

function usersOf({ status: { users } }: V1Device): string {
  return orNone(users.map(({ pod, containers }) => `${pod} (${containers.join(', ')})`));
}

function orNone(texts: readonly string[]): string {
  return texts.length === 0 ? '<none>' : texts.join(', ');
}
