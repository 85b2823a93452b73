import test from 'ava';
import type { V1Object } from '../pod/objects.ts';
import type { Container, EnvVar, Pod, PodSpec } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { aNode } from '../testing/node.ts';
import { aConfigMap, aSecret, among } from '../testing/objects.ts';
import { ContainerConfigError } from './config-error.ts';
import { parseEnvFile } from './env-file.ts';
import { environmentOf } from './environment.ts';
import { allInputsOf, inputsOf } from './inputs.ts';

const surroundings = {
  nodeName: 'node-1',
  hostIPs: ['10.0.0.1', 'fd00::1'],
  podIPs: ['10.88.0.5', 'fd00::5'],
  size: aNode(),
  find: among(),
};

function resolve(...env: EnvVar[]): Record<string, string> {
  const plain = aPod([], [aContainer('main', { env })]);
  const labelled = {
    ...plain.metadata,
    labels: { 'app.io/name': 'x' },
    annotations: { note: 'y' },
  };
  const pod = { ...plain, metadata: labelled };
  return Object.fromEntries(environmentOf(pod, aContainer('main', { env }), surroundings));
}

const field = (fieldPath: string): EnvVar => ({
  name: 'X',
  valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
});

const fields: Record<string, string> = {
  'metadata.name': 'pod',
  'metadata.namespace': 'default',
  'metadata.uid': '00000000-0000-4000-8000-000000000001',
  "metadata.labels['app.io/name']": 'x',
  "metadata.labels['absent']": '',
  "metadata.labels['constructor']": '',
  "metadata.annotations['toString']": '',
  "metadata.annotations['note']": 'y',
  'spec.nodeName': 'node-1',
  'spec.serviceAccountName': '',
  'status.hostIP': '10.0.0.1',
  'status.hostIPs': '10.0.0.1,fd00::1',
  'status.podIP': '10.88.0.5',
  'status.podIPs': '10.88.0.5,fd00::5',
};
for (const [path, value] of Object.entries(fields)) {
  test(`a variable from ${path}`, (t) => t.deepEqual(resolve(field(path)), { X: value }));
}

test('a value sees the variables before it, not those after it', (t) => {
  const resolved = resolve(
    { name: 'FIRST', value: '$(SECOND)' },
    { name: 'SECOND', value: '2' },
    { name: 'THIRD', value: '$(SECOND)!' },
  );
  t.deepEqual(resolved, { FIRST: '$(SECOND)', SECOND: '2', THIRD: '2!' });
});

test('a later variable of a name wins, and may build on the earlier one', (t) => {
  const resolved = resolve({ name: 'P', value: '/bin' }, { name: 'P', value: '/opt:$(P)' });
  t.deepEqual(resolved, { P: '/opt:/bin' });
});

test('a variable without a value is empty', (t) => {
  t.deepEqual(resolve({ name: 'A' }, { name: 'B', value: '' }), { A: '', B: '' });
});

test('a field that validation let through by mistake is not taken for empty', (t) => {
  t.throws(() => resolve(field('status.phase')), { message: /status\.phase/ });
});

const settings = aConfigMap(
  'settings',
  { color: 'blue', SIZE: '1' },
  { binaryData: { bin: 'AAAA' } },
);
const keys = aSecret('keys', { password: 'hunter2', color: 'red' });
const raw = aSecret('raw', { bytes: Uint8Array.of(0xff), nul: 'a\0b' });
const objects = [settings, keys, raw];

function resolveAll(more: Partial<Container>, find = among(...objects)): Record<string, string> {
  const container = aContainer('main', more);
  const pod = aPod([], [container, aContainer('other', { resources: twoCpus })]);
  return Object.fromEntries(environmentOf(pod, container, { ...surroundings, find }));
}

const twoCpus = { requests: {}, limits: { cpu: '2' } };
const fromMap = (name: string, key: string, optional?: boolean): EnvVar => ({
  name: 'X',
  valueFrom: { configMapKeyRef: { name, key, ...(optional !== undefined && { optional }) } },
});
const fromSecret = (name: string, key: string, optional?: boolean): EnvVar => ({
  name: 'X',
  valueFrom: { secretKeyRef: { name, key, ...(optional !== undefined && { optional }) } },
});

