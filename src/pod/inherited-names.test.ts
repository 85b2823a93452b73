// Names that every object has anyway, such as `constructor`: a pod may be full of them.
import test from 'ava';
import { environmentOf } from '../runtime/environment.ts';
import { allInputsOf } from '../runtime/inputs.ts';
import { aContainer, aPod, restartAllOn } from '../testing/builders.ts';
import { accepted } from '../testing/manifests.ts';
import { aNode } from '../testing/node.ts';
import { aConfigMap, aSecret, among } from '../testing/objects.ts';
import { SimulatedNode } from '../testing/simulated-node.ts';
import type { Pod } from './pod.ts';

const name = 'constructor';
const reference = (key: string, optional: boolean) => ({ name, key, optional });

const env = [
  { name: 'toString', value: 'a text' },
  { name: '__proto__', value: '$(toString)' },
  { name: 'valueOf', valueFrom: { configMapKeyRef: reference('toString', false) } },
  { name: 'hasOwnProperty', valueFrom: { secretKeyRef: reference(name, false) } },
  { name, valueFrom: { configMapKeyRef: reference(name, true) } },
  { name: 'isPrototypeOf', valueFrom: { secretKeyRef: reference('isPrototypeOf', true) } },
  { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${name}']` } } },
  { name: 'NONE', valueFrom: { fieldRef: { fieldPath: "metadata.labels['valueOf']" } } },
];

const container = {
  name,
  image: 'localhost/test:1',
  env,
  volumeMounts: [{ name, mountPath: '/data' }],
  restartPolicy: 'Never',
  ...restartAllOn(88),
};

/** All of it has such a name. */
function named(): Pod {
  const { pod } = accepted({
    metadata: { name, namespace: name, labels: { [name]: name }, annotations: { toString: name } },
    spec: {
      containers: [container],
      volumes: [{ name, configMap: { name, items: [{ key: 'toString', path: name }] } }],
      readinessGates: [{ conditionType: name }],
    },
  });
  const identity = { uid: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
  return { ...pod, metadata: { ...pod.metadata, ...identity } };
}

const find = among(
  aConfigMap(name, { toString: 'of the map' }),
  aSecret(name, { [name]: 'hidden' }),
);

const pods: Readonly<Record<string, Pod>> = {
  'with objects and gates': named(),
  'and nothing more': aPod([], [aContainer(name, restartAllOn(88))]),
};

for (const [title, pod] of Object.entries(pods)) {
  test(`a container named as what all objects have, ${title}, runs and is restarted in place`, (t) => {
    const node = new SimulatedNode(pod, {
      behave: (_, run) => (run === 0 ? { runsMs: 60_000, code: 88 } : {}),
    });
    const ready = () => node.status.conditions.find(({ type }) => type === 'Ready');
    node.changeObjects(allInputsOf(pod, { find, hostIPs: [] }));
    node.run({ forMs: 30_000 });
    const gates = pod.spec.readinessGates ?? [];
    t.is(ready()?.status, gates.length === 0 ? 'True' : 'False');
    const changes = { [name]: { status: 'True' } } as const;
    node.request({ kind: 'gates', changes, at: node.now });
    t.is(node.run(), 'at rest');
    t.deepEqual(node.faults, []);
    t.is(ready()?.status, 'True');
    t.is(node.memory.generation, 1);
    const [status] = node.status.containerStatuses ?? [];
    t.like(status, { name, ready: true, restartCount: 1 });
  });
}

test('such names in objects, labels and variables are those that are there', (t) => {
  const pod = named();
  const inputs = allInputsOf(pod, { find, hostIPs: [] });
  t.deepEqual(Object.keys(inputs), [name]);
  t.not(inputs[name], 'lacking');
  const surroundings = { nodeName: '', hostIPs: [], podIPs: [], size: aNode(), find };
  const [main = aContainer(name)] = pod.spec.containers;
  t.deepEqual(
    [...environmentOf(pod, main, surroundings)],
    [
      ['toString', 'a text'],
      ['__proto__', 'a text'],
      ['valueOf', 'of the map'],
      ['hasOwnProperty', 'hidden'],
      ['LABEL', name],
      ['NONE', ''],
    ],
  );
});
