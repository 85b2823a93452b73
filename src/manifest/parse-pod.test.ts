import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import { faultsOf } from '../testing/manifests.ts';
import { ManifestError } from './manifest-error.ts';
import { parsePod, partsOfManifest, podFromManifest, podFromValue } from './parse-pod.ts';

const faulty = `apiVersion: v1
kind: Pod
metadata:
  name: Worker
  annotations:
    reprise.dev/in-place-backof: 10s
spec:
  restartpolicy: Never
  containers:
  - name: main
    image: busybox
    restartPolicyRules:
    - action: RestartAllContainers
      exitCodes: {operator: In, values: [88]}
    env:
    - {name: DEBUG, value: yes}
    livenessProbe: {exec: {command: []}}
    volumeMounts:
    - {name: dta, mountPath: /data}
  - name: main
    command: echo
  volumes:
  - name: data
`;

test('all faults are told at once, each with its place and a way out', (t) => {
  const error = t.throws(() => podFromManifest(faulty, 'worker.yaml'), {
    instanceOf: ManifestError,
  });
  t.is(
    error.message,
    `worker.yaml has 10 faults

error: Invalid value: "Worker": must consist of lower case letters, digits, '-' and '.', start and end with a letter or digit, and have at most 253 characters
   at: worker.yaml:4, metadata.name
  try: did you mean "worker"?

error: Invalid value: "reprise.dev/in-place-backof": reprise knows no such annotation
   at: worker.yaml:6, metadata.annotations["reprise.dev/in-place-backof"]
  try: did you mean "reprise.dev/in-place-backoff"?

error: unknown field "restartpolicy"
   at: worker.yaml:8, spec.restartpolicy
  try: did you mean "restartPolicy"?

error: Required value: restartPolicyRules needs a restartPolicy on the same container
   at: worker.yaml:12, spec.containers[0].restartPolicy of container "main"
  try: add "restartPolicy: Always" to the container

error: Invalid value: true: must be text
   at: worker.yaml:16, spec.containers[0].env[0].value of container "main"
  try: put it in quotes, as YAML takes it for a boolean

error: Invalid value: a list: must have at least one item
   at: worker.yaml:17, spec.containers[0].livenessProbe.exec.command of container "main"
  try: name the program and its arguments, such as ["cat", "/tmp/ready"]

error: Not found: "dta"
   at: worker.yaml:19, spec.containers[0].volumeMounts[0].name of container "main"
  try: did you mean "data"?

error: Required value: image must be set
   at: worker.yaml:20, spec.containers[1].image of container "main"
  try: add "image": the image to run

error: Duplicate value: "main"
   at: worker.yaml:20, spec.containers[1].name of container "main"
  try: give every container, init containers included, a name of its own

error: Invalid value: "echo": must be a list
   at: worker.yaml:21, spec.containers[1].command of container "main"
  try: start each item of the list with "- "`,
  );
  t.is(error.where, undefined);
});

test('a single fault is told in the three parts of an error', (t) => {
  const text =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: b, imge: c, image: c}]}\n';
  const error = t.throws(() => podFromManifest(text, 'a.yaml'), { instanceOf: ManifestError });
  t.is(error.message, 'unknown field "imge"');
  t.is(error.where, 'a.yaml:4, spec.containers[0].imge of container "b"');
  t.is(error.next, 'did you mean "image"?');
});

