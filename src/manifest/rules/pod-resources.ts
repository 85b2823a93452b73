/** Requests and limits of the pod as a whole, and how they fit those of its containers. */
import { own } from '../../pod/own.ts';
import { peakOf } from '../../pod/pod-resources.ts';
import { invalidValue } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import { checkAmounts, isKnown, ofPods, rounded } from './resources.ts';
import type { Amounts } from './resources.ts';
import { placedContainers } from './rule.ts';
import type { Placed, PartlyPod } from './rule.ts';

/** The pod as a whole requests no less than its containers, and allows no less than any of them. */
export function* checkPodResources(pod: PartlyPod): Generator<Problem> {
  if (pod.spec?.resources === undefined) return;
  const { requests = {}, limits = {} } = pod.spec.resources;
  const path = ['spec', 'resources'];
  yield* checkAmounts(requests, limits, path, ofPods);
  const containers = placedContainers(pod);
  yield* checkPeak(requests, containers, [...path, 'requests'], leaveItOut);
  // A request that is not written is what the containers request, and it may not exceed the limit.
  yield* checkPeak(limits, containers, [...path, 'limits'], raiseIt);
  for (const { container, path: at } of containers) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const most = own(limits, name);
      if (most === undefined || rounded(name, limit) <= rounded(name, most)) continue;
      yield {
        path: [...at, 'resources', 'limits', name],
        message: invalidValue(limit, `must be less than or equal to the pod's limit of ${most}`),
        hint: "lower it, or raise the pod's limit",
      };
    }
  }
}

const leaveItOut = 'leave it out: then it is what they request';
const raiseIt = 'raise it, or let the containers request less';

/** What the pod has is enough for its containers at their hungriest moment. */
function* checkPeak(
  amounts: Amounts,
  containers: readonly Placed[],
  at: Path,
  hint: string,
): Generator<Problem> {
  for (const [name, has] of Object.entries(amounts)) {
    if (!isKnown(name, ofPods)) continue;
    const needed = peakRequest(containers, name);
    if (rounded(name, has) >= needed) continue;
    const shown = name === 'cpu' ? needed / 1000 : needed;
    yield {
      path: [...at, name],
      message: invalidValue(has, `must be at least the ${shown} that its containers request`),
      hint,
    };
  }
}

/** What containers request at their hungriest moment, rounded. */
function peakRequest(containers: readonly Placed[], name: string): number {
  return peakOf(
    containers.map(({ container: { resources, restartPolicy }, isInit }) => ({
      kind: !isInit ? 'app' : restartPolicy === 'Always' ? 'sidecar' : 'init',
      amount: rounded(name, own(resources?.requests, name) ?? own(resources?.limits, name)),
    })),
  );
}
