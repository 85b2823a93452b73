import test from 'ava';
import type { EnvVar } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { environmentOf, expand } from './environment.ts';

const variables = new Map([
  ['A', 'one'],
  ['B', '$(A)'],
  ['EMPTY', ''],
  ['a.b-c', 'dotted'],
]);

const expansions: Record<string, readonly [text: string, becomes: string]> = {
  'a reference becomes the value': ['x $(A) y', 'x one y'],
  'several references in a row': ['$(A)$(A)', 'oneone'],
  'a value is not expanded again': ['$(B)', '$(A)'],
  'an empty value counts': ['<$(EMPTY)>', '<>'],
  'what is not defined stays': ['$(NOPE)', '$(NOPE)'],
  'two dollars are one': ['$$', '$'],
  'a doubled dollar keeps a reference from being one': ['$$(A)', '$(A)'],
  'a third dollar makes it one again': ['$$$(A)', '$one'],
  'an open reference stays': ['$(A', '$(A'],
  'a dollar before anything else stays': ['$A $ ${A}', '$A $ ${A}'],
  'a name may hold what a shell would not take': ['$(a.b-c)', 'dotted'],
  'an empty reference stays': ['$()', '$()'],
};
for (const [title, [text, becomes]] of Object.entries(expansions)) {
  test(title, (t) => t.is(expand(text, variables), becomes));
}

const surroundings = {
  nodeName: 'node-1',
  hostIPs: ['10.0.0.1', 'fd00::1'],
  podIPs: ['10.88.0.5', 'fd00::5'],
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
