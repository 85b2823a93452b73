/** The folders that a pod has to itself, whatever is in its manifest. */
import fs from 'node:fs/promises';
import { RepriseError, messageOf } from '../errors.ts';

/** A folder of the pod's own cannot be made; the pod waits until it can. */
export class FolderError extends RepriseError {}

/** Makes a folder of exactly that mode, with its parents; one that is there gets the mode. */
export async function makeFolder(directory: string, mode: number): Promise<void> {
  try {
    // mkdir's own mode is cut by the umask, and parents get it too: they are made with the usual one.
    await fs.mkdir(directory, { recursive: true });
    await fs.chmod(directory, mode);
  } catch (error) {
    throw new FolderError(messageOf(error), {
      where: directory,
      next: 'see whether the disk is full or read-only, and that nothing else has that name',
      cause: error,
    });
  }
}
