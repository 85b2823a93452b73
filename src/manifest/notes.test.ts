import test from 'ava';
import { podFromValue } from './parse-pod.ts';

const main = { name: 'main', image: 'a' };
const volume = (emptyDir: object) => ({
  containers: [{ ...main, resources: { limits: { cpu: 1, 'hugepages-2Mi': '4Mi' } } }],
  volumes: [{ name: 'v', emptyDir }],
});

const ported = (hostPort: number) => ({
  ...main,
  name: 'helper',
  restartPolicy: 'Always',
  ports: [{ containerPort: 80 }, { containerPort: 81, hostPort }],
});

const ofSize = 'spec.volumes[0].emptyDir.sizeLimit has no effect';
const cases: Record<string, readonly [spec: object, notes: readonly string[]]> = {
  'a plain pod has none': [{ containers: [main] }, []],
  'a volume on disk has no size': [volume({ sizeLimit: '1Mi' }), [ofSize]],
  'one in memory has': [volume({ medium: 'Memory', sizeLimit: '1Mi' }), []],
  'one of huge pages has, too': [volume({ medium: 'HugePages', sizeLimit: '2Mi' }), []],
  'and so has one of huge pages of that size': [
    volume({ medium: 'HugePages-2Mi', sizeLimit: '2Mi' }),
    [],
  ],
  'a port of the node for an app container is mapped': [{ containers: [ported(81)] }, []],
  'one for an init container or sidecar is not': [
    { initContainers: [main, ported(81)], containers: [{ ...main, name: 'app' }] },
    ['spec.initContainers[1].ports[1].hostPort has no effect'],
  ],
  'a class of priority says nothing': [
    { priorityClassName: 'high', containers: [main] },
    ['spec.priorityClassName has no effect'],
  ],
  'but that of pods which the node cannot do without': [
    { priorityClassName: 'system-node-critical', containers: [main] },
    [],
  ],
  'port 0 is none': [{ initContainers: [ported(0)], containers: [{ ...main, name: 'app' }] }, []],
  'with the network of the node nothing has to be mapped': [
    { hostNetwork: true, initContainers: [ported(81)], containers: [{ ...main, name: 'app' }] },
    [],
  ],
};
for (const [title, [spec, expected]] of Object.entries(cases)) {
  test(title, (t) => {
    const value = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec };
    const { notes } = podFromValue(value, 'pod');
    t.deepEqual(
      notes.map((note) => note.replace(/^pod, |:.*/g, '')),
      expected,
    );
  });
}
