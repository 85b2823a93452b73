/** Reads the files that a container takes variables from, as they are when it is made. */
import { readVolumeFile } from '../host/volumes/read-file.ts';
import type { Loan } from '../pod/loan.ts';
import { own } from '../pod/own.ts';
import type { Container } from '../pod/pod.ts';
import { envFileName } from '../runtime/env-file.ts';
import type { EnvFiles } from '../runtime/env-file.ts';

/** Throws a VolumeError for what is there and cannot be read. */
export async function readEnvFiles({ env }: Container, loan: Loan): Promise<EnvFiles> {
  const files = new Map<string, string>();
  for (const { fileKeyRef } of env.flatMap(({ valueFrom }) => valueFrom ?? [])) {
    if (fileKeyRef === undefined) continue;
    const { volumeName, path } = fileKeyRef;
    const root = own(loan.volumes, volumeName);
    if (root === undefined) throw new Error(`volume "${volumeName}" was not lent`);
    const text = await readVolumeFile(volumeName, root, path);
    if (text !== undefined) files.set(envFileName(fileKeyRef), text);
  }
  return files;
}
