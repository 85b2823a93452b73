/** Which ConfigMaps, Secrets and PersistentVolumeClaims a pod names, and where. */
import type { ObjectKind } from './objects.ts';
import type { Container, Pod, Volume } from './pod.ts';
import { everyContainerOf } from './pod.ts';

/** An object of the pod's namespace. */
export interface ObjectReference {
  readonly kind: ObjectKind;
  readonly name: string;
}

/** Everything a pod is filled from, in no particular order; what is named twice is there twice. */
export function referencesOf(pod: Pod): readonly ObjectReference[] {
  return [
    ...pod.spec.volumes.flatMap(volumeReferences),
    ...everyContainerOf(pod).flatMap(({ container }) => environmentReferences(container)),
  ];
}

/** What the environment of a container is filled from. */
export function environmentReferences({ env, envFrom }: Container): readonly ObjectReference[] {
  return [
    ...envFrom.flatMap(({ configMapRef, secretRef }) => [
      ...reference('ConfigMap', configMapRef?.name),
      ...reference('Secret', secretRef?.name),
    ]),
    ...env.flatMap(({ valueFrom }) => [
      ...reference('ConfigMap', valueFrom?.configMapKeyRef?.name),
      ...reference('Secret', valueFrom?.secretKeyRef?.name),
    ]),
  ];
}

function volumeReferences(volume: Volume): readonly ObjectReference[] {
  const { configMap, secret, projected, persistentVolumeClaim } = volume;
  return [
    ...reference('ConfigMap', configMap?.name),
    ...reference('Secret', secret?.secretName),
    ...reference('PersistentVolumeClaim', persistentVolumeClaim?.claimName),
    ...(projected?.sources ?? []).flatMap((source) => [
      ...reference('ConfigMap', source.configMap?.name),
      ...reference('Secret', source.secret?.name),
    ]),
  ];
}

function reference(kind: ObjectKind, name: string | undefined): readonly ObjectReference[] {
  return name === undefined ? [] : [{ kind, name }];
}
