/**
 * The copy of a user's pod that is rehearsed with, and what it has in common with the original. Pure.
 */
import type { ManifestPod } from '../api/backend.ts';
import { requestOf } from '../devices/request.ts';
import { readManifest } from '../manifest/parse-pod.ts';
import { longestName } from '../manifest/rules/names.ts';

/** Annotation of a copy: the name of the original. */
export const copyAnnotation = 'rehearsal.reprise.dev/original';

export interface CopyOfPod {
  readonly name: string;
  readonly namespace: string;
  /** Its manifest, and the objects that go with it. */
  readonly text: string;
}

const SUFFIX = '-rehearsal';

/**
 * A valid manifest with the pod under another name, without delays between restarts and without a
 * deadline. The objects beside the pod stay what they are: each pod has its own.
 */
export function copyOf(manifest: { pod: ManifestPod; textWithObjects: string }): CopyOfPod {
  const { namespace } = manifest.pod.metadata;
  const name = nameOfCopy(manifest.pod.metadata.name, longestName(namespace));
  const documents = readManifest(manifest.textWithObjects, 'the manifest');
  const texts = documents.map(({ value }) =>
    asText(isPod(value) ? renamed(value, namespace, name) : value),
  );
  return { name, namespace, text: texts.join('\n---\n') };
}

/** What the user should know before a copy runs beside the original, a sentence for each. */
export function cautions(pod: ManifestPod): readonly string[] {
  const { spec } = pod;
  const paths = spec.volumes.flatMap(({ name, hostPath, persistentVolumeClaim }) => {
    const what =
      persistentVolumeClaim === undefined
        ? hostPath && `${hostPath.path} of the host`
        : `the claim ${persistentVolumeClaim.claimName}`;
    return what === undefined
      ? []
      : [`volume "${name}": the copy shares ${what} with the original`];
  });
  const containers = [...spec.initContainers, ...spec.containers];
  const ports = containers.flatMap(({ name, ports }) =>
    ports
      .filter(({ hostPort }) => hostPort !== undefined && !spec.hostNetwork)
      .map(
        ({ hostPort }) =>
          `container "${name}": the copy wants port ${hostPort} of the host, as the original does; only one can have it`,
      ),
  );
  const network = spec.hostNetwork
    ? ["hostNetwork: the copy shares the host's network, and every port, with the original"]
    : [];
  const deadline =
    spec.activeDeadlineSeconds === undefined
      ? []
      : [
          'activeDeadlineSeconds is left out of the copy: all its restarts take longer than one life',
        ];
  return [...paths, ...ports, ...network, ...deviceCautions(pod), ...deadline];
}

/** A device is in the hands of one pod, and the copy waits for what the original has. */
function deviceCautions({ metadata, spec }: ManifestPod): readonly string[] {
  const pod = { metadata: { ...metadata, uid: '', creationTimestamp: '' }, spec };
  // Which handlers are NVIDIA's is known to the agent alone; that its variable is set says enough.
  const { counted = [], named = [] } = requestOf(pod, true) ?? {};
  return [
    ...counted.map(
      ({ kind, count }) =>
        `devices: the copy needs ${count} ${kind} of its own, beside those of the original`,
    ),
    ...named.map(
      ({ name }) => `devices: the copy wants ${name}, as the original does; only one can have it`,
    ),
  ];
}

/** A manifest that was accepted has these. */
interface RawPod {
  readonly kind: 'Pod';
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

function isPod(value: unknown): value is RawPod {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Pod';
}

function renamed({ metadata, spec, ...rest }: RawPod, namespace: string, name: string): unknown {
  const annotations = {
    ...metadata.annotations,
    'reprise.dev/in-place-backoff': '0',
    [copyAnnotation]: metadata.name,
  };
  return {
    ...rest,
    // A uid is of one pod only.
    metadata: { ...without(metadata, ['uid', 'creationTimestamp']), namespace, name, annotations },
    spec: without(spec, ['activeDeadlineSeconds']),
  };
}

function without(
  map: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)));
}

/** JSON, without the one control character that JSON leaves as it is and YAML does not take. */
function asText(value: unknown): string {
  return JSON.stringify(value).replaceAll('\x7f', '\\u007f');
}

function nameOfCopy(name: string, longest: number): string {
  const room = name.slice(0, longest - SUFFIX.length);
  return `${room.replace(/[^a-z0-9]+$/, '')}${SUFFIX}`;
}
