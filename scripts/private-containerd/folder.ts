/**
 * Folders that others make and remove while we look at them.
 */
import { readdir, rmdir } from 'node:fs/promises';

/** The names in a folder; none if it is not there. */
export async function listFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
}

/** Removes a folder that may be shared with others, if nobody has anything in it. */
export async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['ENOTEMPTY', 'ENOENT', 'EEXIST'].includes(code)) throw error;
  });
}
