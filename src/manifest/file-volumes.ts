/** Volumes of files from a valid manifest, with Kubernetes' defaults filled in. */
import type { Volume } from '../pod/pod.ts';
import type { DownwardFile, ProjectedSource, ResourceFieldRef } from '../pod/volume-sources.ts';
import { present } from './present.ts';
import type { RawPod } from './schema/pod.ts';

export type RawVolume = NonNullable<RawPod['spec']['volumes']>[number];
type RawDownwardFile = NonNullable<NonNullable<RawVolume['downwardAPI']>['items']>[number];
type RawProjectedSource = NonNullable<NonNullable<RawVolume['projected']>['sources']>[number];

/** Kubernetes' mode for files that say nothing of theirs. */
const usualMode = 0o644;

/** The source of a volume of files; undefined if it is another kind of volume. */
export function fileVolumeOf(volume: RawVolume): Omit<Volume, 'name'> | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return { configMap: { defaultMode: usualMode, ...configMap } };
  if (secret) return { secret: { defaultMode: usualMode, ...secret } };
  if (downwardAPI) {
    const { items = [], defaultMode = usualMode } = downwardAPI;
    return { downwardAPI: { items: items.map(downwardFileOf), defaultMode } };
  }
  if (projected) {
    const { sources = [], defaultMode = usualMode } = projected;
    return { projected: { sources: sources.map(projectedSourceOf), defaultMode } };
  }
  return undefined;
}

/** YAML gives plain divisors as numbers. */
export function withDivisorAsText<T extends { readonly divisor?: string | number | undefined }>(
  ref: T,
): Omit<T, 'divisor'> & Pick<ResourceFieldRef, 'divisor'> {
  const { divisor, ...rest } = ref;
  return { ...rest, ...(divisor !== undefined && { divisor: String(divisor) }) };
}

function projectedSourceOf({
  configMap,
  secret,
  downwardAPI,
}: RawProjectedSource): ProjectedSource {
  return present({
    configMap,
    secret,
    downwardAPI: downwardAPI && { items: (downwardAPI.items ?? []).map(downwardFileOf) },
  });
}

function downwardFileOf({ path, mode, fieldRef, resourceFieldRef }: RawDownwardFile): DownwardFile {
  return {
    path,
    ...present({
      mode,
      fieldRef: fieldRef && { apiVersion: 'v1', fieldPath: fieldRef.fieldPath },
      resourceFieldRef: resourceFieldRef && withDivisorAsText(resourceFieldRef),
    }),
  };
}
