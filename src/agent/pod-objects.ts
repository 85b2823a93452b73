/** The objects that a pod sees: its own first, then those that were applied to the agent. */
import type { FindObject, ObjectOf, V1Object } from '../pod/objects.ts';
import type { Pod } from '../pod/pod.ts';
import { referencesOf } from '../pod/references.ts';
import type { ObjectStore } from './object-store.ts';

/** Finds them as they are when it is asked. */
export function objectsFor(
  { metadata: { namespace } }: Pod,
  own: readonly V1Object[],
  store: ObjectStore,
): FindObject {
  return <Kind extends V1Object['kind']>(kind: Kind, name: string) => {
    const found = own.find(
      (one) =>
        one.kind === kind && one.metadata.name === name && one.metadata.namespace === namespace,
    );
    return (found ?? store.get(kind, namespace, name)) as ObjectOf<Kind> | undefined;
  };
}

/** Whether the pod names that object. */
export function refersTo(
  pod: Pod,
  kind: V1Object['kind'],
  namespace: string,
  name: string,
): boolean {
  if (pod.metadata.namespace !== namespace) return false;
  return referencesOf(pod).some((one) => one.kind === kind && one.name === name);
}

/** Whether the pod pulls its images with that Secret. */
export function pullsWith({ metadata, spec }: Pod, namespace: string, name: string): boolean {
  if (metadata.namespace !== namespace) return false;
  return (spec.imagePullSecrets ?? []).some((secret) => secret.name === name);
}
