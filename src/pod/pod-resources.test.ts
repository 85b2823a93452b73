import test from 'ava';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import type { Container, Pod } from './pod.ts';
import { hugePagesOf, podResources, qosClassOf } from './pod-resources.ts';
import type { QosClass } from './pod-resources.ts';
import { bytes, milliCpu, parseQuantity } from './quantity.ts';

type Amounts = readonly [
  kind: 'init' | 'sidecar' | 'app',
  cpu: string,
  cpuLimit: string,
  memory: string,
  memoryLimit: string,
];

function podOf(rows: readonly Amounts[]): Pod {
  const toContainer = ([kind, cpu, cpuLimit, memory, memoryLimit]: Amounts): Container => {
    const given = (values: Record<string, string>): Record<string, string> =>
      Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
    return {
      resources: {
        requests: given({ cpu, memory }),
        limits: given({ cpu: cpuLimit, memory: memoryLimit }),
      },
      ...(kind === 'sidecar' && { restartPolicy: 'Always' }),
    } as Container;
  };
  return {
    spec: {
      initContainers: rows.filter(([kind]) => kind !== 'app').map(toContainer),
      containers: rows.filter(([kind]) => kind === 'app').map(toContainer),
    },
  } as unknown as Pod;
}

const classes: Record<string, { rows: Amounts[]; is: QosClass }> = {
  'nothing set is BestEffort': { rows: [['app', '', '', '', '']], is: 'BestEffort' },
  'zero counts as not set': { rows: [['app', '0', '', '0', '']], is: 'BestEffort' },
  'limits alone are Guaranteed, since requests follow them': {
    rows: [['app', '', '1', '', '1Gi']],
    is: 'Guaranteed',
  },
  'equal requests and limits are Guaranteed however they are written': {
    rows: [['app', '500m', '0.5', '1024Mi', '1Gi']],
    is: 'Guaranteed',
  },
  'a request below its limit is Burstable': {
    rows: [['app', '1', '2', '1Gi', '1Gi']],
    is: 'Burstable',
  },
  'only one of the two resources limited is Burstable': {
    rows: [['app', '', '1', '', '']],
    is: 'Burstable',
  },
  'one init container without limits makes it Burstable': {
    rows: [
      ['init', '', '', '', ''],
      ['app', '', '1', '', '1Gi'],
    ],
    is: 'Burstable',
  },
};
for (const [title, { rows, is }] of Object.entries(classes)) {
  test(title, (t) => t.is(qosClassOf(podOf(rows)), is));
}

test('a pod needs its app containers and sidecars together', (t) => {
  const pod = podOf([
    ['init', '100m', '', '', ''],
    ['sidecar', '200m', '', '', ''],
    ['app', '300m', '', '', ''],
    ['app', '400m', '', '', ''],
  ]);
  t.is(podResources(pod).cpuRequestMilli, 900);
});

test('a hungry init container counts beside the sidecars before it, not those after it', (t) => {
  const pod = podOf([
    ['sidecar', '100m', '', '', ''],
    ['init', '2', '', '', ''],
    ['sidecar', '100m', '', '', ''],
    ['app', '300m', '', '', ''],
  ]);
  t.is(podResources(pod).cpuRequestMilli, 2100);
});

test('a pod is limited only if each of its containers is', (t) => {
  const limited: Amounts = ['app', '', '1', '', '1Gi'];
  t.like(podResources(podOf([limited, limited])), {
    cpuLimitMilli: 2000,
    memoryLimitBytes: 2 ** 31,
  });
  const half = podResources(podOf([limited, ['app', '', '1', '', '']]));
  t.is(half.cpuLimitMilli, 2000);
  t.is(half.memoryLimitBytes, undefined);
});

test('what the pod says as a whole counts before what its containers say', (t) => {
  const { spec } = podOf([['app', '100m', '', '1Gi', '']]);
  const whole = (requests: Record<string, string>, limits: Record<string, string>): Pod =>
    ({ spec: { ...spec, resources: { requests, limits } } }) as unknown as Pod;
  const cpu = whole({ cpu: '1' }, { cpu: '2' });
  t.like(podResources(cpu), {
    cpuRequestMilli: 1000,
    cpuLimitMilli: 2000,
    memoryRequestBytes: 2 ** 30,
    memoryLimitBytes: undefined,
  });
  const both = { cpu: '1', memory: '2Gi' };
  t.deepEqual([cpu, whole(both, both), whole({ cpu: '0' }, {})].map(qosClassOf), [
    'Burstable',
    'Guaranteed',
    'BestEffort',
  ]);
});

const pages = (limit: string) => ({
  resources: { requests: {}, limits: { 'hugepages-2Mi': limit } },
});
const inPages: Record<string, readonly [pod: Pod, megabytes: number | undefined]> = {
  'nothing is said of pages by most pods': [aPod([], [aContainer('a')]), undefined],
  'app containers and sidecars have their pages together': [
    aPod([aSidecar('s', pages('4Mi'))], [aContainer('a', pages('2Mi')), aContainer('b')]),
    6,
  ],
  'init containers have theirs one after the other': [
    aPod([aContainer('i', pages('8Mi')), aContainer('j', pages('6Mi'))], [aContainer('a')]),
    8,
  ],
  'an init container has its pages beside the sidecars before it, and not those after it': [
    aPod(
      [aSidecar('s', pages('4Mi')), aContainer('i', pages('6Mi')), aSidecar('t', pages('2Mi'))],
      [aContainer('a')],
    ),
    10,
  ],
  'what the pod says as a whole counts alone': [
    aPod([], [aContainer('a', pages('2Mi'))], pages('12Mi')),
    12,
  ],
};
for (const [title, [pod, megabytes]] of Object.entries(inPages)) {
  test(title, (t) => {
    const expected = megabytes === undefined ? [] : [['hugepages-2Mi', megabytes * 2 ** 20]];
    t.deepEqual([...hugePagesOf(pod)], expected as [string, number][]);
  });
}

test('quantities are read as Kubernetes writes them', (t) => {
  const readings = {
    '1': 1,
    '0.5': 0.5,
    '.5': 0.5,
    '1.': 1,
    '100m': 0.1,
    '2k': 2000,
    '1Ki': 1024,
    '1e3': 1000,
    '2E2': 200,
    '1E': 1e18,
    '-1': -1,
  };
  for (const [text, value] of Object.entries(readings)) t.is(parseQuantity(text), value, text);
  for (const text of ['', ' 1', '1 Gi', '1gi', '1mi', '0x10', 'Infinity', 'NaN', '.', '1e', '1K']) {
    t.is(parseQuantity(text), undefined, text);
  }
  for (const text of ['1'.repeat(1_000_000), `${'1'.repeat(1_000_000)}x`]) {
    t.is(parseQuantity(text), undefined);
  }
});

test('thousandths of a CPU are rounded up, but never for a rounding error', (t) => {
  t.deepEqual(
    ['0.57', '1.1', '0.29', '0.0001', '250m', '1500u'].map(milliCpu),
    [570, 1100, 290, 1, 250, 2],
  );
  t.deepEqual(['1.5Gi', '68.686G', '100m', '0'].map(bytes), [1610612736, 68686000000, 1, 0]);
});
