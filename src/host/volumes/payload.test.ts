import test from 'ava';
import type { FindObject } from '../../pod/objects.ts';
import type { Volume } from '../../pod/pod.ts';
import { aContainer, aPod } from '../../testing/builders.ts';
import { aNode } from '../../testing/node.ts';
import { aConfigMap, aSecret, among } from '../../testing/objects.ts';
import { payloadOf } from './payload.ts';
import { VolumeError } from './volume-error.ts';

const resources = { requests: {}, limits: { cpu: '1500m' } };
const plain = aPod([], [aContainer('main', { resources })]);
const pod = { ...plain, metadata: { ...plain.metadata, labels: { b: 'x"y', a: 'z\n' } } };
const settings = aConfigMap(
  'settings',
  { color: 'blue', size: '1' },
  { binaryData: { bin: '/wA=' } },
);
const keys = aSecret('keys', { password: 'hunter2', raw: Uint8Array.of(0, 255) });
const all = among(settings, keys);

/** `mode path=content` of every file; bytes that are no text in hex. */
function files(source: Omit<Volume, 'name'>, find: FindObject = all): string[] {
  const payload = payloadOf(pod, { name: 'v', ...source }, { find, size: aNode() });
  return [...payload].map(([path, { content, mode }]) => {
    const bytes = Buffer.from(content);
    const text = bytes.toString('utf8');
    const isText = Buffer.from(text).equals(bytes) && !text.includes('\0');
    return `${mode.toString(8)} ${path}=${isText ? text : bytes.toString('hex')}`;
  });
}

const field = (fieldPath: string) => ({ apiVersion: 'v1', fieldPath });
const defaultMode = 0o644;

const cases: Readonly<Record<string, readonly [Omit<Volume, 'name'>, ...string[]]>> = {
  'every key of a ConfigMap is a file': [
    { configMap: { name: 'settings', defaultMode } },
    '644 color=blue',
    '644 size=1',
    '644 bin=ff00',
  ],
  'every key of a Secret is a file': [
    { secret: { secretName: 'keys', defaultMode: 0o400 } },
    '400 password=hunter2',
    '400 raw=00ff',
  ],
  'keys that are asked for have a path, and maybe a mode': [
    {
      configMap: {
        name: 'settings',
        defaultMode,
        items: [
          { key: 'color', path: 'a/b' },
          { key: 'bin', path: 'c', mode: 0 },
        ],
      },
    },
    '644 a/b=blue',
    '0 c=ff00',
  ],
  'of files with the same path, however it is written, the last wins': [
    {
      configMap: {
        name: 'settings',
        defaultMode,
        items: [
          { key: 'bin', path: 'a' },
          { key: 'size', path: './a' },
          { key: 'color', path: 'a', mode: 0o600 },
        ],
      },
    },
    '600 a=blue',
  ],
  'an empty list of keys means every key': [
    { configMap: { name: 'settings', defaultMode, items: [] } },
    '644 color=blue',
    '644 size=1',
    '644 bin=ff00',
  ],
  'an optional object that is missing is an empty folder': [
    { secret: { secretName: 'none', optional: true, defaultMode } },
  ],
  'an optional key that is missing is left out': [
    {
      secret: {
        secretName: 'keys',
        optional: true,
        defaultMode,
        items: [
          { key: 'none', path: 'a' },
          { key: 'password', path: 'b' },
        ],
      },
    },
    '644 b=hunter2',
  ],
  'the pod tells of itself': [
    {
      downwardAPI: {
        defaultMode: 0o640,
        items: [
          { path: 'name', fieldRef: field('metadata.name') },
          { path: 'labels', fieldRef: field('metadata.labels'), mode: 0o444 },
          { path: 'one', fieldRef: field("metadata.labels['a']") },
          { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' } },
        ],
      },
    },
    '640 name=pod',
    '444 labels=a="z\\n"\nb="x\\"y"',
    '640 one=z\n',
    '640 cpu=2',
  ],
  'a later source wins over an earlier one': [
    {
      projected: {
        defaultMode: 0o600,
        sources: [
          { configMap: { name: 'settings', items: [{ key: 'color', path: 'password' }] } },
          { secret: { name: 'keys', items: [{ key: 'password', path: 'password', mode: 0o400 }] } },
          { configMap: { name: 'none', optional: true } },
          { downwardAPI: { items: [{ path: 'ns', fieldRef: field('metadata.namespace') }] } },
        ],
      },
    },
    '400 password=hunter2',
    '600 ns=default',
  ],
};
for (const [title, [source, ...expected]] of Object.entries(cases)) {
  test(title, (t) => t.deepEqual(files(source), expected));
}

const missing: Readonly<Record<string, readonly [Omit<Volume, 'name'>, message: string]>> = {
  'a ConfigMap': [{ configMap: { name: 'none', defaultMode } }, 'configmap "none" not found'],
  'a Secret': [{ secret: { secretName: 'none', defaultMode } }, 'secret "none" not found'],
  'a key of a ConfigMap': [
    { configMap: { name: 'settings', defaultMode, items: [{ key: 'toString', path: 'a' }] } },
    'configmap references non-existent config key: toString',
  ],
  'a key of a Secret': [
    {
      projected: {
        defaultMode,
        sources: [{ secret: { name: 'keys', items: [{ key: 'k', path: 'a' }] } }],
      },
    },
    'secret references non-existent secret key: k',
  ],
};
for (const [title, [source, message]] of Object.entries(missing)) {
  test(`${title} that is missing keeps the pod waiting`, (t) => {
    const error = t.throws(() => files(source), { instanceOf: VolumeError });
    t.is(error.message, `MountVolume.SetUp failed for volume "v" : ${message}`);
    t.truthy(error.next);
  });
}
