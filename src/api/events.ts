/**
 * Events over HTTP: list and watch.
 */
import type { V1Event } from './backend.ts';
import type { ApiContext, Call } from './call.ts';
import { sendCollection } from './negotiate.ts';
import { selection } from './selectors.ts';
import { eventColumns } from './table.ts';

/** GET /api/v1/events and /api/v1/namespaces/NS/events. */
export async function listEvents(call: Call, { backend, events }: ApiContext): Promise<void> {
  const namespace = call.params['namespace'];
  const selected = selection<V1Event>(call.query, {
    'metadata.name': (event) => event.metadata.name,
    'metadata.namespace': (event) => event.metadata.namespace,
    'involvedObject.kind': (event) => event.involvedObject.kind,
    'involvedObject.namespace': (event) => event.involvedObject.namespace,
    'involvedObject.name': (event) => event.involvedObject.name,
    'involvedObject.uid': (event) => event.involvedObject.uid,
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    reason: (event) => event.reason,
    type: (event) => event.type,
  });
  await sendCollection(call, {
    kind: 'Event',
    columns: eventColumns,
    feed: events,
    list: backend.events({ namespace }),
    matches: (event) =>
      (namespace === undefined || event.metadata.namespace === namespace) && selected(event),
  });
}
