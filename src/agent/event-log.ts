/**
 * The Kubernetes events of all pods, as `reprise events` shows them: the last ones, in memory.
 *
 * The same thing happening again to the same object is counted, not listed again, as Kubernetes'
 * event correlator does it.
 */
import { randomUUID } from 'node:crypto';
import type { V1Event } from '../api/backend.ts';
import type { PodEvent } from '../pod/decision.ts';
import type { Pod } from '../pod/pod.ts';
import { everyContainerOf } from '../pod/pod.ts';

/** How many events are kept, of all pods together. */
const CAPACITY = 2000;
/** And of one: a pod that restarts again and again must not push out what others have to tell. */
const CAPACITY_OF_POD = 200;

export class EventLog {
  readonly #host: string;
  readonly #nextVersion: () => string;
  readonly #events: V1Event[] = [];

  constructor(host: string, nextVersion: () => string) {
    this.#host = host;
    this.#nextVersion = nextVersion;
  }

  /** Oldest first. */
  list(): readonly V1Event[] {
    return this.#events;
  }

  /** The event as it is listed now, and whether it is a new one or one that happened again. */
  add(pod: Pod, event: PodEvent, now: number): { event: V1Event; isNew: boolean } {
    const time = new Date(now).toISOString();
    const fieldPath = fieldPathOf(pod, event.container);
    const index = this.#events.findLastIndex(
      (known) =>
        known.involvedObject.uid === pod.metadata.uid &&
        known.involvedObject.fieldPath === fieldPath &&
        known.type === event.type &&
        known.reason === event.reason &&
        known.message === event.message,
    );
    const again = this.#events[index];
    const entry =
      again === undefined
        ? this.#firstTime(pod, event, time, fieldPath)
        : {
            ...again,
            metadata: { ...again.metadata, resourceVersion: this.#nextVersion() },
            count: again.count + 1,
            lastTimestamp: time,
          };
    if (again !== undefined) this.#events.splice(index, 1);
    this.#events.push(entry);
    if (again === undefined) this.#forgetOldest(pod);
    return { event: entry, isNew: again === undefined };
  }

  #forgetOldest({ metadata: { uid } }: Pod): void {
    const isOwn = (event: V1Event): boolean => event.involvedObject.uid === uid;
    if (this.#events.filter(isOwn).length > CAPACITY_OF_POD) {
      this.#events.splice(this.#events.findIndex(isOwn), 1);
    }
    if (this.#events.length > CAPACITY) this.#events.shift();
  }

  #firstTime(pod: Pod, event: PodEvent, time: string, fieldPath: string | undefined): V1Event {
    const { name, namespace, uid } = pod.metadata;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${name}.${randomUUID().slice(0, 13)}`,
        namespace,
        uid: randomUUID(),
        resourceVersion: this.#nextVersion(),
        creationTimestamp: time,
      },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, fieldPath },
      type: event.type,
      reason: event.reason,
      message: event.message,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component: 'reprise', host: this.#host },
      reportingComponent: 'reprise',
      reportingInstance: this.#host,
    };
  }
}

/** `spec.initContainers{setup}`, as the kubelet's events have it. */
function fieldPathOf(pod: Pod, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const kind = everyContainerOf(pod).find(({ container }) => container.name === name)?.kind;
  if (kind === 'app') return `spec.containers{${name}}`;
  return kind === 'ephemeral'
    ? `spec.ephemeralContainers{${name}}`
    : `spec.initContainers{${name}}`;
}
