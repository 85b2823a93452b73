// Who gets which devices, told as stories: what the node has, who asks, who gets what.
import test from 'ava';
import fc from 'fast-check';
import type { Pod } from '../pod/pod.ts';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import { devicesIn, findAssigned, serve } from './allocate.ts';
import type { Assignments, Claim, Served, Stock } from './allocate.ts';
import type { Device } from './inventory.ts';
import { overlap } from './inventory.ts';
import { requestOf } from './request.ts';

const kind = 'nvidia.com/gpu';

function aDevice(name: string, more: Partial<Device> = {}): Device {
  const id = `${kind}=${name}`;
  const device = { id, kind, names: [id], nodes: [`/dev/nvidia${name}`], isGroup: false };
  return { ...device, edits: {}, sharedEdits: {}, ...more };
}

const four = ['0', '1', '2', '3'].map((name) => aDevice(name));

function stockOf(devices: readonly Device[], faults: Record<string, string> = {}): Stock {
  return { devices, faultOf: ({ id }) => faults[id.split('=')[1] ?? ''] };
}

/** A container that asks for that many. */
const wants = (count: number, resource = kind) => ({
  resources: { requests: {}, limits: { [resource]: String(count) } },
});

function aClaim(uid: string, pod: Pod | number, more: Partial<Claim> = {}): Claim {
  const asking = typeof pod === 'number' ? aPod([], [aContainer('main', wants(pod))]) : pod;
  const request = requestOf(asking, false);
  if (request === undefined) throw new Error(`${uid} asks for nothing`);
  return { uid, request, arrival: 0, ...more };
}

const inOrder = (...claims: readonly Claim[]): readonly Claim[] =>
  claims.map((claim, arrival) => ({ ...claim, arrival }));

/** `a: main 0 1`, or why it waits. */
function story(served: ReadonlyMap<string, Served>): readonly string[] {
  return [...served].map(([uid, one]) => {
    if ('waits' in one) return `${uid} waits: ${one.waits}`;
    const all = Object.entries(one.given).map(
      ([name, given]) => `${name} ${given.map(({ id }) => id.split('=')[1]).join(' ')}`,
    );
    return `${uid}: ${all.join(', ')}`;
  });
}

const given = (...names: readonly string[]): Assignments => ({
  main: names.map((name) => ({ resource: kind, id: `${kind}=${name}` })),
});

/** What was given under that name, and has the node of another one. */
const renamed = (name: string, node: string) => ({
  ...{ resource: kind, id: `${kind}=${name}`, nodes: [`/dev/nvidia${node}`] },
});

const cases: Readonly<Record<string, readonly [readonly Claim[], Stock, readonly string[]]>> = {
  'each gets devices of its own': [
    inOrder(aClaim('a', 2), aClaim('b', 1)),
    stockOf(four),
    ['a: main 0 1', 'b: main 2'],
  ],
  'what was given stays given, whoever comes': [
    inOrder(aClaim('a', 1), aClaim('b', 2, { given: given('0', '1') })),
    stockOf(four),
    ['a: main 2', 'b: main 0 1'],
  ],
  'too few free: it waits, and says how many there are': [
    inOrder(aClaim('a', 3), aClaim('b', 2)),
    stockOf(four),
    ['a: main 0 1 2', `b waits: Insufficient ${kind}: 2 asked for, 1 of 4 free`],
  ],
  'who comes later does not pass one that waits': [
    inOrder(aClaim('a', 3), aClaim('b', 2), aClaim('c', 1)),
    stockOf(four),
    [
      'a: main 0 1 2',
      `b waits: Insufficient ${kind}: 2 asked for, 1 of 4 free`,
      'c waits: pods that came earlier wait for the same',
    ],
  ],
  'one that asks for more than there is holds nobody up': [
    inOrder(aClaim('a', 5), aClaim('b', 4)),
    stockOf(four),
    [`a waits: Insufficient ${kind}: 5 asked for, 4 of 4 free`, 'b: main 0 1 2 3'],
  ],
  'unhealthy ones are not given': [
    inOrder(aClaim('a', 4)),
    stockOf(four, { 1: 'it smokes' }),
    [`a waits: Insufficient ${kind}: 4 asked for, 3 of 4 free, 1 unhealthy`],
  ],
  'what is called otherwise now, or by nothing any more, is still in the hands of its pod': [
    inOrder(
      aClaim('a', 2, { given: { main: [renamed('old', '0'), renamed('gone', '9')] } }),
      aClaim('b', named('9')),
      aClaim('c', 3),
      aClaim('d', 1),
    ),
    stockOf([...four, aDevice('9', { kind: 'other/kind' })]),
    [
      'a: main old gone',
      `b waits: device ${kind}=9 is in use`,
      'c: main 1 2 3',
      `d waits: Insufficient ${kind}: 1 asked for, 0 of 4 free`,
    ],
  ],
  'a kind that nobody has': [
    inOrder(aClaim('a', aPod([], [aContainer('main', wants(1, 'acme.test/npu'))]))),
    stockOf(four),
    ['a waits: Insufficient acme.test/npu: there is none on this node'],
  ],
  'init containers hand theirs on, sidecars keep theirs': [
    inOrder(
      aClaim(
        'a',
        aPod(
          [
            aContainer('first', wants(2)),
            aSidecar('beside', wants(1)),
            aContainer('second', wants(1)),
          ],
          [aContainer('main', wants(1)), aContainer('other', wants(1))],
        ),
      ),
    ),
    stockOf(four),
    ['a: first 0 1, beside 0, second 1, main 1, other 2'],
  ],
  'a group is nobody’s by number, and takes all of its members': [
    inOrder(aClaim('a', 1), aClaim('b', named('all')), aClaim('c', 1)),
    stockOf([
      aDevice('all', { nodes: ['/dev/nvidia0', '/dev/nvidia1'], isGroup: true }),
      ...four.slice(0, 2),
    ]),
    [
      'a: main 0',
      `b waits: device ${kind}=all is in use`,
      'c waits: pods that came earlier wait for the same',
    ],
  ],
  'by name': [
    inOrder(aClaim('a', named('2')), aClaim('b', 3), aClaim('c', named('9'))),
    stockOf(four),
    ['a: main 2', 'b: main 0 1 3', `c waits: there is no device ${kind}=9 on this node`],
  ],
  'all of them, where nothing is called so': [
    inOrder(aClaim('a', named('all'))),
    stockOf(four),
    ['a: main 0 1 2 3'],
  ],
  'a name and a number are two wishes': [
    inOrder(
      aClaim('a', {
        ...aPod([], [aContainer('main', wants(1))]),
        metadata: named('0').metadata,
      }),
    ),
    stockOf(four),
    ['a: main 0 1'],
  ],
};
for (const [title, [claims, stock, told]] of Object.entries(cases)) {
  test(`devices: ${title}`, (t) =>
    t.deepEqual(told.toSorted(), story(serve(claims, stock)).toSorted()));
}

