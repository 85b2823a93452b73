import test from 'ava';
import { faultsOf } from '../testing/manifests.ts';
import type { ManifestObject, V1Object } from '../pod/objects.ts';
import { onePodOf, parseObject, parsePod, partsOfManifest } from './parse-pod.ts';
import { validateUpdate } from './validate-object.ts';

const namespace = 'default';

function objectOf(kind: ManifestObject['kind'], more: object): ManifestObject {
  const text = JSON.stringify({ apiVersion: 'v1', kind, metadata: { name: 'a' }, ...more });
  return parseObject(text, kind, { namespace });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const mebibyte = 1024 * 1024;

/** What an object has, and every fault it is to have. */
const cases: Record<string, [kind: ManifestObject['kind'], more: object, ...faults: string[]]> = {
  'a ConfigMap may be empty': ['ConfigMap', {}],
  'keys may look like files': [
    'ConfigMap',
    { data: { 'a.conf': 'x', _A: '', '.x': 'y', '-': 'z' } },
  ],
  'keys may not look like paths': [
    'ConfigMap',
    { data: { 'a/b': '', '..': '', '..x': '', '.': '', [`k${'x'.repeat(253)}`]: '' } },
    'data["a/b"]: Invalid value: "a/b": a key has',
    'data[".."]: Invalid value: "..": a key has',
    'data["..x"]: Invalid value: "..x": a key has',
    'data["."]: Invalid value: ".": a key has',
    'data["kxxx',
  ],
  'values of a ConfigMap may be null, like those of a Secret': [
    'ConfigMap',
    { data: { a: null }, binaryData: { b: null } },
  ],
  'values of a ConfigMap are text': [
    'ConfigMap',
    { data: { a: 1, b: true } },
    'data.a: Invalid value: 1: must be text',
    'data.b: Invalid value: true: must be text',
  ],
  'binary data is base64, with line breaks': [
    'ConfigMap',
    { binaryData: { a: `${base64('x'.repeat(60))}\n`, b: 'AA==' } },
  ],
  'binary data is nothing else': [
    'ConfigMap',
    { binaryData: { a: 'not base64', b: 'AAA' } },
    'binaryData.a: Invalid value: must be base64',
    'binaryData.b: Invalid value: must be base64',
  ],
  'a key is in one place': [
    'ConfigMap',
    { data: { a: '' }, binaryData: { a: '' } },
    'binaryData.a: Invalid value: "a": duplicate of key present in data',
  ],
  'a mebibyte fits': ['ConfigMap', { data: { a: 'x'.repeat(mebibyte) } }],
  'a byte more does not': [
    'ConfigMap',
    { data: { a: 'x'.repeat(mebibyte) }, binaryData: { b: base64('y') } },
    'data: Too long: may not be more than 1048576 bytes',
  ],
  'a type may have any name, that of what all objects have too': [
    'Secret',
    { type: 'constructor', stringData: { constructor: 'x', toString: 'y' } },
  ],
  'the size of a Secret is that of what is in it': [
    'Secret',
    { data: { a: base64('x'.repeat(mebibyte)) } },
  ],
  'a Secret has no more either': [
    'Secret',
    { data: { a: base64('x'.repeat(mebibyte)) }, stringData: { b: 'y' } },
    'data: Too long: may not be more than 1048576 bytes',
  ],
  'data of a Secret is base64': [
    'Secret',
    { data: { a: 'hunter2!' } },
    'data.a: Invalid value: must be base64',
  ],
  'plain text of a Secret is text': [
    'Secret',
    { stringData: { a: 12345, b: { c: 'x' } }, data: { d: 67890 } },
    'data.d: Invalid value: must be base64',
    'stringData.a: Invalid value: must be text',
    'stringData.b: Invalid value: must be text',
  ],
  'types ask for their keys': [
    'Secret',
    { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } },
    'data["tls.key"]: Required value: kubernetes.io/tls needs it',
  ],
  'one of two keys may do': [
    'Secret',
    { type: 'kubernetes.io/basic-auth', stringData: { password: 'x' } },
  ],
  'one of two keys there must be': [
    'Secret',
    { type: 'kubernetes.io/basic-auth', stringData: { other: 'x' } },
    'data.username: Required value: kubernetes.io/basic-auth needs it, or a password',
  ],
  'a claim as others have it': [
    'PersistentVolumeClaim',
    {
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: 'fast',
      },
    },
  ],
  'a claim of a device': [
    'PersistentVolumeClaim',
    { spec: { volumeMode: 'Block' } },
    'spec.volumeMode: Unsupported value: "Block"',
  ],
  'names are names': [
    'ConfigMap',
    { metadata: { name: '../a' } },
    'metadata.name: Invalid value: "../a"',
  ],
  'namespaces agree': [
    'ConfigMap',
    { metadata: { name: 'a', namespace: 'other' } },
    'metadata.namespace: Invalid value: "other": does not match the namespace',
  ],
  "what Docker's configuration is in is JSON": [
    'Secret',
    { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': 'auths' } },
    'stringData[".dockerconfigjson"]: Invalid value: must be a JSON object, as in ~/.docker/config.json',
  ],
  'in both of its formats': [
    'Secret',
    { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': 'W10=' } },
    'data[".dockercfg"]: Invalid value: must be a JSON object, as in ~/.docker/config.json',
  ],
  'unknown fields are faults': ['Secret', { dta: {} }, 'dta: unknown field "dta"'],
};
for (const [title, [kind, more, ...starts]] of Object.entries(cases)) {
  test(title, (t) => {
    const faults = faultsOf(() => objectOf(kind, more));
    t.deepEqual(
      faults.map((fault, index) => fault.slice(0, starts[index]?.length)),
      starts,
    );
    t.notRegex(faults.join(), /hunter2|12345|67890/, 'no value of a secret is shown');
  });
}

test('null among the data of a ConfigMap is an empty text', (t) => {
  const map = objectOf('ConfigMap', { data: { a: null }, binaryData: { b: null } });
  t.like(map, { data: { a: '' }, binaryData: { b: '' } });
});

test('plain text becomes base64, and wins', (t) => {
  const secret = objectOf('Secret', {
    data: { a: `${base64('old')}\n`, b: 'eA==' },
    stringData: { a: 'nëw' },
  });
  t.deepEqual<unknown, unknown>(secret, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a', namespace },
    type: 'Opaque',
    data: { a: base64('nëw'), b: 'eA==' },
  });
});

