/** The body of a PATCH, in one of the two kinds of patches that are understood. */
import { readManifest } from '../manifest/parse-pod.ts';
import { own } from '../pod/own.ts';
import { ApiError } from './api-status.ts';
import { readBody } from './call.ts';
import type { Call } from './call.ts';
import { jsonMergePatch, strategicMergePatch } from './merge-patch.ts';

const patchTypes: Readonly<Record<string, typeof jsonMergePatch>> = {
  'application/strategic-merge-patch+json': strategicMergePatch,
  'application/merge-patch+json': jsonMergePatch,
};

/** What the patch makes of an object, which itself stays as it is; nothing in it has been checked. */
export async function readPatch(call: Call): Promise<(object: object) => unknown> {
  const apply = patchTypeOf(call);
  const patch = parseBody(await readBody(call));
  return (object) => apply(structuredClone(object), patch);
}

/** The one object in a body. */
export function parseBody(text: string): unknown {
  const [document, another] = readManifest(text, 'request body');
  if (document !== undefined && another === undefined) return document.value;
  throw new ApiError('BadRequest', 'the request has to hold one object');
}

function patchTypeOf({ request }: Call): typeof jsonMergePatch {
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const apply = own(patchTypes, mediaType);
  if (apply !== undefined) return apply;
  throw new ApiError('UnsupportedMediaType', 'the type of the patch is not supported', {
    next: `use one of: ${Object.keys(patchTypes).join(', ')}`,
  });
}
