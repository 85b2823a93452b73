/**
 * A manifest from a file or standard input, read and judged.
 */
import { createReadStream } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import type { ManifestPod } from '../api/backend.ts';
import { messageOf } from '../errors.ts';
import { noteLine } from './output.ts';
import { UsageError } from './usage-error.ts';

export interface Manifest {
  readonly pod: ManifestPod;
  /** As it was read: the agent judges it again. */
  readonly text: string;
}

/** Reads one pod; throws a ManifestError with every fault, and notes what has no effect. */
export async function readManifest(file: string, namespace?: string): Promise<Manifest> {
  // Only the few commands that read a manifest pay for the parser.
  const [{ podFromManifest }, { maxManifestBytes }] = await Promise.all([
    import('../manifest/parse-pod.ts'),
    import('../manifest/limits.ts'),
  ]);
  // One byte more is enough to be refused, also where there is no end, as in /dev/zero.
  const text = await read(file, maxManifestBytes + 1);
  const { pod, notes } = podFromManifest(text, file === '-' ? 'standard input' : file, namespace);
  for (const note of notes) noteLine(`note: ${note}`);
  return { pod, text };
}

/** Gathers an option that may be repeated. */
export function collect(file: string, sofar: readonly string[] | undefined): readonly string[] {
  return [...(sofar ?? []), file];
}

async function read(file: string, most: number): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    const source = file === '-' ? process.stdin : createReadStream(file);
    for await (const piece of source as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size >= most) break;
    }
    return Buffer.concat(pieces).toString('utf8');
  } catch (error) {
    throw new UsageError(`cannot read the manifest: ${reasonOf(error)}`, {
      where: file,
      next: 'name a file with one Pod, in YAML or JSON; - is standard input',
      cause: error,
    });
  }
}

/** The operating system's words without the name of the call. */
function reasonOf(error: unknown): string {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number'
    ? getSystemErrorMessage(error.errno)
    : messageOf(error);
}
