import test from 'ava';
import { aContainer, aPod } from '../testing/builders.ts';
import { pullsWith } from './pod-objects.ts';

test('a pod pulls with the Secrets that it names, of its own namespace', (t) => {
  const pod = aPod([], [aContainer('main')], { imagePullSecrets: [{ name: 'regcred' }] });
  t.true(pullsWith(pod, 'default', 'regcred'));
  t.false(pullsWith(pod, 'other', 'regcred'));
  t.false(pullsWith(pod, 'default', 'other'));
  t.false(pullsWith(aPod([], [aContainer('main')]), 'default', 'regcred'));
});
