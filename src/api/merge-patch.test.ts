import test from 'ava';
import { ApiError } from './api-status.ts';
import { jsonMergePatch, strategicMergePatch } from './merge-patch.ts';

const pod = {
  metadata: { name: 'web', labels: { a: '1', b: '2' } },
  spec: { ephemeralContainers: [{ name: 'x', image: 'i', command: ['a', 'b'] }], hostIPC: true },
};

const guests = (...ephemeralContainers: unknown[]) => ({ spec: { ephemeralContainers } });
const [x] = pod.spec.ephemeralContainers;
const y = { name: 'y', image: 'j', resources: {} };

const strategic: Readonly<Record<string, { patch: unknown; gives: unknown }>> = {
  'an item with a new name is added': { patch: guests(y), gives: [x, y] },
  'an item with a known name is merged': {
    patch: guests({ name: 'x', tty: true }),
    gives: [{ ...x, tty: true }],
  },
  'a list without a key is replaced': {
    patch: guests({ name: 'x', command: ['c'] }),
    gives: [{ name: 'x', image: 'i', command: ['c'] }],
  },
  'null takes a field away': {
    patch: guests({ name: 'x', command: null }),
    gives: [{ name: 'x', image: 'i' }],
  },
  'what kubectl says of the order changes nothing': {
    patch: {
      spec: {
        '$setElementOrder/ephemeralContainers': [{ name: 'x' }, { name: 'y' }],
        ephemeralContainers: [y],
      },
    },
    gives: [x, y],
  },
  'an item can be taken away': {
    patch: guests({ $patch: 'delete', name: 'x' }, y),
    gives: [y],
  },
  'a list can be replaced': { patch: guests({ $patch: 'replace' }, y), gives: [y] },
};

for (const [title, { patch, gives }] of Object.entries(strategic)) {
  test(`strategic: ${title}`, (t) => {
    const spec = { ...pod.spec, ephemeralContainers: gives };
    t.deepEqual(strategicMergePatch(pod, patch), { ...pod, spec });
  });
}

for (const patch of [
  { spec: { $patch: 'explode' } },
  { spec: { $retainKeys: ['hostIPC'] } },
  guests({ image: 'without a name' }),
]) {
  test(`strategic: ${JSON.stringify(patch)} is refused`, (t) => {
    t.is(
      t.throws(() => strategicMergePatch(pod, patch), { instanceOf: ApiError }).reason,
      'BadRequest',
    );
  });
}

test('JSON merge: fields are merged and taken away, lists replaced', (t) => {
  const patch = { metadata: { labels: { a: null, c: '3' } }, ...guests(y) };
  t.deepEqual(jsonMergePatch(pod, patch), {
    metadata: { name: 'web', labels: { b: '2', c: '3' } },
    spec: { hostIPC: true, ephemeralContainers: [y] },
  });
});

test('strategic: a list with the name of what all objects have is replaced as any other', (t) => {
  const patch = { constructor: [{ name: 'x' }] };
  t.deepEqual(strategicMergePatch({ constructor: [1] }, patch) as typeof patch, patch);
});

test('a patch cannot reach a prototype', (t) => {
  const patch: unknown = JSON.parse('{"__proto__": {"polluted": true}}');
  for (const apply of [jsonMergePatch, strategicMergePatch]) {
    t.false('polluted' in (apply({}, patch) as object) && 'polluted' in {});
  }
  t.false('polluted' in {});
});