const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec: {containers: [{name: main, image: "web:1"}]}
---
# nothing
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {a: b}
`;

test('a manifest may hold a pod and what it uses', (t) => {
  const { pod, objects } = onePodOf(partsOfManifest(manifest, 'f'));
  t.is(pod.metadata.name, 'web');
  t.deepEqual(
    objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ['ConfigMap settings', 'Secret keys'],
  );
  t.deepEqual(parsePod(manifest, { namespace }).objects, objects);
});

test('faults of all documents are told at once, each with its line', (t) => {
  const faulty = manifest.replace('{a: b}', '{a/b: c}').replace('web:1', '');
  const faults = faultsOf(() => partsOfManifest(faulty, 'f'));
  t.deepEqual(
    faults.map((fault) => fault.split(':')[0]),
    ['spec.containers[0].image', 'stringData["a/b"]'],
  );
});

test('several pods are no pod, and neither are objects alone', (t) => {
  t.deepEqual(
    faultsOf(() => onePodOf(partsOfManifest(`${manifest}---\n${manifest}`, 'f'))),
    [': there is more than one pod'],
  );
  const [first = ''] = manifest.split('---');
  t.deepEqual(
    faultsOf(() => onePodOf(partsOfManifest(first, 'f'))),
    [': there is no pod'],
  );
});

const kept = (object: ManifestObject): V1Object => ({
  ...object,
  metadata: { ...object.metadata, uid: 'u', resourceVersion: '1', creationTimestamp: 'now' },
});
const fixed = objectOf('ConfigMap', { data: { a: 'x', b: 'y' }, immutable: true });

const updates: Record<
  string,
  [before: ManifestObject, after: ManifestObject, ...faults: string[]]
> = {
  'data may change': [objectOf('ConfigMap', {}), objectOf('ConfigMap', { data: { a: 'x' } })],
  'immutable data stays': [
    fixed,
    objectOf('ConfigMap', { data: { b: 'y', a: 'x' }, immutable: true }),
  ],
  'immutable data may not change': [
    fixed,
    objectOf('ConfigMap', { data: { a: 'z', b: 'y' }, immutable: true }),
    'data: Forbidden: field is immutable when `immutable` is set',
  ],
  'immutable is for ever': [
    fixed,
    objectOf('ConfigMap', { data: { a: 'x', b: 'y' } }),
    'immutable: Forbidden: field is immutable when `immutable` is set',
  ],
  'the type of a Secret stays': [
    objectOf('Secret', {}),
    objectOf('Secret', { type: 'mine' }),
    'type: Forbidden: field is immutable',
  ],
};
for (const [title, [before, after, ...faults]] of Object.entries(updates)) {
  test(`update: ${title}`, (t) => {
    t.deepEqual(
      faultsOf(() => validateUpdate(kept(before), after)),
      faults,
    );
  });
}
