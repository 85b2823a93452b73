/**
 * Whether a pod that is there is what a manifest would make.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ManifestPod } from '../api/backend.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { v1Spec } from '../pod/v1-spec.ts';

/** The fields in which a pod differs from its manifest, such as `spec.containers`; none: it is the same. */
export function differences(there: V1Pod, { spec }: ManifestPod): readonly string[] {
  // Added to the running pod, by `reprise debug`: no manifest may have them.
  const { ephemeralContainers: _, ...shown } = there.spec;
  const wanted = JSON.parse(JSON.stringify(v1Spec(spec, there.spec.nodeName))) as Fields;
  return changed(shown, wanted).map((field) => `spec.${field}`);
}

type Fields = Readonly<Record<string, unknown>>;

function changed(old: Fields, wanted: Fields): readonly string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(wanted)])].filter(
    (field) => !isDeepStrictEqual(old[field], wanted[field]),
  );
}
