/** Which container of a pod a caller means. */
import type { V1Pod } from '../pod/pod-status.ts';
import { ApiError } from './api-status.ts';

/** The one that is asked for, or the only one there is; as the apiserver does, it never guesses. */
export function pickContainer(pod: V1Pod, asked: string | null): string {
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec;
  const names = [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name);
  const choices = `choose one of: [${names.join(' ')}]`;
  if (asked === null || asked === '') {
    const [only] = names;
    if (only !== undefined && names.length === 1) return only;
    throw new ApiError(
      'BadRequest',
      `a container name must be specified for pod ${pod.metadata.name}, ${choices}`,
    );
  }
  if (names.includes(asked)) return asked;
  throw new ApiError(
    'BadRequest',
    `container ${asked} is not valid for pod ${pod.metadata.name}, ${choices}`,
  );
}
