import test from 'ava';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import { referencesOf } from './references.ts';

test('everything that a pod is filled from is found, wherever it is named', (t) => {
  const env = [
    { name: 'A', valueFrom: { configMapKeyRef: { name: 'of-env', key: 'k' } } },
    { name: 'B', valueFrom: { secretKeyRef: { name: 'of-env', key: 'k', optional: true } } },
    { name: 'C', value: 'x' },
  ];
  const envFrom = [{ configMapRef: { name: 'all' } }, { prefix: 'P', secretRef: { name: 'all' } }];
  const defaultMode = 0o644;
  const pod = aPod([aSidecar('watcher', { env })], [aContainer('main', { envFrom })], {
    volumes: [
      { name: 'a', configMap: { name: 'volume', defaultMode } },
      { name: 'b', secret: { secretName: 'volume', defaultMode } },
      { name: 'c', persistentVolumeClaim: { claimName: 'claim' } },
      { name: 'd', emptyDir: { medium: '' } },
      {
        name: 'e',
        projected: {
          defaultMode,
          sources: [{ configMap: { name: 'part' } }, { secret: { name: 'part' } }],
        },
      },
    ],
  });
  t.deepEqual(
    referencesOf(pod).map(({ kind, name }) => `${kind} ${name}`),
    [
      'ConfigMap volume',
      'Secret volume',
      'PersistentVolumeClaim claim',
      'ConfigMap part',
      'Secret part',
      'ConfigMap of-env',
      'Secret of-env',
      'ConfigMap all',
      'Secret all',
    ],
  );
});