const sourced: Readonly<Record<string, readonly [Partial<Container>, Record<string, string>]>> = {
  'a key of a ConfigMap': [{ env: [fromMap('settings', 'color')] }, { X: 'blue' }],
  'a key of a Secret': [{ env: [fromSecret('keys', 'password')] }, { X: 'hunter2' }],
  'an optional key that is missing is no variable': [
    { env: [fromMap('settings', 'none', true), fromSecret('keys', 'none', true)] },
    {},
  ],
  'an optional object that is missing is no variable': [
    { env: [fromMap('none', 'k', true), fromSecret('none', 'k', true)] },
    {},
  ],
  'an optional one that is missing leaves an earlier one of its name': [
    { env: [{ name: 'X', value: '1' }, fromMap('none', 'k', true)] },
    { X: '1' },
  ],
  'every key of a ConfigMap, but for binary ones': [
    { envFrom: [{ configMapRef: { name: 'settings' } }] },
    { color: 'blue', SIZE: '1' },
  ],
  'every key of a Secret, with a prefix': [
    { envFrom: [{ prefix: 'S.', secretRef: { name: 'keys' } }] },
    { 'S.password': 'hunter2', 'S.color': 'red' },
  ],
  'a later object wins, and env wins over all': [
    {
      envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }],
      env: [{ name: 'SIZE', value: '$(SIZE)0 $(color)' }],
    },
    { color: 'red', SIZE: '10 red', password: 'hunter2' },
  ],
  'an optional object that is missing has no variables': [
    { envFrom: [{ configMapRef: { name: 'none', optional: true } }] },
    {},
  ],
  'what comes from an object is not expanded': [
    {
      env: [
        { name: 'A', value: '1' },
        { ...fromMap('dollars', 'k'), name: 'B' },
      ],
    },
    { A: '1', B: '$(A) $$' },
  ],
  'resources of the container and of another one': [
    {
      resources: { requests: { memory: '1Mi' }, limits: {} },
      env: [
        { name: 'A', valueFrom: { resourceFieldRef: { resource: 'requests.memory' } } },
        { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        {
          name: 'C',
          valueFrom: { resourceFieldRef: { containerName: 'other', resource: 'limits.cpu' } },
        },
      ],
    },
    { A: '1048576', B: '4', C: '2' },
  ],
};
for (const [title, [more, becomes]] of Object.entries(sourced)) {
  test(title, (t) => {
    const find = among(...objects, aConfigMap('dollars', { k: '$(A) $$' }));
    t.deepEqual(resolveAll(more, find), becomes);
  });
}

const missing: Readonly<Record<string, readonly [Partial<Container>, message: string]>> = {
  'a missing ConfigMap': [{ env: [fromMap('none', 'k')] }, 'configmap "none" not found'],
  'a missing Secret': [{ env: [fromSecret('none', 'k', false)] }, 'secret "none" not found'],
  'a missing key of a ConfigMap': [
    { env: [fromMap('settings', 'k')] },
    "couldn't find key k in ConfigMap default/settings",
  ],
  'a key that is only there in binary': [
    { env: [fromMap('settings', 'bin')] },
    "couldn't find key bin in ConfigMap default/settings",
  ],
  'a missing key of a Secret': [
    { env: [fromSecret('keys', 'k')] },
    "couldn't find key k in Secret default/keys",
  ],
  'a key of a ConfigMap that has the name of what all objects have': [
    { env: [fromMap('settings', 'toString')] },
    "couldn't find key toString in ConfigMap default/settings",
  ],
  'a key of a Secret that has the name of what all objects have': [
    { env: [fromSecret('keys', 'constructor')] },
    "couldn't find key constructor in Secret default/keys",
  ],
  'a missing object for all variables': [
    { envFrom: [{ secretRef: { name: 'none' } }] },
    'secret "none" not found',
  ],
  'a Secret that is no text': [
    { env: [fromSecret('raw', 'bytes')] },
    'key bytes of a Secret is no text, and cannot be a variable',
  ],
  'a Secret with a NUL': [
    { envFrom: [{ secretRef: { name: 'raw' } }] },
    'key bytes of a Secret is no text, and cannot be a variable',
  ],
};
for (const [title, [more, message]] of Object.entries(missing)) {
  test(`no environment: ${title}`, (t) => {
    const error = t.throws(() => resolveAll(more), { instanceOf: ContainerConfigError });
    t.is(error.message, message);
    const sources = { find: among(...objects), hostIPs: [] };
    t.is(inputsOf(aPod([], []), aContainer('main', more), sources), 'lacking');
  });
}

const long = 'x'.repeat(131_071 - 'X='.length);
const many = Object.fromEntries(
  Array.from({ length: 60 }, (_, index) => [`k${index}`, long.slice(71)]),
);
const great = [
  aConfigMap('great', { fits: long, long: `${long}x` }),
  aSecret('great', { long: `${long}x` }),
  aConfigMap('many', many),
];
const tooLarge: Readonly<Record<string, readonly [Partial<Container>, message: RegExp]>> = {
  'a value that is too long': [
    { env: [{ name: 'X', value: `${long}x` }] },
    /^variable "X" with its name has more than 131071 bytes, .*: pass it in a file$/,
  ],
  'one that gets too long': [
    {
      env: [
        { name: 'A', value: 'x'.repeat(100_000) },
        { name: 'X', value: '$(A)$(A)' },
      ],
    },
    /^variable "X" has more than 131071 bytes/,
  ],
  'one that multiplies in many steps': [
    {
      env: [
        { name: 'V0', value: '0123456789' },
        ...Array.from({ length: 20 }, (_, index) => ({
          name: `V${index + 1}`,
          value: `$(V${index})`.repeat(10),
        })),
      ],
    },
    /^variable "V5" has more than 131071 bytes/,
  ],
  'a long key of a ConfigMap': [
    { env: [fromMap('great', 'long')] },
    /^variable "X" with its name has more than 131071 bytes/,
  ],
  'a long key among all of a Secret': [
    { envFrom: [{ prefix: 'S_', secretRef: { name: 'great' } }] },
    /^variable "S_long" with its name has more than 131071 bytes/,
  ],
  'too many long values together': [
    {
      env: [
        { name: 'A', value: long.slice(71) },
        ...Array.from({ length: 60 }, (_, index) => ({ name: `${index}`, value: '$(A)' })),
      ],
    },
    /^variable "47" with its name is too much: .* more than 6291456 bytes, .*: pass some in a file$/,
  ],
  'the same objects over and over': [
    { envFrom: Array.from({ length: 100_000 }, () => ({ configMapRef: { name: 'many' } })) },
    /^variable "k48" with its name is too much/,
  ],
};
for (const [title, [more, message]] of Object.entries(tooLarge)) {
  test(`no environment: ${title}`, (t) => {
    const find = among(...great);
    t.throws(() => resolveAll(more, find), { instanceOf: ContainerConfigError, message });
    const takes = more.envFrom !== undefined || more.env?.[0]?.valueFrom !== undefined;
    const inputs = inputsOf(aPod([], []), aContainer('main', more), { find, hostIPs: [] });
    t.is(inputs, takes ? 'lacking' : undefined);
  });
}

