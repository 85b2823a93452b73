/**
 * Volumes that are filled from ConfigMaps, Secrets and the pod itself, in Kubernetes' own shapes with
 * every default filled in. Modes are numbers: 0644 is 420.
 */

/** Volumes that a container sees but cannot write to, whatever its mount says. */
export const readOnlySources = [
  'configMap',
  'secret',
  'downwardAPI',
  'projected',
  'image',
] as const;

/** One key of an object as one file. */
export interface KeyToPath {
  readonly key: string;
  /** Relative to the volume, without `..`. */
  readonly path: string;
  /** Absent: the volume's defaultMode. */
  readonly mode?: number;
}

/** Keys of a ConfigMap or a Secret as files. */
export interface ObjectFiles {
  readonly name: string;
  /** Absent or empty: every key, under its own name. */
  readonly items?: readonly KeyToPath[];
  /** Whether the object, and each of the keys, may be missing. */
  readonly optional?: boolean;
}

export interface ConfigMapVolume extends ObjectFiles {
  readonly defaultMode: number;
}

export interface SecretVolume extends Omit<ObjectFiles, 'name'> {
  readonly secretName: string;
  readonly defaultMode: number;
}

/** A field of the pod. */
export interface FieldRef {
  readonly apiVersion: string;
  readonly fieldPath: string;
}

/** What a container asks for or may use at most. */
export interface ResourceFieldRef {
  /** In an environment absent: the container itself. */
  readonly containerName?: string;
  /** `limits.` or `requests.` and the name of a resource. */
  readonly resource: string;
  /** A quantity that the value is divided by; absent: 1. */
  readonly divisor?: string;
}

/** A field of the pod, or what a container may use, as a file. */
export interface DownwardFile {
  readonly path: string;
  readonly mode?: number;
  readonly fieldRef?: FieldRef;
  readonly resourceFieldRef?: ResourceFieldRef;
}

export interface DownwardVolume {
  readonly items: readonly DownwardFile[];
  readonly defaultMode: number;
}

/** Several sources in one folder; a later one wins over an earlier one. */
export interface ProjectedVolume {
  readonly sources: readonly ProjectedSource[];
  readonly defaultMode: number;
}

/** Has exactly one source. */
export interface ProjectedSource {
  readonly configMap?: ObjectFiles;
  readonly secret?: ObjectFiles;
  readonly downwardAPI?: { readonly items: readonly DownwardFile[] };
}

/** The files of an image, for containers that need not be made from it. */
export interface ImageVolume {
  readonly reference: string;
  readonly pullPolicy: 'Always' | 'IfNotPresent' | 'Never';
}

/** A folder that outlives the pod. */
export interface ClaimVolume {
  readonly claimName: string;
  /** Read-only for every container, whatever its mount says. */
  readonly readOnly?: boolean;
}
