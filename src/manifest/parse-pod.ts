/** The ways in: a manifest's text, or a value from elsewhere, to pods and the objects they use. */
import type { ManifestObject, ObjectKind } from '../pod/objects.ts';
import type { ManifestPod } from './defaults.ts';
import { withoutLists } from './lists.ts';
import { ManifestError, pathText } from './manifest-error.ts';
import { parseDocuments } from './parse.ts';
import type { ManifestDocument } from './parse.ts';
import { findUnfitPart } from './plain.ts';
import { objectKindOf, validateObject } from './validate-object.ts';
import { validatePod } from './validate.ts';
import type { Validated } from './validate.ts';

/** A document that was found valid. */
export type Part = { readonly notes: readonly string[]; readonly document: ManifestDocument } & (
  | { readonly kind: 'pod'; readonly pod: ManifestPod }
  | { readonly kind: 'object'; readonly object: ManifestObject }
);

/** A pod, and the objects that were handed over together with it. */
export interface PodWithObjects {
  readonly pod: ManifestPod;
  readonly objects: readonly ManifestObject[];
}

/** The documents of a manifest that are not empty, or the items of those that are lists, with their lines. */
export function readManifest(text: string, file: string): readonly ManifestDocument[] {
  return parseDocuments(text, file).flatMap(withoutLists);
}

/**
 * Everything that a manifest holds: pods and objects, in its order; all faults of all documents at
 * once. A namespace is for those that name none; as with kubectl, one that names another is refused.
 */
export function partsOfManifest(text: string, file: string, namespace?: string): readonly Part[] {
  const documents = readManifest(text, file);
  if (documents.length === 0) throw empty(file);
  const refused: ManifestError[] = [];
  const parts = documents.flatMap((document): Part[] => {
    try {
      return [partOf(document, namespace)];
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      refused.push(error);
      return [];
    }
  });
  const [first, ...more] = refused.flatMap(({ faults }) => faults);
  const untold = refused.reduce((sum, error) => sum + error.untold, 0);
  if (first !== undefined) throw new ManifestError([first, ...more], { untold });
  return parts;
}

/** The pod of a manifest that holds exactly one document. */
export function podFromManifest(text: string, file: string, namespace?: string): Validated {
  const [document, another] = readManifest(text, file);
  if (!document) throw empty(file);
  if (another) {
    throw new ManifestError([
      {
        path: '',
        file,
        line: another.lineOf([]),
        message: 'the manifest holds more than one document',
        hint: 'put each pod into a file of its own',
      },
    ]);
  }
  return validatePod({ ...document, namespace });
}

/** The one pod among these parts, with the objects beside it. */
export function onePodOf(parts: readonly Part[]): PodWithObjects {
  const pods = parts.filter((part) => part.kind === 'pod');
  const [first, second] = pods;
  if (first !== undefined && second === undefined) {
    const objects = parts.flatMap((part) => (part.kind === 'object' ? part.object : []));
    return { pod: first.pod, objects };
  }
  const { document } = second ?? parts[0] ?? {};
  throw new ManifestError([
    {
      path: '',
      file: document?.file ?? 'the manifest',
      line: document?.lineOf([]),
      message: second ? 'there is more than one pod' : 'there is no pod',
      hint: second ? 'hand over one at a time' : 'add a document with "kind: Pod"',
    },
  ]);
}

/** The pod of a value that has no lines, such as a stored or received object. */
export function podFromValue(value: unknown, where: string): Validated {
  const unfit = findUnfitPart(value);
  if (unfit) {
    throw new ManifestError([{ ...unfit, path: pathText(unfit.path), file: where }]);
  }
  return validatePod({ value, file: where });
}

/**
 * The pod of a request's body, YAML or JSON, for the namespace that the request is about; objects in
 * further documents are for this pod alone.
 */
export function parsePod(
  text: string,
  options: { readonly namespace?: string } = {},
): PodWithObjects {
  const [document, another] = readManifest(text, 'request body');
  // What is wrong with the kind of the only document is told best by the judge of pods.
  if (!document || !another) {
    return { pod: podFromManifest(text, 'request body', options.namespace).pod, objects: [] };
  }
  return onePodOf(partsOfManifest(text, 'request body', options.namespace));
}

/** The object of a request's body, which must be of that kind. */
export function parseObject(
  text: string,
  kind: ObjectKind,
  options: { readonly namespace: string },
): ManifestObject {
  const [document, another] = readManifest(text, 'request body');
  if (!document) throw empty('request body');
  if (another) {
    const message = 'the request holds more than one document';
    const hint = 'send one request for each';
    throw new ManifestError([{ path: '', file: 'request body', message, hint }]);
  }
  return validateObject(kind, { ...document, ...options }).object;
}

function partOf(document: ManifestDocument, namespace: string | undefined): Part {
  const kind = objectKindOf(document.value);
  const source = { ...document, namespace };
  return kind === undefined
    ? { kind: 'pod', document, ...validatePod(source) }
    : { kind: 'object', document, ...validateObject(kind, source) };
}

function empty(file: string): ManifestError {
  const fault = { path: '', file, message: 'the manifest is empty' };
  return new ManifestError([{ ...fault, hint: 'put a Pod into it' }]);
}
