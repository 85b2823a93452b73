/** Small manifests, whole but for what a test is about, and their faults in words. */
import { ManifestError } from '../manifest/manifest-error.ts';
import { podFromValue } from '../manifest/parse-pod.ts';
import type { Validated } from '../manifest/validate.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Fields that a test adds to an otherwise plain pod with one container, "main". */
export interface Additions {
  readonly metadata?: Fields;
  readonly spec?: Fields;
  /** Of the container "main". */
  readonly container?: Fields;
  /** Of one init container, "setup"; without it there is none. */
  readonly init?: Fields;
}

/** A manifest as plain data. */
export function aManifest({ metadata, spec, container, init }: Additions = {}): Fields {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pod', ...metadata },
    spec: {
      ...(init && { initContainers: [{ name: 'setup', image: 'busybox:1', ...init }] }),
      containers: [{ name: 'main', image: 'busybox:1', ...container }],
      ...spec,
    },
  };
}

/** The pod of a manifest with these additions. */
export function accepted(additions: Additions): Validated {
  return podFromValue(aManifest(additions), 'test');
}

/** Every fault of a value, as `path: message`; none if it is valid. */
export function faultsIn(value: unknown): readonly string[] {
  return faultsOf(() => podFromValue(value, 'test'));
}

/** Every fault of what is thrown; anything that is not a ManifestError fails the test. */
export function faultsOf(judge: () => unknown): readonly string[] {
  try {
    judge();
    return [];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.faults.map(({ path, message }) => `${path}: ${message}`);
  }
}
