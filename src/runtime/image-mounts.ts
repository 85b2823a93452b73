/**
 * Image volumes in CRI's words, and whether the runtime has understood them.
 *
 * No containerd says beforehand whether it knows of them: `image` of a mount is there from 2.1 on,
 * `image_sub_path` from 2.2 on, and what is not known is passed over in silence. But what came of it can
 * be seen: without `image` such a mount has no source at all, which fails, and a runtime shows the
 * config that it has stored, in which a field that it does not know is missing.
 */
import { z } from 'zod';
import { own } from '../pod/own.ts';
import type { Container, Pod } from '../pod/pod.ts';
import { ContainerConfigError } from './config-error.ts';
import type { Mount } from './generated/runtime/v1/Mount.ts';

/** Ids of the images that image volumes hold, by volume. */
export type VolumeImages = Readonly<Record<string, string>>;

/** The part of a mount that says what is mounted, for an image volume. */
export function imageSource(
  volume: string,
  reference: string,
  images: VolumeImages,
  subPath: string | undefined,
): Pick<Mount, 'image' | 'imageSubPath'> {
  const image = own(images, volume);
  if (image === undefined) throw new Error(`image volume "${volume}" was not looked up`);
  return {
    image: { image, userSpecifiedImage: reference },
    ...(subPath !== undefined && { imageSubPath: subPath }),
  };
}

/** The image volumes that a container mounts. */
export function imageVolumesOf(
  { spec }: Pod,
  { volumeMounts }: Container,
): readonly { readonly name: string; readonly hasSubPath: boolean }[] {
  return spec.volumes.flatMap(({ name, image }) => {
    const mounts = volumeMounts.filter((mount) => mount.name === name);
    if (image === undefined || mounts.length === 0) return [];
    const hasSubPath = mounts.some((mount) => (mount.subPath ?? mount.subPathExpr) !== undefined);
    return [{ name, hasSubPath }];
  });
}

/** Before 2.1 containerd takes the mount for one of a folder without a name, which it tries to make. */
export function isUnknownToRuntime(details: string): boolean {
  return details.includes('failed to mkdir ""') || details.includes('failed to stat ""');
}

/** The runtime cannot mount images at all. */
export function noImageVolumes(volume: string): ContainerConfigError {
  return new ContainerConfigError(
    `volume "${volume}" is an image volume, which the runtime does not know`,
    { next: 'use containerd 2.1 or later, or copy the files in an init container' },
  );
}

const stored = z.object({
  config: z.object({
    mounts: z.array(z.object({ image: z.unknown(), image_sub_path: z.string().optional() })),
  }),
});

/**
 * Throws if the runtime has passed over a sub-path: the container would see more than it should.
 * `info` is what it tells of a container that was just created.
 */
export function assertSubPathsKnown(info: unknown, mounts: readonly Mount[]): void {
  const asked = mounts.filter(({ imageSubPath }) => imageSubPath !== undefined);
  if (asked.length === 0) return;
  const { data } = stored.safeParse(info);
  const known = (data?.config.mounts ?? []).map((mount) => mount.image_sub_path);
  const lost = asked.find(({ imageSubPath }) => !known.includes(imageSubPath));
  if (lost === undefined) return;
  throw new ContainerConfigError(
    `the runtime does not know subPath "${lost.imageSubPath}" of an image volume`,
    { next: 'use containerd 2.2 or later, or mount the whole volume' },
  );
}
