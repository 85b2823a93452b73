/**
 * The objects that pods are filled from: ConfigMap, Secret and PersistentVolumeClaim, in Kubernetes'
 * own v1 shapes. Where one came from (a file next to the pod, the API) leaves no trace here.
 */

export const objectKinds = ['ConfigMap', 'Secret', 'PersistentVolumeClaim'] as const;

export type ObjectKind = (typeof objectKinds)[number];

/** How paths of the API and the command line name each kind. */
export const objectResources: Readonly<Record<ObjectKind, string>> = {
  ConfigMap: 'configmaps',
  Secret: 'secrets',
  PersistentVolumeClaim: 'persistentvolumeclaims',
};

/** What they are called for short. */
export const objectShortNames: Readonly<Record<ObjectKind, readonly string[]>> = {
  ConfigMap: ['cm'],
  Secret: [],
  PersistentVolumeClaim: ['pvc'],
};

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Grows with every change. */
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ConfigMap {
  readonly apiVersion: 'v1';
  readonly kind: 'ConfigMap';
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
  /** In base64; never part of an environment. */
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

export interface Secret {
  readonly apiVersion: 'v1';
  readonly kind: 'Secret';
  readonly metadata: ObjectMeta;
  /** `Opaque`, or one that asks for certain keys. */
  readonly type: string;
  /** In base64. */
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

export interface PersistentVolumeClaim {
  readonly apiVersion: 'v1';
  readonly kind: 'PersistentVolumeClaim';
  readonly metadata: ObjectMeta;
  /** As it was written: nothing in it changes what the claim is here, a folder. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: { readonly phase: 'Bound' };
}

export type V1Object = ConfigMap | Secret | PersistentVolumeClaim;

export type ObjectOf<Kind extends ObjectKind> = Extract<V1Object, { readonly kind: Kind }>;

/** Finds an object by its name, among those that a pod may see. */
export type FindObject = <Kind extends ObjectKind>(
  kind: Kind,
  name: string,
) => ObjectOf<Kind> | undefined;

/** An object as its manifest gives it: whoever keeps it adds what is missing in its metadata. */
export type ManifestObject = V1Object extends infer Each
  ? Each extends V1Object
    ? Omit<Each, 'metadata'> & {
        readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'labels' | 'annotations'>;
      }
    : never
  : never;

/** How messages name an object: `configmaps "settings"`. */
export function objectInWords(kind: ObjectKind, name: string): string {
  return `${objectResources[kind]} "${name}"`;
}
