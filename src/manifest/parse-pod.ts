/** The ways in: a manifest's text, or a value from elsewhere, to one Pod. */
import type { ManifestPod } from './defaults.ts';
import { ManifestError } from './manifest-error.ts';
import { parseDocuments } from './parse.ts';
import type { ManifestDocument } from './parse.ts';
import { findUnfitPart } from './plain.ts';
import { validatePod } from './validate.ts';
import type { Validated } from './validate.ts';

/** The documents of a manifest that are not empty, each with its lines. */
export function readManifest(text: string, file: string): readonly ManifestDocument[] {
  return parseDocuments(text, file);
}

/**
 * The pod of a manifest that holds exactly one. A namespace is for pods that name none; as with
 * kubectl, one that names another is refused.
 */
export function podFromManifest(text: string, file: string, namespace?: string): Validated {
  const [document, another] = readManifest(text, file);
  if (!document) {
    const fault = { path: '', file, message: 'the manifest is empty' };
    throw new ManifestError([{ ...fault, hint: 'put a Pod into it' }]);
  }
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

/** The pod of a value that has no lines, such as a stored or received object. */
export function podFromValue(value: unknown, where: string): Validated {
  const unfit = findUnfitPart(value);
  if (unfit) {
    throw new ManifestError([{ path: '', file: where, message: unfit.message, hint: unfit.hint }]);
  }
  return validatePod({ value, file: where });
}

/** The pod of a request's body, YAML or JSON, for the namespace that the request is about. */
export function parsePod(text: string, options: { readonly namespace?: string } = {}): ManifestPod {
  return podFromManifest(text, 'request body', options.namespace).pod;
}
