import test from 'ava';
import { aContainer, aPod } from '../testing/builders.ts';
import { fieldOf, resourceOf } from './downward.ts';

const gibibyte = 2 ** 30;
const node = { cpus: 4, memoryBytes: 10 * gibibyte, storageBytes: 100 * gibibyte };
const container = aContainer('main', {
  resources: {
    requests: { cpu: '100m', memory: '64Mi', 'hugepages-2Mi': '4Mi' },
    limits: { cpu: '0.57', memory: '100M', 'hugepages-2Mi': '4Mi' },
  },
});

/** Resource, divisor and what comes of it; without a container with limits, of one without any. */
const cases: readonly (readonly [resource: string, divisor: string | undefined, is: string])[] = [
  ['requests.cpu', undefined, '1'],
  ['requests.cpu', '1m', '100'],
  ['limits.cpu', '1m', '570'],
  ['requests.memory', undefined, '67108864'],
  ['requests.memory', '1Mi', '64'],
  ['limits.memory', '1Mi', '96'],
  ['limits.memory', '1G', '1'],
  ['limits.memory', '0', '100000000'],
  ['limits.hugepages-2Mi', '1Mi', '4'],
  ['limits.ephemeral-storage', '1Gi', '100'],
  ['requests.ephemeral-storage', undefined, '0'],
];
for (const [resource, divisor, is] of cases) {
  test(`${resource} in units of ${divisor ?? 'nothing said'}`, (t) => {
    t.is(resourceOf(aPod([], []), container, { resource, divisor }, node), is);
  });
}

const unset: readonly (readonly [resource: string, divisor: string | undefined, is: string])[] = [
  ['limits.cpu', undefined, '4'],
  ['limits.cpu', '1m', '4000'],
  ['limits.memory', '1Gi', '10'],
  ['limits.hugepages-2Mi', undefined, '0'],
  ['requests.cpu', undefined, '0'],
  ['requests.memory', undefined, '0'],
];
for (const [resource, divisor, is] of unset) {
  test(`${resource} that nothing is said of, in units of ${divisor ?? 'nothing said'}`, (t) => {
    t.is(resourceOf(aPod([], []), aContainer('main'), { resource, divisor }, node), is);
  });
}

test('a limit that only the pod has is that of each container', (t) => {
  const pod = aPod([], [], { resources: { requests: {}, limits: { cpu: '2', memory: '1Gi' } } });
  const limit = (resource: string) => resourceOf(pod, aContainer('main'), { resource }, node);
  t.is(limit('limits.cpu'), '2');
  t.is(limit('limits.memory'), String(gibibyte));
  t.is(limit('requests.cpu'), '0');
  t.is(resourceOf(pod, container, { resource: 'limits.memory' }, node), '100000000');
});

test('a limit of 0 is none', (t) => {
  const none = aContainer('main', { resources: { requests: {}, limits: { cpu: '0' } } });
  t.is(resourceOf(aPod([], []), none, { resource: 'limits.cpu' }, node), '4');
});

test('a table is told in the order of its keys, quoted as Go does', (t) => {
  const plain = aPod([], []);
  const annotations = {
    z: 'a"b\\c',
    'a/b': '\x07\b\f\n\r\t\v',
    m: 'ä 🎉\u00a0\x7f\x01\u200b\u{e0001}',
  };
  const pod = { ...plain, metadata: { ...plain.metadata, annotations } };
  t.is(
    fieldOf(pod, 'metadata.annotations', { nodeName: '', hostIPs: [], podIPs: [] }),
    [
      String.raw`a/b="\a\b\f\n\r\t\v"`,
      String.raw`m="ä 🎉\u00a0\x7f\x01\u200b\U000e0001"`,
      String.raw`z="a\"b\\c"`,
    ].join('\n'),
  );
});

const accounts: Record<string, readonly [inert: Record<string, unknown>, is: string]> = {
  'no account has no name': [{}, ''],
  'an account has its name': [{ serviceAccountName: 'trainer' }, 'trainer'],
  'an account may be named as of old': [{ serviceAccount: 'old' }, 'old'],
  'the new name of the field wins': [{ serviceAccount: 'old', serviceAccountName: 'new' }, 'new'],
};
for (const [title, [inert, is]] of Object.entries(accounts)) {
  test(title, (t) => {
    const pod = aPod([], [], { inert });
    const nowhere = { nodeName: '', hostIPs: [], podIPs: [] };
    t.is(fieldOf(pod, 'spec.serviceAccountName', nowhere), is);
  });
}
