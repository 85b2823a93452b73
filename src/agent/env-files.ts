/** Reads the files that a container takes variables from, as they are when it is made. */
import { readVolumeFile } from '../host/volumes/read-file.ts';
import type { Loan } from '../pod/loan.ts';
import { own } from '../pod/own.ts';
import type { Container } from '../pod/pod.ts';
import { ContainerConfigError } from '../runtime/config-error.ts';
import { envFileName, parseEnvFile } from '../runtime/env-file.ts';
import type { EnvFile, EnvFiles } from '../runtime/env-file.ts';

/** Far more than all variables of a container can have. */
const mostCharacters = 16 * 2 ** 20;

/** Reads each once, however many keys are taken. Throws a VolumeError for what is there and cannot be read. */
export async function readEnvFiles({ env }: Container, loan: Loan): Promise<EnvFiles> {
  const wanted = new Map(
    env.flatMap(({ valueFrom }) => {
      const from = valueFrom?.fileKeyRef;
      return from === undefined ? [] : [[envFileName(from), from] as const];
    }),
  );
  const files = new Map<string, EnvFile>();
  let left = mostCharacters;
  for (const [name, { volumeName, path }] of wanted) {
    const root = own(loan.volumes, volumeName);
    if (root === undefined) throw new Error(`volume "${volumeName}" was not lent`);
    const text = await readVolumeFile(volumeName, root, path);
    if (text === undefined) continue;
    left -= text.length;
    if (left < 0) {
      throw new ContainerConfigError(
        `file "${path}" of volume "${volumeName}" is too much: the files of variables have more than ${mostCharacters} characters together`,
        { next: 'take variables from fewer files, or write shorter ones' },
      );
    }
    files.set(name, parseEnvFile(text));
  }
  return files;
}
