/**
 * Makes sure that an image is there, as the pull policy has it, and finds out whom it runs as.
 */
import { RepriseError } from '../errors.ts';
import type { Container } from '../pod/pod.ts';
import { RuntimeCallError } from './call.ts';
import type { Cri } from './cri.ts';
import type { AuthConfig } from './generated/runtime/v1/AuthConfig.ts';
import type { Image__Output } from './generated/runtime/v1/Image.ts';
import { fullImageName } from './image-name.ts';

/** An image that containers can be created from. */
export interface ReadyImage {
  /** The reference to create containers with: the image's id. */
  readonly ref: string;
  readonly user: ImageUser;
  /** Whether the registry was asked for it now. */
  readonly pulled: boolean;
  readonly sizeBytes: number;
}

/** The user an image's configuration names: by number, by name, or root if it names none. */
export type ImageUser =
  | { readonly uid: number; readonly name?: undefined }
  | { readonly uid?: undefined; readonly name: string };

/** Kubernetes' waiting reasons for images. */
export type ImageReason =
  'InvalidImageName' | 'ImageInspectError' | 'ErrImageNeverPull' | 'ErrImagePull';

/** An image that cannot be had; a pod waits for it with this reason. */
export class ImageError extends RepriseError {
  readonly reason: ImageReason;

  constructor(reason: ImageReason, what: string, image: string, next: string, cause?: unknown) {
    super(what, { where: `image "${image}"`, next, cause });
    this.reason = reason;
  }
}

/** Finds or pulls an image. With IfNotPresent no registry is asked for an image that is there. */
export async function ensureImage(
  cri: Cri,
  image: string,
  policy: Container['imagePullPolicy'],
  signal: AbortSignal,
  auth?: AuthConfig,
): Promise<ReadyImage> {
  const name = fullImageName(image);
  if (name === undefined) {
    const what = `Failed to apply default image tag "${image}": couldn't parse image name`;
    throw new ImageError('InvalidImageName', what, image, 'write it as registry/path:tag');
  }
  if (policy !== 'Always') {
    const present = await inspect(cri, name, signal);
    if (present) return readyImage(present, false);
    if (policy === 'Never') {
      const what = `Container image "${image}" is not present with pull policy of Never`;
      const next = 'import it: ctr -n k8s.io images import FILE.tar';
      throw new ImageError('ErrImageNeverPull', what, image, next);
    }
  }
  await pull(cri, name, auth, signal);
  const pulled = await inspect(cri, name, signal);
  if (pulled) return readyImage(pulled, true);
  const what = `Image "${image}" was pulled but is not there`;
  throw new ImageError('ImageInspectError', what, image, 'check whether something removes images');
}

async function inspect(
  cri: Cri,
  name: string,
  signal: AbortSignal,
): Promise<Image__Output | undefined> {
  try {
    return await cri.imageStatus(name, signal);
  } catch (error) {
    if (!(error instanceof RuntimeCallError)) throw error;
    const what = `Failed to inspect image "${name}": ${error.details}`;
    const next = 'look at the log of containerd';
    throw new ImageError('ImageInspectError', what, name, next, error);
  }
}

async function pull(
  cri: Cri,
  name: string,
  auth: AuthConfig | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    await cri.pullImage(name, auth, signal);
  } catch (error) {
    if (!(error instanceof RuntimeCallError)) throw error;
    const what = `Failed to pull image "${name}": ${error.details}`;
    const next = `check the name, or import the image: ctr -n k8s.io images import FILE.tar`;
    throw new ImageError('ErrImagePull', what, name, next, error);
  }
}

function readyImage(image: Image__Output, pulled: boolean): ReadyImage {
  return { ref: image.id, user: userOf(image), pulled, sizeBytes: Number(image.size) };
}

function userOf({ uid, username }: Image__Output): ImageUser {
  if (uid !== null) return { uid: Number(uid.value) };
  return username === '' ? { uid: 0 } : { name: username };
}
