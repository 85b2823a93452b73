/** Which container of a pod is meant when none is named. */
import { containerNames } from '../api/pod-containers.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { noteLine } from './output.ts';

/** As kubectl picks it, and says so where there was a choice. */
export function defaultContainer(pod: V1Pod): string {
  const all = containerNames(pod);
  const wished = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  const first = pod.spec.containers[0]?.name ?? '';
  const chosen = wished !== undefined && all.includes(wished) ? wished : first;
  if (all.length > 1 && chosen !== wished) {
    noteLine(`Defaulted container "${chosen}" out of: ${all.join(', ')}`);
  }
  return chosen;
}
