/**
 * Manifests from files, folders or standard input, read and judged.
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import type { ManifestPod } from '../api/backend.ts';
import { messageOf } from '../errors.ts';
import type { Part } from '../manifest/parse-pod.ts';
import type { ManifestObject } from '../pod/objects.ts';
import { noteLine } from './output.ts';
import { UsageError } from './usage-error.ts';

/** One pod, and the objects that came with it. */
export interface Manifest {
  readonly pod: ManifestPod;
  readonly objects: readonly ManifestObject[];
  /** The pod as it was read: the agent judges it again. */
  readonly text: string;
  /** The same with the objects behind it, as the pod's own. */
  readonly textWithObjects: string;
}

/**
 * Everything in these files, in their order; a folder stands for the manifests in it. Throws a
 * ManifestError with every fault of a file, and notes what has no effect.
 */
export async function readParts(
  files: readonly string[],
  namespace?: string,
): Promise<readonly Part[]> {
  // Only the few commands that read a manifest pay for the parser.
  const [{ partsOfManifest }, { maxManifestBytes }, { utf8Text }] = await Promise.all([
    import('../manifest/parse-pod.ts'),
    import('../manifest/limits.ts'),
    import('../manifest/utf8.ts'),
  ]);
  const parts: Part[] = [];
  for (const file of await filesIn(files)) {
    const name = file === '-' ? 'standard input' : file;
    // One byte more is enough to be refused, also where there is no end, as in /dev/zero.
    const text = utf8Text(await read(file, maxManifestBytes + 1), name);
    parts.push(...partsOfManifest(text, name, namespace));
  }
  for (const note of parts.flatMap(({ notes }) => notes)) noteLine(`note: ${note}`);
  return parts;
}

/** The one pod in these files, with the objects beside it. */
export async function readManifest(
  files: readonly string[],
  namespace?: string,
): Promise<Manifest> {
  const parts = await readParts(files, namespace);
  const { onePodOf } = await import('../manifest/parse-pod.ts');
  const { pod, objects } = onePodOf(parts);
  const texts = parts.map(({ kind, document }) => ({ kind, text: asDocument(document.value) }));
  const text = texts.find(({ kind }) => kind === 'pod')?.text ?? '';
  return { pod, objects, text, textWithObjects: texts.map((each) => each.text).join('\n---\n') };
}

/** A value as a document of its own, whatever its file looked like. */
export function asDocument(value: unknown): string {
  // The one control character that JSON leaves as it is and YAML does not take.
  return JSON.stringify(value).replaceAll('\x7f', '\\u007f');
}

/** Gathers an option that may be repeated. */
export function collect(file: string, sofar: readonly string[] | undefined): readonly string[] {
  return [...(sofar ?? []), file];
}

async function filesIn(places: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const place of places) files.push(...(await manifestsAt(place)));
  return files;
}

/** The file itself, or those in a folder. */
export async function manifestsAt(place: string): Promise<readonly string[]> {
  if (place === '-') return [place];
  const fail = (error: unknown): never => {
    throw unreadable(place, error);
  };
  const found = await stat(place).catch(fail);
  if (!found.isDirectory()) return [place];
  const names = (await readdir(place).catch(fail)).filter((name) => /\.(?:ya?ml|json)$/.test(name));
  if (names.length > 0) return names.toSorted().map((name) => path.join(place, name));
  throw new UsageError('there is no manifest in this folder', {
    where: place,
    next: 'put files into it that end in .yaml, .yml or .json',
  });
}

async function read(file: string, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    const source = file === '-' ? process.stdin : createReadStream(file);
    for await (const piece of source as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size >= most) break;
    }
    return Buffer.concat(pieces);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(where: string, cause: unknown): UsageError {
  return new UsageError(`cannot read the manifest: ${reasonOf(cause)}`, {
    where,
    next: 'name a file with a Pod, in YAML or JSON, or a folder of them; - is standard input',
    cause,
  });
}

/** The operating system's words without the name of the call. */
function reasonOf(error: unknown): string {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number'
    ? getSystemErrorMessage(error.errno)
    : messageOf(error);
}
