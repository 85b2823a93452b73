/** Short ways to write down the objects that pods are filled from. */
import type {
  ConfigMap,
  FindObject,
  ObjectMeta,
  ObjectOf,
  PersistentVolumeClaim,
} from '../pod/objects.ts';
import type { Secret, V1Object } from '../pod/objects.ts';

export function aConfigMap(name: string, data: Record<string, string>, more = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadataOf(name), data, ...more };
}

/** Its data in plain text. */
export function aSecret(name: string, data: Record<string, string | Uint8Array>): Secret {
  const base64 = Object.entries(data).map(
    ([key, value]) => [key, Buffer.from(value as string).toString('base64')] as const,
  );
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf(name),
    type: 'Opaque',
    data: Object.fromEntries(base64),
  };
}

export function aClaim(name: string): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadataOf(name),
    spec: {},
    status: { phase: 'Bound' },
  };
}

/** Finds these objects and no others. */
export function among(...objects: readonly V1Object[]): FindObject {
  return <Kind extends V1Object['kind']>(kind: Kind, name: string) =>
    objects.find((one) => one.kind === kind && one.metadata.name === name) as
      ObjectOf<Kind> | undefined;
}

function metadataOf(name: string): ObjectMeta {
  return {
    name,
    namespace: 'default',
    uid: `uid-of-${name}`,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
}
