/**
 * What is in a volume of files: keys of ConfigMaps and Secrets, and what the pod says of itself.
 *
 * Source: the kubelet's MakePayload of each volume plugin, whose messages these are.
 */
import { posix } from 'node:path';
import { fieldOf, resourceOf } from '../../pod/downward.ts';
import type { NodeSize } from '../../pod/downward.ts';
import type { FindObject, ObjectOf } from '../../pod/objects.ts';
import { own } from '../../pod/own.ts';
import { containersOf } from '../../pod/pod.ts';
import type { Pod, Volume } from '../../pod/pod.ts';
import type { DownwardFile, ObjectFiles, ProjectedSource } from '../../pod/volume-sources.ts';
import type { FileContent, Payload } from './atomic-files.ts';
import { VolumeError } from './volume-error.ts';

/** What volumes are filled from, beside the pod. */
export interface PayloadSources {
  readonly find: FindObject;
  readonly size: NodeSize;
}

/** The files of a volume; throws a VolumeError when something is missing that must not be. */
export function payloadOf(pod: Pod, volume: Volume, sources: PayloadSources): Payload {
  const { configMap, secret, downwardAPI, projected } = volume;
  const all: readonly ProjectedSource[] = [
    ...(configMap ? [{ configMap }] : []),
    ...(secret ? [{ secret: { ...secret, name: secret.secretName } }] : []),
    ...(downwardAPI ? [{ downwardAPI }] : []),
    ...(projected?.sources ?? []),
  ];
  const { defaultMode = 0o644 } = configMap ?? secret ?? downwardAPI ?? projected ?? {};
  const filling = { pod, volume, defaultMode, ...sources };
  // As the kubelet's writer cleans paths: of several files with the same one, the last wins.
  return new Map(
    all.flatMap((source) =>
      filesOf(source, filling).map(([file, content]) => [posix.normalize(file), content] as const),
    ),
  );
}

interface Filling extends PayloadSources {
  readonly pod: Pod;
  readonly volume: Volume;
  readonly defaultMode: number;
}

type File = readonly [path: string, content: FileContent];

function filesOf(source: ProjectedSource, filling: Filling): readonly File[] {
  const { configMap, secret, downwardAPI } = source;
  if (configMap) {
    const map = found('ConfigMap', configMap, filling);
    const data = { ...mapOf(map?.data, 'utf8'), ...mapOf(map?.binaryData, 'base64') };
    return selected(data, configMap, { ...filling, what: 'configmap', noun: 'config' });
  }
  if (secret) {
    const data = mapOf(found('Secret', secret, filling)?.data, 'base64');
    return selected(data, secret, { ...filling, what: 'secret', noun: 'secret' });
  }
  return (downwardAPI?.items ?? []).map((item) => downwardFile(item, filling));
}

function found<Kind extends 'ConfigMap' | 'Secret'>(
  kind: Kind,
  { name, optional }: ObjectFiles,
  { find, volume }: Filling,
): ObjectOf<Kind> | undefined {
  const object = find(kind, name);
  if (object !== undefined || optional === true) return object;
  throw missing(volume, `${kind.toLowerCase()} "${name}" not found`);
}

function mapOf(
  data: Readonly<Record<string, string>> | undefined,
  encoding: 'utf8' | 'base64',
): Readonly<Record<string, Buffer>> {
  const entries = Object.entries(data ?? {});
  return Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text, encoding)]));
}

/** The keys that are asked for, or every key: an empty list asks for none in particular. */
function selected(
  data: Readonly<Record<string, Buffer>>,
  { items = [], optional }: ObjectFiles,
  { volume, defaultMode, what, noun }: Filling & { readonly what: string; readonly noun: string },
): readonly File[] {
  const all = Object.keys(data).map((key) => ({ key, path: key, mode: undefined }));
  const wanted = items.length > 0 ? items : all;
  return wanted.flatMap(({ key, path, mode = defaultMode }) => {
    const content = own(data, key);
    if (content !== undefined) return [[path, { content, mode }] as const];
    if (optional === true) return [];
    throw missing(volume, `${what} references non-existent ${noun} key: ${key}`);
  });
}

function downwardFile(
  { path, mode, fieldRef, resourceFieldRef }: DownwardFile,
  { pod, defaultMode, size }: Filling,
): File {
  const text = fieldRef
    ? fieldOf(pod, fieldRef.fieldPath, nowhere)
    : resourceText(pod, resourceFieldRef, size);
  return [path, { content: Buffer.from(text), mode: mode ?? defaultMode }];
}

/** A volume shows nothing of where the pod runs. */
const nowhere = { nodeName: '', hostIPs: [], podIPs: [] };

function resourceText(pod: Pod, ref: DownwardFile['resourceFieldRef'], size: NodeSize): string {
  const named = containersOf(pod).find(({ container }) => container.name === ref?.containerName);
  return ref && named ? resourceOf(pod, named.container, ref, size) : '';
}

function missing({ name }: Volume, what: string): VolumeError {
  return new VolumeError(`MountVolume.SetUp failed for volume "${name}" : ${what}`, {
    where: `volume "${name}"`,
    next: 'apply the object: the pod starts as soon as it is there',
  });
}
