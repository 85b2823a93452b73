/** Reads a file that a container has written into a volume, whatever it has made of it. */
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import { itself } from '../descriptors.ts';
import { isErrno } from '../errno.ts';
import { openBeneath } from './beneath.ts';
import { VolumeError } from './volume-error.ts';

/** More than any environment can hold. */
const MOST_BYTES = 1024 * 1024;

/** Its text; undefined if there is no such file. Throws a VolumeError for anything but a file of text. */
export async function readVolumeFile(
  volume: string,
  root: string,
  file: string,
): Promise<string | undefined> {
  try {
    await using found = await openBeneath(root, file, { makesFolders: false });
    const stats = await found.stat();
    if (!stats.isFile()) throw new Error('it is no file');
    if (stats.size > MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES} bytes`);
    await using readable = await fs.open(itself(found), constants.O_RDONLY);
    const { buffer, bytesRead } = await readable.read(Buffer.alloc(stats.size), 0, stats.size, 0);
    const text = buffer.toString('utf8', 0, bytesRead);
    if (text.includes('\0')) throw new Error('it is no text');
    return text;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw new VolumeError(`cannot read "${file}" of volume "${volume}": ${messageOf(error)}`, {
      where: `volume "${volume}"`,
      next: 'look at what is at this path of the volume',
      cause: error,
    });
  }
}
