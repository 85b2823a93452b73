/**
 * Events over HTTP: list, watch, get.
 */
import { NotFoundError } from '../errors.ts';
import type { V1Event } from './backend.ts';
import { param } from './call.ts';
import type { ApiContext, Call } from './call.ts';
import { sendCollection, sendObject } from './negotiate.ts';
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
    'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion,
    // Events are about a pod, in whatever state it was.
    'involvedObject.resourceVersion': () => '',
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    reason: (event) => event.reason,
    reportingComponent: (event) => event.reportingComponent,
    source: (event) => event.source.component,
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

/** GET /api/v1/namespaces/NS/events/NAME. */
export function getEvent(call: Call, { backend }: ApiContext): void {
  const [namespace, name] = [param(call, 'namespace'), param(call, 'name')];
  const event = backend.events({ namespace }).find(({ metadata }) => metadata.name === name);
  if (event) {
    sendObject(call, eventColumns, event);
    return;
  }
  throw new NotFoundError(`events "${name}" not found`, {
    where: `namespace ${namespace}`,
    next: 'list the events that are kept: reprise events -A',
  });
}
