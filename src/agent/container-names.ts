/**
 * Names in the place of ids: a container's id says nothing to people, and with every run it is another
 * one, so that the same thing happening again would not be counted but told anew.
 */
import type { PodEvent } from '../pod/decision.ts';
import type { Instance } from '../pod/observed.ts';

/** The event with the containers of the pod called by their names, as the kubelet's events have it. */
export function withNames(event: PodEvent, instances: readonly Instance[]): PodEvent {
  const message = instances.reduce(
    (text, { id, name }) => (id === undefined ? text : text.replaceAll(id, name)),
    event.message,
  );
  return { ...event, message };
}
