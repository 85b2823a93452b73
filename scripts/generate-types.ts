/**
 * Makes src/runtime/generated/ from proto/. A test fails when the folder has fallen behind.
 */
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { protoDirectory, protoFiles } from '../src/runtime/protos.ts';

const runtimeDirectory = fileURLToPath(new URL('../src/runtime/', import.meta.url));

/** Where the generated types are kept. */
export const generatedDirectory = join(runtimeDirectory, 'generated');

/** Generates all types into a folder. The options match protoOptions. */
export async function generateTypes(outDirectory: string): Promise<void> {
  await execa({ preferLocal: true, localDir: import.meta.dirname })`proto-loader-gen-types ${[
    '--longs=String',
    '--enums=String',
    '--defaults',
    '--grpcLib=@grpc/grpc-js',
    '--importFileExtension=.ts',
    `--includeDirs=${protoDirectory}`,
    `--outDir=${outDirectory}`,
    ...protoFiles,
  ]}`;
  const written = Object.entries(await contentOf(outDirectory));
  await Promise.all(
    written.map(([path, text]) => writeFile(join(outDirectory, path), withHeader(text))),
  );
}

/**
 * The generator's first line names the definition with its place on this machine. Its imports can
 * be unused, which our compiler options refuse.
 */
function withHeader(text: string): string {
  return text
    .replaceAll(/^\/\/ Original file: null\n/gm, '')
    .replaceAll(/^\/\/ Original file: .*?([^/\n]+)$/gm, '// From proto/$1.')
    .replace(/^/, '// Made by scripts/generate-types.ts: do not edit.\n// @ts-nocheck\n');
}

/** Every file below a folder with its content. */
export async function contentOf(directory: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const pairs = files.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(directory.length + 1), await readFile(path, 'utf8')] as const;
  });
  const sorted = (await Promise.all(pairs)).sort(([a], [b]) => a.localeCompare(b));
  return Object.fromEntries(sorted);
}

if (import.meta.main) {
  // Made beside its place, so that the rename stays on one file system.
  const fresh = await mkdtemp(join(runtimeDirectory, 'generated-'));
  try {
    await generateTypes(fresh);
    await rm(generatedDirectory, { recursive: true, force: true });
    await rename(fresh, generatedDirectory);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
