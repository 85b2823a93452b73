// What is told of a copy that is not back.
import test from 'ava';
import type { V1Pod, V1PodStatus } from '../pod/pod-status.ts';
import { accepted } from '../testing/manifests.ts';
import { serve } from '../testing/served.ts';
import { aShownPod, status, waiting } from '../testing/v1-pods.ts';
import { Copy } from './copy.ts';
import { failureOf } from './failures.ts';

interface Case {
  /** What the container waits for. */
  readonly says?: string;
  readonly conditions?: V1PodStatus['conditions'];
  readonly warnings?: readonly string[];
  readonly told: string;
}

const unscheduled = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: 'Insufficient nvidia.com/gpu',
  lastTransitionTime: '',
} as const;
const mount = 'MountVolume.SetUp failed for volume "data"';

const cases: Record<string, Case> = {
  'a container that waits, and nobody knows for what': { told: 'ContainerCreating' },
  'a pod that waits for a device': {
    conditions: [unscheduled],
    warnings: [mount],
    told: 'ContainerCreating: Insufficient nvidia.com/gpu',
  },
  'a pod that has all its devices': {
    conditions: [{ ...unscheduled, status: 'True' }],
    told: 'ContainerCreating',
  },
  'the last of what went wrong': {
    warnings: ['an earlier one', mount],
    told: `ContainerCreating: ${mount}`,
  },
  'a container that says it itself': {
    says: 'no such image',
    warnings: [mount],
    told: 'ContainerCreating: no such image',
  },
};

for (const [title, { says, conditions = [], warnings = [], told }] of Object.entries(cases)) {
  test(`why a copy does not start: ${title}`, async (t) => {
    const main = [status('main', waiting('ContainerCreating', says))];
    const name = 'web-rehearsal';
    const shown = aShownPod({ name, main, status: { phase: 'Pending', conditions } });
    await using api = await serve({ before: [shown] });
    for (const message of warnings) {
      api.backend.tell(shown, { type: 'Warning', reason: 'FailedMount', message });
    }
    api.backend.tell(shown, { reason: 'Pulled', message: 'all is well' });
    api.backend.tell(another(shown), { type: 'Warning', reason: 'X', message: 'of another pod' });
    const accept = (signal: AbortSignal) => api.client.getPod('default', name, signal);
    const means = { client: api.client, accept, manifest: accepted({}).pod, name };
    await using copy = await Copy.make(means, new AbortController().signal);
    const failure = await failureOf(copy, {
      kind: 'not-back',
      why: 'timed out',
      culprit: {
        container: 'main',
        kind: 'app',
        waiting: ['ContainerCreating', says].filter((part) => part !== undefined).join(': '),
      },
    });
    t.deepEqual(failure, { why: 'timed out', container: 'main', kind: 'app', message: told });
  });
}

/** An earlier one of the same name. */
function another(pod: V1Pod): V1Pod {
  return { ...pod, metadata: { ...pod.metadata, uid: 'another' } };
}
