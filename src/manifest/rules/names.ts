/** Keys and values of labels and annotations, ours included. */
import { cdiAnnotationPrefix, isDeviceName } from '../../pod/devices.ts';
import { parseDuration } from '../../pod/duration.ts';
import { generationAnnotation } from '../../pod/pod-status.ts';
import { didYouMean } from '../did-you-mean.ts';
import { invalidValue } from '../manifest-error.ts';
import type { Problem } from '../manifest-error.ts';
import { isDnsSubdomain, isLabelValue, isQualifiedName } from '../schema/scalar.ts';
import type { PartlyPod } from './rule.ts';

/** Longest delay between two in-place restarts of the pod: a duration; 0 turns the back-off off. */
export const inPlaceBackoffAnnotation = 'reprise.dev/in-place-backoff';

const keyRule =
  "a key is a name of at most 63 letters, digits, '-', '_' and '.', maybe after a domain and '/'";
const keyHint = 'write it like "app" or "example.org/app"';
const maxAnnotationBytes = 256 * 1024;

/** Bytes in the name of a file or a folder. */
const maxFolderName = 255;
/** Characters of a UUID, which a pod without a uid of its own gets. */
const uidLength = 36;

/** The pod's folder of logs is named like the kubelet's: `<namespace>_<name>_<uid>`. */
export function* checkLogFolder(
  { metadata }: PartlyPod,
  defaultNamespace = 'default',
): Generator<Problem> {
  const { name, namespace = defaultNamespace, uid } = metadata ?? {};
  const most = longestName(namespace, uid);
  if (name === undefined || name.length <= most) return;
  const because = 'namespace, name and uid are too long together to name the folder of its logs';
  const hint = `choose a name of at most ${most} characters`;
  yield { path: ['metadata', 'name'], message: invalidValue(name, because), hint };
}

/** How many characters the name of a pod may have, with this uid or with a new one. */
export function longestName(namespace: string, uid?: string): number {
  return maxFolderName - namespace.length - (uid?.length ?? uidLength) - '__'.length;
}

/** Labels have keys and values that can be selected by. */
export function* checkLabels({ metadata }: PartlyPod): Generator<Problem> {
  for (const [key, value] of Object.entries(metadata?.labels ?? {})) {
    const path = ['metadata', 'labels', key];
    if (!isQualifiedName(key)) yield { path, message: invalidValue(key, keyRule), hint: keyHint };
    if (value !== undefined && !isLabelValue(value)) {
      const because =
        "a label's value has at most 63 letters, digits, '-', '_' and '.', and starts and ends with a letter or digit";
      const hint = 'change it, or make it an annotation: those hold any text';
      yield { path, message: invalidValue(value, because), hint };
    }
  }
}

/** Annotations have keys like labels, are not too large, and those of ours are known. */
export function* checkAnnotations({ metadata }: PartlyPod): Generator<Problem> {
  const annotations = Object.entries(metadata?.annotations ?? {});
  for (const [key, value] of annotations) {
    const path = ['metadata', 'annotations', key];
    if (!isQualifiedName(lowered(key))) {
      yield { path, message: invalidValue(key, keyRule), hint: keyHint };
    } else if (key.toLowerCase().startsWith('reprise.dev/')) yield* checkOurs(key, value);
    else if (key.startsWith(cdiAnnotationPrefix)) yield* checkDeviceNames(key, value);
  }
  const bytes = annotations.flat().reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0);
  if (bytes > maxAnnotationBytes) {
    yield {
      path: ['metadata', 'annotations'],
      message: `Too long: may not be more than ${maxAnnotationBytes} bytes`,
      hint: 'move what is large into a ConfigMap',
    };
  }
}

/** Kubernetes compares annotation keys in lower case, except that a name may not become one. */
function lowered(key: string): string {
  return isDnsSubdomain(key.toLowerCase().split('/')[0] ?? '') ? key.toLowerCase() : key;
}

/** Full names of devices, with commas between them. */
function* checkDeviceNames(key: string, value = ''): Generator<Problem> {
  const odd = value
    .split(',')
    .map((name) => name.trim())
    .find((name) => !isDeviceName(name));
  if (odd === undefined) return;
  yield {
    path: ['metadata', 'annotations', key],
    message: invalidValue(odd, 'must be the full name of a device: vendor/class=name'),
    hint: 'write it like "nvidia.com/gpu=0", and several with commas between them',
  };
}

function* checkOurs(key: string, value: string | undefined): Generator<Problem> {
  const path = ['metadata', 'annotations', key];
  // The agent has put it there: a pod that was shown can be handed back as it is.
  if (key === generationAnnotation) return;
  if (key !== inPlaceBackoffAnnotation) {
    yield {
      path,
      message: invalidValue(key, 'reprise knows no such annotation'),
      hint: didYouMean(key, [inPlaceBackoffAnnotation]) ?? 'remove it',
    };
  } else if (value !== undefined && parseDuration(value) === undefined) {
    yield {
      path,
      message: invalidValue(value, 'must be a duration'),
      hint: 'write it like "30s", "1m30s" or "500ms", less than 292 years; "0" turns the back-off off',
    };
  }
}
