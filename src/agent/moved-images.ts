/**
 * Finds out which containers that were made ahead have an image that its name does not stand for any
 * more: they are made anew, as a restart runs what a name stands for by then.
 */
import { isUnused } from '../pod/instances.ts';
import type { Observed } from '../pod/observed.ts';
import type { Pod } from '../pod/pod.ts';
import { findContainer } from '../pod/pod.ts';
import type { Cri } from '../runtime/cri.ts';
import { fullImageName, repositoryOf } from '../runtime/image-name.ts';
import type { FullLook } from './view.ts';

/** Whether something was made ahead for a pod from an image with a name in that repository. */
export function isMadeAheadFrom(image: string, pod: Pod, { instances }: Observed): boolean {
  const repository = repositoryOf(image);
  return instances.some((one) => {
    const container = isUnused(one) ? findContainer(pod, one.name) : undefined;
    return container !== undefined && repositoryOf(container.image) === repository;
  });
}

/** The look, with a mark on what was made ahead and has an old image. What is gone is no newer image. */
export async function withMovedImages(
  { imageStatus }: Pick<Cri, 'imageStatus'>,
  pod: Pod,
  look: FullLook,
  signal: AbortSignal,
): Promise<FullLook> {
  const asked = new Map<string, Promise<string | undefined>>();
  const idOf = async (image: string): Promise<string | undefined> =>
    (await imageStatus(image, signal))?.id;
  const instances = look.instances.map(async (one) => {
    const image = fullImageName(findContainer(pod, one.name)?.image ?? '');
    if (!isUnused(one) || one.imageId === undefined || image === undefined) return one;
    const answer = asked.get(image) ?? idOf(image);
    asked.set(image, answer);
    const id = await answer;
    return id === undefined || id === one.imageId ? one : { ...one, hasOldImage: true };
  });
  return { ...look, instances: await Promise.all(instances) };
}
