/** Small manifests, whole but for what a test is about, and their faults in words. */
import { ManifestError } from '../manifest/manifest-error.ts';
import type { Fault } from '../manifest/manifest-error.ts';
import { podFromManifest, podFromValue } from '../manifest/parse-pod.ts';
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

/**
 * Every fault of a manifest, as `path: message`, in the order of its lines; none if it is valid. One
 * that does not say where it is, or what to try next, fails the test.
 */
export function faultsIn(value: unknown): readonly string[] {
  const text = JSON.stringify(value, undefined, 2);
  const faults = thrownBy(() => podFromManifest(text, 'test.json'));
  // The first line is the bracket around all fields.
  const placeless = faults.find(({ path, line = 0 }) => path === '' || line <= 1);
  if (placeless) throw new Error(`a fault is nowhere: ${JSON.stringify(placeless)}`);
  return inWords(faults);
}

/** Every fault of what is thrown; anything that is not a ManifestError fails the test. */
export function faultsOf(judge: () => unknown): readonly string[] {
  return inWords(thrownBy(judge));
}

function inWords(faults: readonly Fault[]): readonly string[] {
  const hopeless = faults.find(({ hint }) => hint.trim() === '');
  if (hopeless) throw new Error(`a fault has no hint: ${JSON.stringify(hopeless)}`);
  return faults.map(({ path, message }) => `${path}: ${message}`);
}

function thrownBy(judge: () => unknown): readonly Fault[] {
  try {
    judge();
    return [];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.faults;
  }
}