test('a value that just fits is a variable', (t) => {
  t.is(resolveAll({ env: [fromMap('great', 'fits')] }, among(...great))['X'], long);
});

test('inputs change with what a container takes from objects, and with nothing else', (t) => {
  const container = aContainer('main', {
    env: [fromMap('settings', 'color')],
    envFrom: [{ secretRef: { name: 'keys', optional: true } }],
  });
  const pod: Pod = aPod([aContainer('setup')], [container]);
  const inputs = (...there: readonly V1Object[]) =>
    allInputsOf(pod, { find: among(...there), hostIPs: ['192.0.2.1'] });
  const hash = (...there: readonly V1Object[]) => inputs(...there)['main'];
  const usual = hash(settings, keys);
  t.deepEqual(Object.keys(inputs(settings)), ['main']);
  t.regex(usual ?? '', /^[0-9a-f]{16}$/);
  t.is(hash(aConfigMap('settings', { color: 'blue', SIZE: '2' }), keys), usual);
  t.not(hash(aConfigMap('settings', { color: 'green' }), keys), usual);
  t.not(hash(settings, aSecret('keys', { password: 'hunter3', color: 'red' })), usual);
  t.not(hash(settings), usual);
  t.is(hash(keys), 'lacking');
});

const ofTheNode: Record<
  string,
  readonly [Partial<PodSpec>, path: string, changes: boolean | undefined]
> = {
  "the node's address": [{}, 'status.hostIP', false],
  "all of the node's addresses": [{}, 'status.hostIPs', true],
  "the pod's own address": [{}, 'status.podIPs', undefined],
  "the pod's address with the host's network": [{ hostNetwork: true }, 'status.podIPs', true],
  'something else of the pod': [{ hostNetwork: true }, 'metadata.name', undefined],
};
for (const [title, [spec, path, changes]] of Object.entries(ofTheNode)) {
  const says = { true: 'changes', false: 'does not change', undefined: 'is no input to change' };
  test(`${title} ${says[`${changes}`]} with the second address of the node`, (t) => {
    const pod = aPod([], [aContainer('main', { env: [field(path)] })], spec);
    const hash = (...hostIPs: string[]) => allInputsOf(pod, { find: among(), hostIPs })['main'];
    const usual = hash('192.0.2.1', '2001:db8::1');
    t.is(usual === undefined, changes === undefined);
    t.is(hash('192.0.2.1', '2001:db8::2') === usual, changes !== true);
    t.is(hash('198.51.100.1', '2001:db8::1') === usual, changes === undefined);
  });
}

const fromFile = (key: string, optional?: boolean): EnvVar => ({
  name: 'X',
  valueFrom: { fileKeyRef: { volumeName: 'v', path: 'a/env', key, optional } },
});
const filed: Record<
  string,
  [EnvVar, text: string | undefined, becomes: string | undefined | RegExp]
> = {
  'a key of a file': [fromFile('A'), "A='one'", 'one'],
  'a key that its file does not have': [fromFile('B'), "A='one'", /key "B" not found in file "a/],
  'an optional key that its file does not have': [fromFile('B', true), "A='one'", undefined],
  'a file that is not there': [fromFile('A'), undefined, /file "a\/env" not found in volume "v"/],
  'an optional file that is not there': [fromFile('A', true), undefined, undefined],
  'a file that is none of variables, optional or not': [fromFile('A', true), 'A', /line 1/],
};
for (const [title, [variable, text, becomes]] of Object.entries(filed)) {
  test(`a variable from ${title}`, (t) => {
    const container = aContainer('main', { env: [variable] });
    const files = new Map(text === undefined ? [] : [['v/a/env', parseEnvFile(text)]]);
    const resolved = () =>
      environmentOf(aPod([], [container]), container, { ...surroundings, files }).get('X');
    if (!(becomes instanceof RegExp)) t.is(resolved(), becomes);
    else t.throws(resolved, { instanceOf: ContainerConfigError, message: becomes });
  });
}
