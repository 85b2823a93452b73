/**
 * Provides the image of a container: what is there, else from a registry with the pod's credentials,
 * telling how it goes.
 */
import { RepriseError } from '../errors.ts';
import { formatDuration } from '../pod/duration.ts';
import type { Secret } from '../pod/objects.ts';
import type { Container } from '../pod/pod.ts';
import { pullInWait } from '../pod/pull-backoff.ts';
import { RuntimeCallError } from '../runtime/call.ts';
import type { AuthConfig } from '../runtime/generated/runtime/v1/AuthConfig.ts';
import { ImageError, ensureImage } from '../runtime/images.ts';
import type { Pulled, ReadyImage } from '../runtime/images.ts';
import { credentialsFor } from '../runtime/pull-credentials.ts';
import type { Means, Occasion } from './means.ts';
import { tellProgress } from './pull-progress.ts';
import { SharedPullError } from './shared-pulls.ts';

/** Of a container, or without its name: of a volume. */
export type WantedImage = Pick<Container, 'image' | 'imagePullPolicy'> & { readonly name?: string };

/** Throws an ImageError when the image cannot be had. */
export async function provideImage(
  means: Means,
  { name, image, imagePullPolicy }: WantedImage,
  occasion: Occasion,
): Promise<ReadyImage> {
  const { pulledImages } = means;
  const tell = (reason: string, message: string): void =>
    occasion.tell({ type: 'Normal', reason, message, container: name });
  const isThere = `Container image "${image}" already present on machine and can be accessed by the pod`;
  const credentials = (): readonly AuthConfig[] => credentialsOf(image, occasion);
  const mayUse = ({ ref }: ReadyImage): boolean => pulledImages.mayUse(image, ref, credentials);
  const began = means.now();
  await using progress = progressOf(means, image, occasion);
  let isFirst = false;
  const onPull = (offered: readonly AuthConfig[]): void => {
    tellMissingSecrets(occasion);
    tell('Pulling', `Pulling image "${image}"`);
    isFirst = offered.length > 0 && pulledImages.began(image);
    progress.start();
  };
  const share = async (pull: () => Promise<Pulled>): Promise<Pulled | undefined> => {
    const earlier = pullInWait(occasion.latest(), image, means.now());
    if (earlier !== undefined) throw new SharedPullError(image, earlier.message, earlier);
    return await means.pulls.share(occasion.pod.metadata.uid, image, pull, occasion.signal);
  };
  const wish = { policy: imagePullPolicy, credentials, mayUse, onPull, share };
  const ready = await ensureImage(means.cri, image, wish, occasion.signal).catch(
    (error: unknown) => {
      if (isFirst && isRefusal(error)) pulledImages.failed(image);
      throw error;
    },
  );
  if (ready.pulled) pulledImages.succeeded(image, ready.ref, ready.pulledWith);
  const took = formatDuration(Math.round(means.now() - began));
  const pulled = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${ready.sizeBytes} bytes.`;
  tell('Pulled', ready.pulled ? pulled : isThere);
  return ready;
}

/** Whether a pull has failed for sure; one that nobody has heard the end of may still have succeeded. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof ImageError &&
    error.reason === 'ErrImagePull' &&
    error.cause instanceof RuntimeCallError &&
    !['deadline', 'cancelled', 'aborted'].includes(error.cause.code)
  );
}

/** Tells how far a pull is from its start on, until it is disposed of. */
function progressOf(
  means: Means,
  image: string,
  { progress: tell }: Occasion,
): AsyncDisposable & { readonly start: () => void } {
  const over = new AbortController();
  let telling: Promise<void> | undefined;
  return {
    start: () => {
      if (tell === undefined) return;
      const downloads = means.countDownloads();
      telling = tellProgress({ image, downloads, tell, now: means.now }, over.signal);
    },
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await telling;
    },
  };
}

function credentialsOf(image: string, occasion: Occasion): readonly AuthConfig[] {
  try {
    return credentialsFor(image, pullSecrets(occasion).found);
  } catch (error) {
    if (!(error instanceof RepriseError)) throw error;
    const what = `Failed to pull image "${image}": ${error.message}`;
    const { message: details, next = '' } = error;
    throw new ImageError('ErrImagePull', what, image, { next, details, cause: error });
  }
}

function tellMissingSecrets(occasion: Occasion): void {
  const { missing } = pullSecrets(occasion);
  if (missing.length === 0) return;
  occasion.tell({
    type: 'Warning',
    reason: 'FailedToRetrieveImagePullSecret',
    message: `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
  });
}

/** The Secrets that a pod names for pulls. */
function pullSecrets({ pod, find }: Occasion): {
  readonly found: readonly Secret[];
  readonly missing: readonly string[];
} {
  const names = (pod.spec.imagePullSecrets ?? []).map(({ name }) => name);
  return {
    found: names.flatMap((name) => find('Secret', name) ?? []),
    missing: names.filter((name) => find('Secret', name) === undefined),
  };
}