/** A pod with so many app containers, named by the letter and a number. */
function podOfMany(count: number, letter: string): string {
  const names = Array.from({ length: count }, (_, i) => `  - {name: ${letter}${i}, image: i}\n`);
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n${names.join('')}`;
}

test('of very many faults the first are shown, and all are kept', (t) => {
  const text = podOfMany(1000, 'C');
  const error = t.throws(() => podFromManifest(text, 'a.yaml'), { instanceOf: ManifestError });
  t.is(error.faults.length, 1000);
  t.true(error.message.endsWith('\n\n... and 800 more'));
});

test('1000 containers are a pod like others, 10,000 are none', (t) => {
  const { pod } = podFromManifest(podOfMany(1000, 'c'), 'a.yaml');
  t.is(pod.spec.containers.length, 1000);
  t.throws(() => podFromManifest(podOfMany(10_000, 'c'), 'a.yaml'), {
    instanceOf: ManifestError,
    message: 'Too many: 10000: must have at most 1000 items',
  });
});

test('a hostile manifest cannot write to the terminal', (t) => {
  const hostile = '"\\e]0;x\\a\\x9b2J\\u202e\\u2028"';
  const text = `apiVersion: v1\nkind: Pod\nmetadata: {name: ${hostile}, labels: {${hostile}: ${hostile}}}\nspec: {${hostile}: 1, containers: [{name: ${hostile}, image: ${hostile}, imagePullPolicy: ${hostile}}]}\n`;
  const error = t.throws(() => podFromManifest(text, 'a\u001b[2J.yaml'), {
    instanceOf: ManifestError,
  });
  t.true(error.faults.length > 5);
  t.notRegex(error.message, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]/);
});

const kinds: Readonly<Record<string, readonly [string, string, string]>> = {
  'a Deployment': [
    'apiVersion: apps/v1\nkind: Deployment\n',
    'Unsupported value: "Deployment": supported values: "Pod"',
    'make a Pod of spec.template of this Deployment: add "apiVersion: v1", "kind: Pod" and a metadata.name to it',
  ],
  'a CronJob': [
    'apiVersion: batch/v1\nkind: CronJob\n',
    'Unsupported value: "CronJob": supported values: "Pod"',
    'make a Pod of spec.jobTemplate.spec.template: add "apiVersion: v1", "kind: Pod" and a metadata.name to it',
  ],
  'a ConfigMap': [
    'apiVersion: v1\nkind: ConfigMap\n',
    'Unsupported value: "ConfigMap": supported values: "Pod"',
    'a pod is wanted here; hand the ConfigMap over by itself: reprise apply -f FILE',
  ],
  'a list without items': [
    'apiVersion: v1\nkind: List\n',
    'Unsupported value: "List": supported values: "Pod"',
    'give it "apiVersion: v1", and a list of "items"',
  ],
  'a list of nothing': [
    'apiVersion: v1\nkind: List\nitems: []\n',
    'the manifest is empty',
    'put a Pod into it',
  ],
  'another kind': [
    'apiVersion: v1\nkind: Service\n',
    'Unsupported value: "Service": supported values: "Pod"',
    'remove it: only pods run here, a "Service" does not',
  ],
  'no kind': ['apiVersion: v1\n', 'Required value', 'start with "apiVersion: v1" and "kind: Pod"'],
  'a kind that is a list': [
    'kind: []\n',
    'Unsupported value: a list: supported values: "Pod"',
    'use "kind: Pod"',
  ],
  'no version': ['kind: Pod\n', 'Required value', 'start with "apiVersion: v1" and "kind: Pod"'],
  'another version': [
    'apiVersion: v2\nkind: Pod\n',
    'Unsupported value: "v2": supported values: "v1"',
    'use "apiVersion: v1"',
  ],
  'a word': [
    'hello',
    'Invalid value: "hello": a manifest is a map with apiVersion, kind, metadata and spec',
    'start with "apiVersion: v1" and "kind: Pod"',
  ],
  nothing: ['# nothing\n', 'the manifest is empty', 'put a Pod into it'],
  'two documents': [
    'a: 1\n---\nb: 1\n',
    'the manifest holds more than one document',
    'put each pod into a file of its own',
  ],
};

const spec = 'spec: {containers: [{name: b, image: c}]}';

test('the items of a list are documents, those of a list in it, too', (t) => {
  const text = `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: one}, ${spec}}
- apiVersion: v1
  kind: PodList
  items:
  - metadata: {name: two}
    ${spec}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: three}}
---
{apiVersion: v1, kind: Pod, metadata: {name: four}, ${spec}}
`;
  const parts = partsOfManifest(text, 'f');
  t.deepEqual(
    parts.map((part) => (part.kind === 'pod' ? part.pod : part.object).metadata.name),
    ['one', 'two', 'three', 'four'],
  );
});

test('what is wrong with an item has its line, and is told with all the rest', (t) => {
  const text = `apiVersion: v1
kind: List
items:
- 7
- apiVersion: v1
  kind: Pod
  metadata: {name: a}
  spec:
    containers:
    - name: b
      imge: c
