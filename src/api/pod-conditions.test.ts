// The subresource by which others set the conditions of readiness gates.
import test from 'ava';
import type { V1Pod, V1PodCondition } from '../pod/pod-status.ts';
import { serve } from '../testing/served.ts';
import type { Served } from '../testing/served.ts';
import { aShownPod } from '../testing/v1-pods.ts';

const path = '/api/v1/namespaces/default/pods/web/status';
const strategic = 'application/strategic-merge-patch+json';
const merge = 'application/merge-patch+json';
const lastTransitionTime = '2026-01-01T00:00:00Z';
const ready: V1PodCondition = { type: 'Ready', status: 'False', lastTransitionTime };

async function serveGated(...gates: readonly string[]): Promise<Served> {
  const api = await serve();
  const pod = aShownPod({ status: { conditions: [ready] } });
  const readinessGates = gates.map((conditionType) => ({ conditionType }));
  api.backend.put({ ...pod, spec: { ...pod.spec, readinessGates } }, 'ADDED');
  return api;
}

async function patch(api: Served, conditions: unknown, type = strategic) {
  const body = JSON.stringify({ status: { conditions } });
  return await api.call('PATCH', path, { headers: { 'content-type': type }, body });
}

const conditionsOf = (json: unknown): Record<string, string> =>
  Object.fromEntries((json as V1Pod).status.conditions.map(({ type, status }) => [type, status]));

test('conditions of gates are set one by one by patches as kubectl sends them', async (t) => {
  await using api = await serveGated('warm', 'example.org/fed');
  const first = await patch(api, [{ type: 'warm', status: 'True', reason: 'Warmed' }]);
  t.is(first.code, 200);
  t.deepEqual(conditionsOf(first.json), { warm: 'True', Ready: 'False' });
  await patch(api, [{ type: 'example.org/fed', status: 'Unknown' }]);
  await patch(api, [{ type: 'warm', $patch: 'delete' }]);
  const { json } = await api.call('GET', path);
  t.deepEqual(conditionsOf(json), { 'example.org/fed': 'Unknown', Ready: 'False' });
  t.deepEqual(api.backend.calls, [
    'default/web: warm=True',
    'default/web: example.org/fed=Unknown',
    'default/web: warm=gone',
  ]);
});

test('a condition with the name of what all objects have is set and taken away as any other', async (t) => {
  await using api = await serveGated('constructor');
  await patch(api, [{ type: 'constructor', status: 'True' }]);
  const { json } = await patch(api, [], merge);
  t.deepEqual(conditionsOf(json), { Ready: 'False' });
});

test('a whole pod can be put, of which only the conditions of gates are taken', async (t) => {
  await using api = await serveGated('warm');
  const pod = (await api.call('GET', path)).json as V1Pod;
  const conditions = [
    { ...ready, status: 'True' },
    { type: 'warm', status: 'True', lastTransitionTime },
  ];
  const body = JSON.stringify({ ...pod, status: { ...pod.status, phase: 'Failed', conditions } });
  const { code, json } = await api.call('PUT', path, { body });
  t.is(code, 200);
  t.is((json as V1Pod).status.phase, 'Running');
  t.deepEqual(conditionsOf(json), { warm: 'True', Ready: 'False' });
});

test('parts of a pod that are null are parts that it does not have', async (t) => {
  await using api = await serveGated('warm');
  const conditions = [{ type: 'warm', status: 'True' }];
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: null,
    spec: null,
    status: { conditions },
  };
  const { code, json } = await api.call('PUT', path, { body: JSON.stringify(body) });
  t.is(code, 200);
  t.deepEqual(conditionsOf(json), { warm: 'True', Ready: 'False' });
});

test('a JSON merge patch replaces the list: what it does not hold is gone', async (t) => {
  await using api = await serveGated('warm', 'fed');
  await patch(api, [{ type: 'warm', status: 'True' }], merge);
  const { json } = await patch(api, [{ type: 'fed', status: 'True' }], merge);
  t.deepEqual(conditionsOf(json), { fed: 'True', Ready: 'False' });
});

const refused: Readonly<Record<string, [conditions: unknown, message: RegExp]>> = {
  'one that is no gate': [
    [{ type: 'other', status: 'True' }],
    /^status\.conditions\[0\]\.type: "other" is not among spec\.readinessGates of the pod/,
  ],
  'another status': [[{ type: 'warm', status: 'Yes' }], /^status\.conditions\[0\]\.status: /],
  'no status': [[{ type: 'warm' }], /^status\.conditions\[0\]\.status: /],
  'an endless reason': [
    [{ type: 'warm', status: 'True', reason: 'x'.repeat(1025) }],
    /^status\.conditions\[0\]\.reason: /,
  ],
  'no list': ['True', /^status\.conditions: must be a list/],
};
for (const [what, [conditions, message]] of Object.entries(refused)) {
  test(`refused: ${what}; and nothing is left of it`, async (t) => {
    await using api = await serveGated('warm');
    const { json } = await patch(api, conditions, merge);
    t.like(json, { kind: 'Status', status: 'Failure', code: 422 });
    t.regex((json as { message: string }).message, message);
    t.deepEqual(api.backend.calls, []);
  });
}

test('who sends an old version may not undo what has happened since', async (t) => {
  await using api = await serveGated('warm');
  const pod = (await api.call('GET', path)).json as V1Pod;
  await patch(api, [{ type: 'warm', status: 'True' }]);
  const { json } = await api.call('PUT', path, { body: JSON.stringify(pod) });
  t.like(json, { kind: 'Status', code: 409 });
});
