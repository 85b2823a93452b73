/**
 * Makes sure that an image is there, as the pull policy has it, and finds out whom it runs as.
 *
 * Messages and reasons are the kubelet's (images/image_manager.go), without what it wraps around
 * the runtime's own words.
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
  /** What a status shows as imageID: `repository@digest`; the id of an image that was imported. */
  readonly digest: string;
  /** What a status shows as image: its full name, `docker.io/library/busybox:latest`. */
  readonly name: string;
  readonly user: ImageUser;
  /** Whether the registry was asked for it now, and for nobody else. */
  readonly pulled: boolean;
  /** What it was pulled with now; absent: nothing was needed, or it was not pulled. */
  readonly pulledWith?: AuthConfig;
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
  /** What a status says next to the reason: for a pull, the runtime's own words. */
  readonly details: string;
  /** As the manifest names it. */
  readonly image: string;

  constructor(
    reason: ImageReason,
    what: string,
    image: string,
    { next, details = what, cause }: { next: string; details?: string; cause?: unknown },
  ) {
    super(what, { where: `image "${image}"`, next, cause });
    this.reason = reason;
    this.details = details;
    this.image = image;
  }
}

/** What an image is needed for, beside its name. */
export interface ImageWish {
  readonly policy: Container['imagePullPolicy'];
  /** Tried one after the other until a pull succeeds; none: pulled as nobody in particular. */
  readonly credentials?: () => readonly AuthConfig[];
  /** Whether an image that is there may be used without asking its registry; absent: it may. */
  readonly mayUse?: (image: ReadyImage) => boolean;
  /** Called before a registry is asked, with what it may be asked with. */
  readonly onPull?: (credentials: readonly AuthConfig[]) => void;
  /** Pulls, or resolves to nothing when somebody else has pulled it meanwhile; absent: pulls. */
  readonly share?: (pull: () => Promise<Pulled>) => Promise<Pulled | undefined>;
}

/** How an image was pulled. */
export interface Pulled {
  /** Absent: nothing was needed. */
  readonly with: AuthConfig | undefined;
}

/** Finds or pulls an image. With IfNotPresent no registry is asked for an image that is there. */
export async function ensureImage(
  cri: Cri,
  image: string,
  {
    policy,
    credentials = () => [],
    mayUse = () => true,
    onPull,
    share = (all) => all(),
  }: ImageWish,
  signal: AbortSignal,
): Promise<ReadyImage> {
  const name = fullImageName(image);
  if (name === undefined) {
    const what = `Failed to apply default image tag "${image}": couldn't parse image name`;
    const next = 'write it as registry/path:tag';
    throw new ImageError('InvalidImageName', what, image, { next });
  }
  if (policy !== 'Always') {
    const present = await inspect(cri, name, signal);
    const ready = present && readyImage(present, name);
    if (ready !== undefined && mayUse(ready)) return ready;
    if (policy === 'Never') throw neverPull(image, ready !== undefined);
  }
  const offered = credentials();
  const own = await share(async () => {
    onPull?.(offered);
    return { with: await pull(cri, image, name, offered, signal) };
  });
  const pulled = await inspect(cri, name, signal);
  if (pulled) {
    return { ...readyImage(pulled, name), pulled: own !== undefined, pulledWith: own?.with };
  }
  const what = `Image "${image}" was pulled but is not there`;
  const next = 'check whether something removes images';
  throw new ImageError('ImageInspectError', what, image, { next });
}

function neverPull(image: string, isThere: boolean): ImageError {
  const what = isThere
    ? `Container image "${image}" was pulled with credentials that the pod does not have, and its pull policy is Never`
    : `Container image "${image}" is not present with pull policy of Never`;
  const next = isThere
    ? 'name the Secret it was pulled with in imagePullSecrets'
    : 'import it: ctr -n k8s.io images import FILE.tar';
  return new ImageError('ErrImageNeverPull', what, image, { next });
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
    throw new ImageError('ImageInspectError', what, name, { next, cause: error });
  }
}

/** Resolves to what it was pulled with. */
async function pull(
  cri: Cri,
  image: string,
  name: string,
  credentials: readonly AuthConfig[],
  signal: AbortSignal,
): Promise<AuthConfig | undefined> {
  const refusals: RuntimeCallError[] = [];
  for (const auth of credentials.length > 0 ? credentials : [undefined]) {
    try {
      await cri.pullImage(name, auth, signal);
      return auth;
    } catch (error) {
      if (!(error instanceof RuntimeCallError)) throw error;
      refusals.push(error);
    }
  }
  const details = [...new Set(refusals.map((refusal) => refusal.details))].join('; ');
  const what = `Failed to pull image "${image}": ${details}`;
  const next = isRefused(details)
    ? 'name a Secret with credentials for the registry in imagePullSecrets'
    : 'check the name, or import the image: ctr -n k8s.io images import FILE.tar';
  throw new ImageError('ErrImagePull', what, image, { next, details, cause: refusals.at(-1) });
}

/** containerd passes on what the registry said, in words that differ from version to version. */
function isRefused(details: string): boolean {
  return /authoriz|authenticat|credentials|denied|\b40[13]\b/i.test(details);
}

/** An image may have many names, and digests in many repositories: those it was asked for by count. */
function readyImage(image: Image__Output, asked: string): ReadyImage {
  const { id, repoTags, repoDigests } = image;
  const repository = asked.replace(/(?::[^:/@]+)?(?:@.*)?$/, '');
  const isAsked = (name: string): boolean => name === asked || name.endsWith(`/${asked}`);
  const isInRepository = (digest: string): boolean =>
    digest.replace(/@.*$/, '').endsWith(repository);
  return {
    ref: id,
    digest: repoDigests.find(isInRepository) ?? repoDigests[0] ?? id,
    name: repoTags.find(isAsked) ?? repoTags[0] ?? asked,
    user: userOf(image),
    pulled: false,
    sizeBytes: Number(image.size),
  };
}

function userOf({ uid, username }: Image__Output): ImageUser {
  if (uid !== null) return { uid: Number(uid.value) };
  return username === '' ? { uid: 0 } : { name: username };
}
