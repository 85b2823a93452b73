/**
 * CDI specification files: `*.json` and `*.yaml` directly in the directories. A file that cannot be used
 * is told about and left out; the others count.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parse as parseYaml } from 'yaml';
import { messageOf } from '../../errors.ts';
import { CdiSpecError, parseCdiSpec } from '../../devices/cdi-spec.ts';
import type { FoundSpec } from '../../devices/registry.ts';
import { kubectlTags } from '../../manifest/plain-scalars.ts';
import { isErrno } from '../errno.ts';

/** Where CDI looks if nobody says otherwise, in rising precedence. */
export const defaultSpecDirs: readonly string[] = ['/etc/cdi', '/var/run/cdi'];

/** Far above any real one: eight GPUs with all their mounts need some 50 KiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/** containerd reads them by the library by which kubectl reads manifests: `0660` is octal. */
const yamlOptions = {
  version: '1.1',
  // Also where the text begins with "%YAML 1.2".
  schema: 'yaml-1.1',
  resolveKnownTags: false,
  customTags: kubectlTags,
} as const;

export function readSpecs(directories: readonly string[]): {
  readonly specs: readonly FoundSpec[];
  readonly faults: readonly CdiSpecError[];
} {
  const specs: FoundSpec[] = [];
  const faults: CdiSpecError[] = [];
  for (const [priority, directory] of directories.entries()) {
    for (const file of specFilesIn(directory, faults)) {
      try {
        specs.push({ file, priority, spec: readSpec(file) });
      } catch (error) {
        // Removed since it was listed: it has never been there.
        if (isErrno(error, 'ENOENT')) continue;
        faults.push(error instanceof CdiSpecError ? error : unreadable(file, error));
      }
    }
  }
  return { specs, faults };
}

function specFilesIn(directory: string, faults: CdiSpecError[]): readonly string[] {
  try {
    return fs
      .readdirSync(directory)
      .filter((name) => name.endsWith('.json') || name.endsWith('.yaml'))
      .toSorted()
      .map((name) => path.join(directory, name));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) faults.push(unreadable(directory, error));
    return [];
  }
}

function readSpec(file: string): FoundSpec['spec'] {
  const { size } = fs.statSync(file);
  if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, where ${MAX_BYTES} are the most`);
  const text = fs.readFileSync(file, 'utf8');
  const value: unknown = file.endsWith('.json') ? JSON.parse(text) : parseYaml(text, yamlOptions);
  return parseCdiSpec(value, file);
}

function unreadable(where: string, cause: unknown): CdiSpecError {
  return new CdiSpecError(`a CDI specification cannot be read: ${messageOf(cause)}`, {
    where,
    next: 'correct it or make it again (for NVIDIA: nvidia-ctk cdi generate); other files still count',
    cause,
  });
}