`;
  const { faults } = t.throws(() => partsOfManifest(text, 'f'), { instanceOf: ManifestError });
  t.deepEqual(
    faults.map(({ path, line }) => `${line}: ${path}`),
    ['4: ', '10: spec.containers[0].image', '11: spec.containers[0].imge'],
  );
});

for (const [title, [text, message, hint]] of Object.entries(kinds)) {
  test(`not a pod: ${title}`, (t) => {
    const error = t.throws(() => podFromManifest(text, 'f'), { instanceOf: ManifestError });
    t.is(error.message, message);
    t.is(error.next, hint);
  });
}

const plain =
  'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: b, image: c}]}\n';
const inTeam = plain.replace('{name: a}', '{name: a, namespace: team}');

test('a pod that names no namespace gets the one that is asked for', (t) => {
  t.is(parsePod(plain).pod.metadata.namespace, 'default');
  t.is(parsePod(plain, { namespace: 'team' }).pod.metadata.namespace, 'team');
  t.is(parsePod(inTeam, { namespace: 'team' }).pod.metadata.namespace, 'team');
});

test('a namespace that is asked for has to be one', (t) => {
  for (const namespace of ['team/a', '..', '', 'Team', 'x'.repeat(64)]) {
    t.regex(
      faultsOf(() => parsePod(plain, { namespace })).join(),
      /^metadata\.namespace: Invalid value: /,
    );
  }
  t.is(parsePod(plain, { namespace: 'x'.repeat(63) }).pod.metadata.namespace.length, 63);
});

test('a pod that names another namespace is refused', (t) => {
  t.deepEqual(
    faultsOf(() => parsePod(inTeam, { namespace: 'default' })),
    [
      'metadata.namespace: Invalid value: "team": does not match the namespace that was asked for, "default"',
    ],
  );
});

test('a value from elsewhere has no lines', (t) => {
  const error = t.throws(
    () => podFromValue({ apiVersion: 'v1', kind: 'Pod', spec: { containers: [] } }, 'store'),
    {
      instanceOf: ManifestError,
    },
  );
  t.deepEqual(
    error.faults.map(({ path, line, file }) => ({ path, line, file })),
    [
      { path: 'metadata', line: undefined, file: 'store' },
      { path: 'spec.containers', line: undefined, file: 'store' },
    ],
  );
});

test('a value from elsewhere may be anything', (t) => {
  const circle: Record<string, unknown> = {};
  circle['circle'] = circle;
  const values = [
    undefined,
    null,
    1n,
    Symbol('x'),
    () => 1,
    new Date(),
    new Map(),
    circle,
    JSON.parse('{"__proto__": 1}'),
  ];
  for (const value of values) t.is(faultsOf(() => podFromValue(value, 'x')).length, 1);
});

test('what an API server adds to a pod is dropped, with a note on each', (t) => {
  const { pod, notes } = podFromManifest(
    `apiVersion: v1
kind: Pod
metadata:
  name: a
  uid: 0f3c6b1e-1d3c-4f43-9d40-3f2f3f1c7a55
  creationTimestamp: "2026-01-01T00:00:00Z"
  resourceVersion: "12"
  generation: 1
  ownerReferences: [{kind: Job, name: j}]
  managedFields: [{manager: kubectl}]
spec:
  containers:
  - name: b
    image: c
    resources: {limits: {ephemeral-storage: 1Gi}}
    resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: File
  nodeName: node-1
  tolerations: [{key: x, operator: Exists}]
  enableServiceLinks: true
  volumes:
  - name: v
    emptyDir: {sizeLimit: 1Gi}
status:
  phase: Running
`,
    'a.yaml',
  );
  t.deepEqual(pod.metadata, {
    name: 'a',
    namespace: 'default',
    uid: '0f3c6b1e-1d3c-4f43-9d40-3f2f3f1c7a55',
    labels: {},
    annotations: {},
  });
  t.deepEqual(pod.spec.inert, {
    nodeName: 'node-1',
    tolerations: [{ key: 'x', operator: 'Exists' }],
    enableServiceLinks: true,
  });
  t.deepEqual(
    notes.map((note) => note.split(':', 2).join(':')),
    [
      'a.yaml:6, metadata.creationTimestamp has no effect',
      'a.yaml:7, metadata.resourceVersion has no effect',
      'a.yaml:8, metadata.generation has no effect',
      'a.yaml:9, metadata.ownerReferences has no effect',
      'a.yaml:10, metadata.managedFields has no effect',
      'a.yaml:15, spec.containers[0].resources.limits["ephemeral-storage"] has no effect',
      'a.yaml:16, spec.containers[0].resizePolicy has no effect',
      'a.yaml:19, spec.nodeName has no effect',
      'a.yaml:20, spec.tolerations has no effect',
      'a.yaml:21, spec.enableServiceLinks has no effect',
      'a.yaml:24, spec.volumes[0].emptyDir.sizeLimit has no effect',
      'a.yaml:25, status has no effect',
    ],
  );
});

const examples = new URL('../../examples/', import.meta.url);
for (const file of readdirSync(examples).filter((name) => name.endsWith('.yaml'))) {
  test(`examples/${file} is a valid pod and says nothing without effect`, (t) => {
    t.deepEqual(podFromManifest(readFileSync(new URL(file, examples), 'utf8'), file).notes, []);
  });
}
