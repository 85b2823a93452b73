import test from 'ava';
import type { ManifestPod } from '../api/backend.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { v1Spec } from '../pod/v1-spec.ts';
import { accepted } from '../testing/manifests.ts';
import type { Additions } from '../testing/manifests.ts';
import { aShownPod } from '../testing/v1-pods.ts';
import { differences } from './same-pod.ts';

/** A pod as the agent shows it that was made from this manifest. */
function shown({ spec }: ManifestPod): V1Pod {
  const pod = aShownPod({ name: 'pod' });
  return JSON.parse(JSON.stringify({ ...pod, spec: v1Spec(spec, 'test-node') })) as V1Pod;
}

const cases: Record<string, { was?: Additions; is?: Additions; differs: readonly string[] }> = {
  'the same manifest makes no difference': { differs: [] },
  'a default that is written down makes none': {
    is: { spec: { restartPolicy: 'Always' } },
    differs: [],
  },
  'each field of the spec counts': {
    was: { spec: { hostname: 'a' } },
    is: { spec: { terminationGracePeriodSeconds: 5 }, container: { image: 'busybox:2' } },
    differs: ['spec.containers', 'spec.hostname', 'spec.terminationGracePeriodSeconds'],
  },
};

for (const [title, { was = {}, is = {}, differs }] of Object.entries(cases)) {
  test(title, (t) => {
    const there = shown(accepted(was).pod);
    t.deepEqual(differences(there, accepted(is).pod).toSorted(), differs);
  });
}

test('containers that were added to the running pod make no difference', (t) => {
  const { pod } = accepted({});
  const { spec, ...there } = shown(pod);
  const ephemeralContainers = [{ name: 'debugger', image: 'busybox:1' }];
  t.deepEqual(differences({ ...there, spec: { ...spec, ephemeralContainers } }, pod), []);
});
