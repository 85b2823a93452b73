/**
 * Whether a pod that is there, and the objects that are its own, are what a manifest would make.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ManifestPod } from '../api/backend.ts';
import type { ManifestObject, V1Object } from '../pod/objects.ts';
import { generationAnnotation } from '../pod/pod-status.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { v1Spec } from '../pod/v1-spec.ts';

/** The fields in which a pod differs from its manifest, such as `spec.containers`; none: it is the same. */
export function differences(there: V1Pod, wanted: ManifestPod): readonly string[] {
  const { labels = {}, annotations = {}, uid } = there.metadata;
  const metadata = { labels, annotations: ofManifest(annotations), uid };
  const wantedMetadata = {
    labels: wanted.metadata.labels,
    annotations: ofManifest(wanted.metadata.annotations),
    uid: wanted.metadata.uid ?? uid,
  };
  // Added to the running pod, by `reprise debug`: no manifest may have them.
  const { ephemeralContainers: _, ...spec } = there.spec;
  const wantedSpec = v1Spec(wanted.spec, spec.nodeName);
  return [
    ...changed(metadata, wantedMetadata).map((field) => `metadata.${field}`),
    ...changed(spec, asJson(wantedSpec)).map((field) => `spec.${field}`),
  ];
}

/** The objects in which they differ, such as `ConfigMap settings`, those that only one side has, too. */
export function objectDifferences(
  there: readonly V1Object[],
  wanted: readonly ManifestObject[],
): readonly string[] {
  return changed(byName(there.map(asHandedOver)), byName(wanted));
}

/** Whether an object is what its manifest says. */
export function isSameObject(there: V1Object, wanted: ManifestObject): boolean {
  return objectDifferences([there], [wanted]).length === 0;
}

/** Added by the agent, and by kubectl as a note to itself. */
const addedAnnotations: ReadonlySet<string> = new Set([
  generationAnnotation,
  'kubectl.kubernetes.io/last-applied-configuration',
]);

function ofManifest(annotations: Readonly<Record<string, string>>): Fields {
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => !addedAnnotations.has(key)),
  );
}

/** An object without what its keeper has added. */
function asHandedOver(object: V1Object): ManifestObject {
  const { uid, resourceVersion, creationTimestamp, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function byName(objects: readonly ManifestObject[]): Fields {
  return Object.fromEntries(
    objects.map((one) => [`${one.kind} ${one.metadata.name}`, asJson(one)]),
  );
}

type Fields = Readonly<Record<string, unknown>>;

function changed(old: Fields, wanted: Fields): readonly string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(wanted)])].filter(
    (field) => !isDeepStrictEqual(old[field], wanted[field]),
  );
}

/** As it is after a way through the API: without what is undefined. */
function asJson(value: object): Fields {
  return JSON.parse(JSON.stringify(value)) as Fields;
}
