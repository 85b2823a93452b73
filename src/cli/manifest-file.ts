/**
 * A manifest from a file or standard input, read and judged.
 */
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
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
  const text = await read(file);
  // Only the few commands that read a manifest pay for the parser.
  const { podFromManifest } = await import('../manifest/parse-pod.ts');
  const { pod, notes } = podFromManifest(text, file === '-' ? 'standard input' : file, namespace);
  for (const note of notes) noteLine(`note: ${note}`);
  return { pod, text };
}

/** Gathers an option that may be repeated. */
export function collect(file: string, sofar: readonly string[] | undefined): readonly string[] {
  return [...(sofar ?? []), file];
}

async function read(file: string): Promise<string> {
  if (file === '-') return readAll(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the manifest: ${messageOf(error)}`, {
      where: file,
      next: 'name a file with one Pod, in YAML or JSON; - is standard input',
      cause: error,
    });
  }
}
