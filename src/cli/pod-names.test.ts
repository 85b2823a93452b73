import test from 'ava';
import { onePodName, podAndContainer, podNames } from './pod-names.ts';
import { UsageError } from './usage-error.ts';

const several: Record<string, readonly string[]> = {
  pods: [],
  'pod web': ['web'],
  'po web db': ['web', 'db'],
  'pod/web': ['web'],
  'pods/web po/db': ['web', 'db'],
};

for (const [typed, names] of Object.entries(several)) {
  test(`"${typed}" names ${names.join(' and ') || 'every pod'}`, (t) => {
    t.deepEqual(podNames(typed.split(' ')), names);
  });
}

for (const typed of ['web', 'deployments', 'deployment/web', 'pod/', 'pod/a/b', 'pod a pod/b']) {
  test(`"${typed}" names no pods`, (t) => {
    t.throws(() => podNames(typed.split(' ')), { instanceOf: UsageError });
  });
}

for (const typed of ['web', 'pod/web', 'pod web']) {
  test(`"${typed}" is the pod web`, (t) => t.is(onePodName(typed.split(' '), ''), 'web'));
}

test('a pod may be called pod', (t) => t.is(onePodName(['pod'], ''), 'pod'));

for (const typed of [[], ['a', 'b'], ['pod', 'a', 'b'], ['node/a']]) {
  test(`[${typed.join(' ')}] is not one pod`, (t) => {
    t.throws(() => onePodName(typed, 'usage'), { instanceOf: UsageError });
  });
}

const withContainers: Record<string, { pod: string; container?: string }> = {
  web: { pod: 'web' },
  'pod web': { pod: 'web' },
  'web main': { pod: 'web', container: 'main' },
  'pod/web main': { pod: 'web', container: 'main' },
};

for (const [typed, names] of Object.entries(withContainers)) {
  test(`"${typed}" is ${names.container ?? 'no container'} of the pod ${names.pod}`, (t) => {
    t.deepEqual(podAndContainer(typed.split(' '), ''), names);
  });
}

for (const typed of [[], ['a', 'b', 'c'], ['node/a', 'b']]) {
  test(`[${typed.join(' ')}] is neither a pod nor a container of one`, (t) => {
    t.throws(() => podAndContainer(typed, 'usage'), { instanceOf: UsageError });
  });
}
