import test from 'ava';
import { complete } from '../agent/object-store.ts';
import type { ManifestPod } from '../api/backend.ts';
import { partsOfManifest, podFromValue } from '../manifest/parse-pod.ts';
import { generationAnnotation } from '../pod/pod-status.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { v1Spec } from '../pod/v1-spec.ts';
import { accepted } from '../testing/manifests.ts';
import type { Additions } from '../testing/manifests.ts';
import { aShownPod } from '../testing/v1-pods.ts';
import { differences, objectDifferences } from './same-pod.ts';

/** A pod as the agent shows it that was made from this manifest. */
function shown({ metadata, spec }: ManifestPod): V1Pod {
  const { labels, annotations } = metadata;
  const pod = aShownPod({
    name: 'pod',
    metadata: {
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
  });
  return asJson({ ...pod, spec: v1Spec(spec, 'test-node') });
}

function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
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
  'labels count': {
    was: { metadata: { labels: { app: 'web' } } },
    is: { metadata: { labels: { app: 'db' } } },
    differs: ['metadata.labels'],
  },
  'a label that is not in the manifest any more counts': {
    was: { metadata: { labels: { app: 'web' } } },
    differs: ['metadata.labels'],
  },
  'annotations count': {
    is: { metadata: { annotations: { 'reprise.dev/in-place-backoff': '0' } } },
    differs: ['metadata.annotations'],
  },
  'the same ones make no difference': {
    was: { metadata: { labels: { a: 'b', c: 'd' }, annotations: { e: 'f' } } },
    is: { metadata: { labels: { c: 'd', a: 'b' }, annotations: { e: 'f' } } },
    differs: [],
  },
  'what kubectl notes for itself makes no difference': {
    was: {
      metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
    },
    differs: [],
  },
  'another uid means another pod': {
    is: { metadata: { uid: 'another' } },
    differs: ['metadata.uid'],
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

test('how often it was restarted in place makes no difference', (t) => {
  const { pod } = accepted({ metadata: { annotations: { a: 'b' } } });
  const there = shown(pod);
  const annotations = { ...there.metadata.annotations, [generationAnnotation]: '3' };
  t.deepEqual(differences({ ...there, metadata: { ...there.metadata, annotations } }, pod), []);
});

test('a pod that was restarted in place is the same when it is handed back as it was shown', (t) => {
  const there = shown(accepted({ metadata: { annotations: { a: 'b' } } }).pod);
  const annotations = { ...there.metadata.annotations, [generationAnnotation]: '3' };
  const restarted = { ...there, metadata: { ...there.metadata, annotations } };
  const { pod } = podFromValue(asJson(restarted), 'test');
  t.deepEqual(differences(restarted, pod), []);
  // Nor does it begin with it, where it is not there any more.
  t.deepEqual(pod.metadata.annotations, { a: 'b' });
});

const settings = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { color: blue }
`;
const keys = `
apiVersion: v1
kind: Secret
metadata: { name: keys }
stringData: { password: hunter2 }
`;

const objectCases: Record<string, { was: string[]; is: string[]; differs: readonly string[] }> = {
  'the same objects make no difference': {
    was: [settings, keys],
    is: [keys, settings],
    differs: [],
  },
  'another value counts': {
    was: [settings, keys],
    is: [settings.replace('blue', 'red'), keys],
    differs: ['ConfigMap settings'],
  },
  'what has come and what has gone counts': {
    was: [settings],
    is: [keys],
    differs: ['ConfigMap settings', 'Secret keys'],
  },
};

for (const [title, { was, is, differs }] of Object.entries(objectCases)) {
  test(title, (t) => {
    const there = objectsIn(was).map((object) => asJson(complete(object, '7')));
    t.deepEqual(objectDifferences(there, objectsIn(is)).toSorted(), differs);
  });
}

function objectsIn(documents: readonly string[]) {
  return partsOfManifest(documents.join('---'), 'test').flatMap((part) =>
    part.kind === 'object' ? [part.object] : [],
  );
}
