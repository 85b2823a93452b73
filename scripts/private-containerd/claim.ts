/**
 * Guards folders that are not a private containerd's: they are neither filled nor, worse, emptied.
 */
import { readFile } from 'node:fs/promises';
import { RepriseError } from '../../src/errors.ts';
import { listFolder } from './folder.ts';
import type { Instance } from './instance.ts';

/** Fails unless the folder is missing, empty, or holds a configuration that names it as its own. */
export async function claim({ dir, root, configFile }: Instance): Promise<void> {
  const names = await listFolder(dir);
  if (names.length === 0) return;
  const config = names.includes('config.toml') ? await readFile(configFile, 'utf8') : '';
  if (config.includes(`root = ${JSON.stringify(root)}`)) return;
  throw new RepriseError('the folder has content that is not that of a private containerd', {
    where: dir,
    next: 'name an empty folder, or the one that scripts/containerd start was given',
  });
}
