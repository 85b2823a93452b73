/**
 * Volumes of files: configMap on the disk; secret, downwardAPI and projected in memory, as the kubelet
 * has them. Providing one again brings its files up to date in place.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../errors.ts';
import type { Pod, Volume } from '../../pod/pod.ts';
import { writeFiles } from './atomic-files.ts';
import { payloadOf } from './payload.ts';
import type { PayloadSources } from './payload.ts';
import { mountTmpfs } from './tmpfs.ts';
import { VolumeError } from './volume-error.ts';

/** The folders among a pod's volumes that they are in, as the kubelet calls them. */
const folders = {
  configMap: 'kubernetes.io~configmap',
  secret: 'kubernetes.io~secret',
  downwardAPI: 'kubernetes.io~downward-api',
  projected: 'kubernetes.io~projected',
} as const;

type FilesKind = keyof typeof folders;

/** What kind of volume of files it is; undefined if it is none. */
export function filesKindOf(volume: Volume): FilesKind | undefined {
  return (Object.keys(folders) as FilesKind[]).find((kind) => volume[kind] !== undefined);
}

export interface FilesOptions extends PayloadSources {
  readonly kind: FilesKind;
  /** A tmpfs never gets more than the least of these. */
  readonly memoryBounds: readonly number[];
}

/** Makes the volume below `volumesDirectory`, or brings it up to date, and says where it is. */
export async function provideFiles(
  volumesDirectory: string,
  pod: Pod,
  volume: Volume,
  options: FilesOptions,
): Promise<string> {
  const directory = path.join(volumesDirectory, folders[options.kind], volume.name);
  // Before anything is made: what is missing is no trouble of the disk.
  const payload = payloadOf(pod, volume, options);
  const { fsGroup } = pod.spec.securityContext;
  try {
    await fs.mkdir(path.dirname(directory), { recursive: true, mode: 0o750 });
    const mode = fsGroup === undefined ? 0o777 : 0o2777;
    if (options.kind === 'configMap') await makeFolder(directory, mode, fsGroup);
    else {
      const sizeBytes = Math.min(...options.memoryBounds);
      await mountTmpfs(directory, { mode, group: fsGroup, sizeBytes });
    }
    await writeFiles(directory, payload, fsGroup);
    return directory;
  } catch (error) {
    throw new VolumeError(
      `MountVolume.SetUp failed for volume "${volume.name}" : ${messageOf(error)}`,
      {
        where: directory,
        next: 'run as root, with room in the data directory',
        cause: error,
      },
    );
  }
}

async function makeFolder(directory: string, mode: number, group?: number): Promise<void> {
  await fs.mkdir(directory, { recursive: true });
  if (group !== undefined) await fs.chown(directory, 0, group);
  await fs.chmod(directory, mode);
}
