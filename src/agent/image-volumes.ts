/**
 * Provides the images that a container mounts as volumes, as that of the container itself is provided.
 *
 * Which image a volume holds is found out once for a pod, and noted in its folder: a restart in place
 * finds the same files, whatever becomes of the tag meanwhile, and asks no registry.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { isErrno } from '../host/errno.ts';
import { placesOf } from '../host/lend.ts';
import type { Container } from '../pod/pod.ts';
import { RuntimeCallError } from '../runtime/call.ts';
import type { ContainerConfig } from '../runtime/generated/runtime/v1/ContainerConfig.ts';
import {
  assertSubPathsKnown,
  imageVolumesOf,
  isUnknownToRuntime,
  noImageVolumes,
} from '../runtime/image-mounts.ts';
import type { VolumeImages } from '../runtime/image-mounts.ts';
import type { Means, Occasion } from './means.ts';
import { provideImage } from './provide-image.ts';

/** The ids of their images; throws an ImageError when one cannot be had. */
export async function provideImageVolumes(
  means: Means,
  container: Container,
  occasion: Occasion,
): Promise<VolumeImages> {
  const { pod, signal } = occasion;
  const images: Record<string, string> = {};
  for (const { name } of imageVolumesOf(pod, container)) {
    const { image } = pod.spec.volumes.find((one) => one.name === name) ?? {};
    if (image === undefined) continue;
    const note = path.join(placesOf(pod, means.lending).volumes, 'kubernetes.io~image', name);
    const noted = await read(note);
    if (noted !== undefined && (await means.cri.imageStatus(noted, signal)) !== undefined) {
      images[name] = noted;
      continue;
    }
    const wish = { image: image.reference, imagePullPolicy: image.pullPolicy };
    const { ref } = await provideImage(means, wish, occasion);
    await fs.mkdir(path.dirname(note), { recursive: true, mode: 0o750 });
    // Containers are made side by side, and each writes it: under a temporary name of its own.
    await writeFileAtomic(note, ref, { mode: 0o600 });
    images[name] = ref;
  }
  return images;
}

/** Why a container with image volumes could not be created, where the runtime's own words do not say it. */
export function explainImageVolumes(
  error: unknown,
  container: Container,
  { pod }: Occasion,
): unknown {
  const [volume] = imageVolumesOf(pod, container);
  if (volume === undefined || !(error instanceof RuntimeCallError)) return error;
  return isUnknownToRuntime(error.details) ? noImageVolumes(volume.name) : error;
}

/** Throws, after removing the container, if the runtime has passed over a part of what it was asked for. */
export async function proveImageVolumes(
  { cri }: Means,
  container: Container,
  config: ContainerConfig,
  id: string,
  { pod, signal }: Occasion,
): Promise<void> {
  if (!imageVolumesOf(pod, container).some(({ hasSubPath }) => hasSubPath)) return;
  try {
    assertSubPathsKnown(await cri.containerInfo(id, signal), config.mounts ?? []);
  } catch (error) {
    await cri.removeContainer(id, signal);
    throw error;
  }
}

async function read(note: string): Promise<string | undefined> {
  try {
    return await fs.readFile(note, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
