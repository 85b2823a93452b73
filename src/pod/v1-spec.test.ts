import test from 'ava';
import { aContainer, aPod, aSidecar, restartAllOn } from '../testing/builders.ts';
import { v1Spec } from './v1-spec.ts';

test('nothing that is empty is shown', (t) => {
  const { spec } = aPod([], [aContainer('main')]);
  const shown = v1Spec(spec, 'node-1');
  t.false('initContainers' in shown);
  t.false('hostNetwork' in shown);
  t.deepEqual(shown.containers, [
    {
      name: 'main',
      image: 'localhost/test:1',
      imagePullPolicy: 'IfNotPresent',
      resources: {},
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    },
  ]);
  t.is(shown.nodeName, 'node-1');
});

test('what was said is shown, false where it matters included', (t) => {
  const { spec } = aPod(
    [aSidecar('watcher', restartAllOn(88))],
    [
      aContainer('main', {
        volumeMounts: [
          { name: 'data', mountPath: '/data', readOnly: true },
          { name: 'tmp', mountPath: '/tmp', readOnly: false },
        ],
        securityContext: {
          privileged: false,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { add: [], drop: ['ALL'] },
        },
      }),
    ],
    { inert: { tolerations: [{ key: 'gpu', operator: 'Exists' }] } },
  );
  const shown = v1Spec(spec, 'node-1');
  t.like(shown, { tolerations: [{ key: 'gpu', operator: 'Exists' }] });
  t.false('inert' in shown);
  t.like(shown.initContainers?.[0], { name: 'watcher', restartPolicy: 'Always' });
  t.deepEqual(shown.initContainers?.[0]?.restartPolicyRules, [
    { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } },
  ]);
  const [main] = shown.containers;
  t.deepEqual<unknown, unknown>(main?.volumeMounts, [
    { name: 'data', mountPath: '/data', readOnly: true },
    { name: 'tmp', mountPath: '/tmp' },
  ]);
  t.deepEqual<unknown, unknown>(main?.securityContext, {
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  });
});