function named(name: string): Pod {
  const pod = aPod([], [aContainer('main')]);
  const annotations = { 'cdi.k8s.io/test': `${kind}=${name}` };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

test('NVIDIA_VISIBLE_DEVICES is a wish where NVIDIA’s runtime reads it, and only there', (t) => {
  const pod = (value: string) =>
    aPod([], [aContainer('main', { env: [{ name: 'NVIDIA_VISIBLE_DEVICES', value }] })]);
  t.is(requestOf(pod('all'), false), undefined);
  t.is(requestOf(pod('void'), true), undefined);
  t.deepEqual(requestOf(pod('0,GPU-aa'), true)?.named, [
    { name: `${kind}=0`, containers: ['main'] },
    { name: `${kind}=GPU-aa`, containers: ['main'] },
  ]);
});

test('whoever asks in whatever order: nothing is given twice, and what is given stays', (t) => {
  const asking = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 8 });
  const leaving = fc.array(fc.nat(7), { maxLength: 8 });
  fc.assert(
    fc.property(asking, leaving, (counts, leavers) => {
      let claims = inOrder(...counts.map((count, index) => aClaim(String(index), count)));
      for (const leaver of [undefined, ...leavers]) {
        claims = claims.filter(({ uid }) => uid !== String(leaver));
        const served = serve(claims, stockOf(four));
        const next = claims.map((claim) => {
          const one = served.get(claim.uid);
          return one !== undefined && 'given' in one ? { ...claim, given: one.given } : claim;
        });
        for (const [index, { given: before }] of claims.entries()) {
          if (before !== undefined && next[index]?.given !== before) return false;
        }
        claims = next;
        const all = claims.flatMap(({ given: own }) => (own ? devicesIn(own, stockOf(four)) : []));
        if (all.some((one, at) => all.slice(at + 1).some((other) => overlap(one, other))))
          return false;
        // Nobody waits while an earlier one does not hold them up and enough is free.
        const waiting = claims.find((claim) => claim.given === undefined && countOf(claim) <= 4);
        if (waiting !== undefined && countOf(waiting) <= 4 - all.length) return false;
      }
      return true;
    }),
  );
  t.pass();
});

function countOf({ request }: Claim): number {
  return request.counted[0]?.count ?? 0;
}

test('after a boot another device can have the nodes of one that is known by its UUID', (t) => {
  const stock = stockOf(four);
  t.is(findAssigned(renamed('old', '1'), stock), four[1]);
  t.is(findAssigned(renamed('GPU-aa', '1'), stock), undefined);
  // And yet nobody else is given it: the pod may have it open.
  t.deepEqual(devicesIn({ main: [renamed('GPU-aa', '1')] }, stock)[0]?.nodes, ['/dev/nvidia1']);
});
