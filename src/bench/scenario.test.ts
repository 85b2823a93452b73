import test from 'ava';
import { podFromValue } from '../manifest/parse-pod.ts';
import { manifestOf } from './scenario.ts';

const place = { name: 'one', namespace: 'reprise-bench', sharedFolder: '/tmp/one' };

test('the manifest is one that a user could write', (t) => {
  const scenario = { pods: 1, containers: 2, inits: 2, image: 'localhost/reprise/busybox:1' };
  const { pod, notes } = podFromValue(manifestOf(scenario, place), 'test');
  t.deepEqual(notes, []);
  t.deepEqual(
    pod.spec.initContainers.map(({ name, restartPolicy }) => [name, restartPolicy]),
    [
      ['init-0', undefined],
      ['init-1', undefined],
      ['watcher', 'Always'],
    ],
  );
  t.deepEqual(
    pod.spec.containers.map(({ name }) => name),
    ['app-0', 'app-1'],
  );
});

test('a pod without init containers still has its trigger', (t) => {
  const scenario = { pods: 1, containers: 1, inits: 0, image: 'busybox' };
  const { pod } = podFromValue(manifestOf(scenario, place), 'test');
  t.deepEqual(
    pod.spec.initContainers.map(({ restartPolicyRules: [rule] }) => rule),
    [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } }],
  );
});

for (const image of ['localhost/test:latest', 'localhost/test', 'localhost/test:1']) {
  test(`no registry is asked for ${image} while restarts are measured`, (t) => {
    const scenario = { pods: 1, containers: 1, inits: 1, image };
    const { spec } = podFromValue(manifestOf(scenario, place), 'test').pod;
    for (const container of [...spec.initContainers, ...spec.containers]) {
      t.is(container.imagePullPolicy, 'IfNotPresent', container.name);
    }
  });
}
