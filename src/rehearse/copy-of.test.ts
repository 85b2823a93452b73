// The copy: what is different in it, and what it shares.
import test from 'ava';
import { onePodOf, partsOfManifest } from '../manifest/parse-pod.ts';
import type { ManifestPod } from '../api/backend.ts';
import { cautions, copyOf } from './copy-of.ts';

function read(text: string): { pod: ManifestPod; textWithObjects: string } {
  return { pod: onePodOf(partsOfManifest(text, 'test')).pod, textWithObjects: text };
}

function podWith(spec: string, metadata = ''): string {
  return `
apiVersion: v1
kind: Pod
metadata:
  name: web
${metadata}
spec:
${spec}
  containers:
  - name: main
    image: localhost/test:1
`;
}

test('it has its own name, and nothing that belongs to one pod only', (t) => {
  const metadata = `
  namespace: lab
  uid: 8d3e2f64-0000-4000-8000-000000000000
  labels: {app: web}
  annotations: {owner: me, reprise.dev/in-place-backoff: 1m}`;
  const copy = copyOf(
    read(podWith('  activeDeadlineSeconds: 5\n  restartPolicy: Never', metadata)),
  );
  t.is(copy.name, 'web-rehearsal');
  t.is(copy.namespace, 'lab');
  const { pod } = read(copy.text);
  t.deepEqual(pod.metadata, {
    name: 'web-rehearsal',
    namespace: 'lab',
    labels: { app: 'web' },
    annotations: {
      owner: 'me',
      'reprise.dev/in-place-backoff': '0',
      'rehearsal.reprise.dev/original': 'web',
    },
  });
  t.is(pod.spec.activeDeadlineSeconds, undefined);
  t.is(pod.spec.restartPolicy, 'Never');
});

test('what comes with the pod goes with the copy', (t) => {
  const config = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"b"}}';
  const { text } = copyOf(read(`${config}\n---\n${podWith('')}`));
  const { pod, objects } = onePodOf(partsOfManifest(text, 'test'));
  t.is(pod.metadata.name, 'web-rehearsal');
  t.is(objects.length, 1);
});

test('a long name makes room', (t) => {
  const name = `${'a'.repeat(197)}.${'b'.repeat(12)}`;
  const copy = copyOf(read(podWith('').replace('web', name)));
  t.true(copy.name.length <= 210);
  t.is(read(copy.text).pod.metadata.name, copy.name);
  t.regex(copy.name, /^a+\.b+-rehearsal$|^a+-rehearsal$/);
});

test('a pod that shares nothing needs no caution', (t) => {
  t.deepEqual(cautions(read(podWith('')).pod), []);
});

test('what is shared with the original is told', (t) => {
  const { pod } = read(
    podWith(`  activeDeadlineSeconds: 5
  volumes:
  - name: data
    hostPath: {path: /srv/data}
  - name: kept
    persistentVolumeClaim: {claimName: kept-data}
  initContainers:
  - name: watcher
    image: localhost/test:1
    restartPolicy: Always
    ports: [{containerPort: 80, hostPort: 8080}]`),
  );
  const told = cautions(pod);
  t.is(told.length, 4);
  t.regex(told[0] ?? '', /volume "data".*\/srv\/data/);
  t.regex(told[1] ?? '', /volume "kept".*the claim kept-data/);
  t.regex(told[2] ?? '', /container "watcher".*port 8080/);
  t.regex(told[3] ?? '', /activeDeadlineSeconds/);
  const [network] = cautions(read(podWith('  hostNetwork: true')).pod);
  t.regex(network ?? '', /hostNetwork/);
});

test('devices that the copy needs beside the original are told', (t) => {
  const container = (name: string) => `
  - name: ${name}
    image: localhost/test:1
    env: [{name: NVIDIA_VISIBLE_DEVICES, value: "3"}]
    resources: {limits: {nvidia.com/gpu: 2}}`;
  const counted = read(`${podWith('')}${container('a')}${container('b')}`);
  t.deepEqual(cautions(counted.pod), [
    'devices: the copy needs 4 nvidia.com/gpu of its own, beside those of the original',
  ]);
  const named = read(podWith('', '  annotations: {cdi.k8s.io/card: acme.com/card=0}'));
  t.deepEqual(cautions(named.pod), [
    'devices: the copy wants acme.com/card=0, as the original does; only one can have it',
  ]);
});
