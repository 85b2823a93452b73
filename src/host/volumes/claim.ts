/**
 * persistentVolumeClaim: a folder of this node, `<data-dir>/claims/<namespace>/<claim>/data`, made when
 * a pod first uses it and never removed by us, whatever becomes of pods and of the claim itself.
 *
 * With fsGroup, all that is in it is given to the group before the pod's first container runs, as the
 * kubelet does it when it mounts (volume_linux.go): once for each pod, as a file among the pod's says.
 */
import fs from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../errors.ts';
import type { FindObject } from '../../pod/objects.ts';
import type { Pod, Volume } from '../../pod/pod.ts';
import type { ClaimVolume } from '../../pod/volume-sources.ts';
import { giveToGroup } from './give-to-group.ts';
import { VolumeError } from './volume-error.ts';

/** Where claims are, and where it is noted what was done for the pod. */
export interface ClaimPlaces {
  readonly dataDir: string;
  readonly markers: string;
}

/** Makes the folder of a claim that there is, and says where it is. */
export async function provideClaim(
  { dataDir, markers }: ClaimPlaces,
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
    // What nobody may write to is not made writable for a group.
    if (readOnly !== true) await belongTo(pod, data, path.join(markers, name));
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

async function belongTo(pod: Pod, data: string, marker: string): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext;
  if (fsGroup === undefined || fs.existsSync(marker)) return;
  const isRight = fsGroupChangePolicy === 'OnRootMismatch' && isGivenTo(data, fsGroup);
  if (!isRight) await giveToGroup(data, fsGroup);
  await fs.promises.mkdir(path.dirname(marker), { recursive: true, mode: 0o750 });
  await fs.promises.writeFile(marker, '', { mode: 0o600 });
}

/** Whether the folder itself belongs to the group in every respect; then what is in it should, too. */
function isGivenTo(data: string, group: number): boolean {
  const { gid, mode } = fs.lstatSync(data);
  return gid === group && (mode & 0o2770) === 0o2770;
}
