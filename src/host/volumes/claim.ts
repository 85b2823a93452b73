/**
 * persistentVolumeClaim: a folder of this node, `<data-dir>/claims/<namespace>/<claim>/data`, made when
 * a pod first uses it and never removed by us, whatever becomes of pods and of the claim itself.
 *
 * With fsGroup, all that is in it is given to the group once; a marker beside the folder, where no
 * container can reach it, says for which group that was done.
 */
import fs from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../errors.ts';
import type { FindObject } from '../../pod/objects.ts';
import type { Pod, Volume } from '../../pod/pod.ts';
import type { ClaimVolume } from '../../pod/volume-sources.ts';
import { isErrno } from '../errno.ts';
import { giveToGroup } from './give-to-group.ts';
import { VolumeError } from './volume-error.ts';

/** Makes the folder of a claim that there is, and says where it is. */
export async function provideClaim(
  dataDir: string,
  pod: Pod,
  { name }: Volume,
  { claimName, readOnly }: ClaimVolume,
  find: FindObject,
): Promise<string> {
  if (find('PersistentVolumeClaim', claimName) === undefined) {
    throw new VolumeError(
      `MountVolume.SetUp failed for volume "${name}" : persistentvolumeclaim "${claimName}" not found`,
      { where: `volume "${name}"`, next: 'apply the claim: the pod starts as soon as it is there' },
    );
  }
  const folder = path.join(dataDir, 'claims', pod.metadata.namespace, claimName);
  const data = path.join(folder, 'data');
  try {
    makeFolder(folder, data);
    const { fsGroup } = pod.spec.securityContext;
    // What nobody may write to is not made writable for a group.
    if (fsGroup !== undefined && readOnly !== true) await belongTo(fsGroup, folder, data);
    return data;
  } catch (error) {
    throw new VolumeError(`MountVolume.SetUp failed for volume "${name}" : ${messageOf(error)}`, {
      where: folder,
      next: 'run as root, with room in the data directory',
      cause: error,
    });
  }
}

/**
 * Nothing waits in here: another pod that comes for the same claim meanwhile would have the folder
 * replaced under the feet of this one.
 */
function makeFolder(folder: string, data: string): void {
  // lstat: what is there must be the folder itself.
  if (fs.lstatSync(data, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const making = `${data}.making`;
  fs.mkdirSync(making, { recursive: true, mode: 0o750 });
  fs.chmodSync(folder, 0o750);
  fs.chmodSync(making, 0o777);
  fs.renameSync(making, data);
}

async function belongTo(group: number, folder: string, data: string): Promise<void> {
  const marker = path.join(folder, 'fs-group');
  const known = await fs.promises.readFile(marker, 'utf8').catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT')) throw error;
    return '';
  });
  if (known === `${group}\n`) return;
  await giveToGroup(data, group);
  await fs.promises.writeFile(`${marker}.new`, `${group}\n`, { mode: 0o600 });
  await fs.promises.rename(`${marker}.new`, marker);
}
