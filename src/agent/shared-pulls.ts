/**
 * Asks a registry once for an image that several containers of a pod lack: they wait for one pull, and
 * after it has failed for one next try.
 *
 * Source: the kubelet starts one container after the other, so that the second finds what the first has
 * pulled; what it could not pull it keeps by pod and image (images/image_manager.go, `<podUID>_<image>`).
 */
import type { Failure } from '../pod/observed.ts';
import { ImageError } from '../runtime/images.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** The image could not be pulled for another container of the pod, of which that is told. */
export class SharedPullError extends ImageError {
  /** When that was, and how often by then; absent: just now. */
  readonly earlier: Pick<Failure, 'at' | 'count'> | undefined;

  constructor(image: string, details: string, earlier?: Failure, cause?: unknown) {
    const what = `Back-off pulling image "${image}": ErrImagePull: ${details}`;
    const next = 'see what is told of the other container that has this image';
    super('ErrImagePull', what, image, { next, details, cause });
    this.earlier = earlier && { at: earlier.at, count: earlier.count };
  }
}

interface UnderWay {
  readonly pull: Promise<unknown>;
  /** Of the one who pulls. */
  readonly signal: AbortSignal;
}

/** The pulls that are under way, of all pods of an agent. */
export class SharedPulls {
  readonly #underWay = new Map<string, UnderWay>();

  /**
   * Pulls an image, or waits until it has been pulled for another container of the same pod: then it
   * resolves to nothing. Throws what `pull` throws, or a SharedPullError.
   */
  async share<T>(
    podUid: string,
    image: string,
    pull: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const key = `${podUid}_${image}`;
    for (;;) {
      const other = this.#underWay.get(key);
      if (other === undefined) return await this.#pull(key, pull, signal);
      try {
        await unlessAborted(other.pull, signal);
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        // Whoever was pulling has been called off; somebody else has to.
        if (other.signal.aborted) continue;
        if (!(error instanceof ImageError)) throw error;
        throw new SharedPullError(image, error.details, undefined, error);
      }
    }
  }

  async #pull<T>(key: string, pull: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const pulling = pull().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, { pull: pulling, signal });
    return await pulling;
  }
}
