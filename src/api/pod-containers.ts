/** The containers of a pod as the API shows it: which there are, which a caller means, and how one is. */
import type { V1ContainerState, V1Pod } from '../pod/pod-status.ts';
import { ApiError } from './api-status.ts';

/** Of all containers, init containers first. */
export function containerNames({ spec }: V1Pod): readonly string[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = spec;
  return [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name);
}

/** How a container is; absent if nothing is known of it yet. */
export function containerState({ status }: V1Pod, container: string): V1ContainerState | undefined {
  const statuses = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  return statuses.find(({ name }) => name === container)?.state;
}

/** The one that is asked for, or the only one there is; as the apiserver does, it never guesses. */
export function pickContainer(pod: V1Pod, asked: string | null): string {
  const names = containerNames(pod);
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
