import test from 'ava';
import { NotFoundError } from '../errors.ts';
import type { ManifestObject } from '../pod/objects.ts';
import { serve } from '../testing/served.ts';

const { signal } = new AbortController();
const base = '/api/v1/namespaces/default';

const settings = (data: Record<string, string>): ManifestObject & { kind: 'ConfigMap' } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default', labels: { app: 'web' } },
  data,
});

test('an object is made, read, listed, replaced and deleted', async (t) => {
  await using served = await serve();
  const { client } = served;
  const made = await client.createObject(settings({ a: 'x\x7f' }), signal);
  t.like(made, { ...settings({ a: 'x\x7f' }), metadata: { name: 'settings' } });
  t.deepEqual(await client.getObject('ConfigMap', 'default', 'settings', signal), made);
  t.deepEqual(await client.listObjects('ConfigMap', {}, signal), [made]);
  t.deepEqual(await client.listObjects('ConfigMap', { namespace: 'team' }, signal), []);
  t.deepEqual(await client.listObjects('Secret', {}, signal), []);
  const changed = await client.replaceObject(settings({ a: 'y' }), signal);
  t.like(changed, { data: { a: 'y' } });
  t.is(changed.metadata.uid, made.metadata.uid);
  await client.deleteObject('ConfigMap', 'default', 'settings', signal);
  await t.throwsAsync(client.getObject('ConfigMap', 'default', 'settings', signal), {
    instanceOf: NotFoundError,
    message: 'configmaps "settings" not found',
  });
});

test('selectors choose among objects', async (t) => {
  await using served = await serve();
  await served.client.createObject(settings({}), signal);
  const chosen = async (labelSelector: string) =>
    (await served.client.listObjects('ConfigMap', { labelSelector }, signal)).length;
  t.is(await chosen('app=web'), 1);
  t.is(await chosen('app=db'), 0);
});

test('tables tell how much there is, never what', async (t) => {
  await using served = await serve();
  const stringData = { user: 'me', password: 'hunter2' };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData };
  await served.call('POST', `${base}/secrets`, { body: JSON.stringify(secret) });
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const { json, text } = await served.call('GET', `${base}/secrets`, { headers });
  t.like(json, { kind: 'Table' });
  const { rows } = json as { rows: { cells: unknown[] }[] };
  t.deepEqual(rows[0]?.cells.slice(0, 3), ['s', 'Opaque', 2]);
  t.notRegex(text, /hunter2|aHVudGVyMg/);
});

test('an object for another name or kind is refused', async (t) => {
  await using served = await serve();
  await served.client.createObject(settings({}), signal);
  const body = JSON.stringify(settings({}));
  t.is((await served.call('PUT', `${base}/configmaps/other`, { body })).code, 422);
  t.is((await served.call('POST', `${base}/secrets`, { body })).code, 422);
  t.is((await served.call('POST', `${base}/configmaps`, { body })).code, 409);
  t.is((await served.call('PUT', `${base}/secrets/x`, { body })).code, 422);
  t.is((await served.call('GET', `${base}/configmaps?watch=true`)).code, 405);
  t.is((await served.call('DELETE', `${base}/configmaps/settings?dryRun=All`)).code, 400);
});

for (const namespace of ['..%2f..', '..', 'team%2Fa', 'Team', 'x'.repeat(64)]) {
  test(`nothing is made in the namespace ${namespace}`, async (t) => {
    await using served = await serve();
    const { metadata, ...rest } = settings({});
    const body = JSON.stringify({ ...rest, metadata: { ...metadata, namespace: undefined } });
    const at = `/api/v1/namespaces/${namespace}`;
    const field = { details: { causes: [{ field: 'metadata.namespace' }] } };
    for (const [method, path] of [
      ['POST', `${at}/configmaps`],
      ['PUT', `${at}/configmaps/settings`],
    ] as const) {
      const { code, json } = await served.call(method, path, { body });
      t.is(code, 422, path);
      t.like(json, field);
    }
    const spec = { containers: [{ name: 'main', image: 'web:1' }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec };
    const { code, json } = await served.call('POST', `${at}/pods`, { body: JSON.stringify(pod) });
    t.is(code, 422);
    t.like(json, field);
    t.deepEqual(served.backend.list(), []);
    t.deepEqual(served.backend.objects.list('ConfigMap'), []);
  });
}

test('an object that has changed since it was read is not replaced', async (t) => {
  await using served = await serve();
  const made = await served.client.createObject(settings({ a: 'x' }), signal);
  const put = (metadata: object) => {
    const body = { ...settings({ a: 'mine' }), metadata: { name: 'settings', ...metadata } };
    return served.call('PUT', `${base}/configmaps/settings`, { body: JSON.stringify(body) });
  };
  const { uid, resourceVersion } = made.metadata;
  await served.client.replaceObject(settings({ a: 'theirs' }), signal);
  const stale = await put({ uid, resourceVersion });
  t.is(stale.code, 409);
  t.like(stale.json, {
    reason: 'Conflict',
    message:
      'Operation cannot be fulfilled on configmaps "settings": the object has been modified; ' +
      'please apply your changes to the latest version and try again',
  });
  const other = await put({ uid: 'other' });
  t.is(other.code, 409);
  t.like(other.json, {
    reason: 'Conflict',
    message:
      'Operation cannot be fulfilled on configmaps "settings": ' +
      `it has the uid ${uid}, another one was given`,
  });
  const there = await served.client.getObject('ConfigMap', 'default', 'settings', signal);
  t.like(there, { data: { a: 'theirs' } });
  t.is((await put({ uid, resourceVersion: there.metadata.resourceVersion })).code, 200);
  t.is((await put({ resourceVersion: '' })).code, 200, 'whatever state it is in');
});

const patches: Readonly<
  Record<string, { type?: string; patch: unknown; code: number; data?: object }>
> = {
  'a key is changed, one added and one taken away': {
    patch: { data: { a: null, b: '3', c: '4' } },
    code: 200,
    data: { b: '3', c: '4' },
  },
  'the same with a JSON merge patch': {
    type: 'merge-patch',
    patch: { data: { a: null, b: '3', c: '4' } },
    code: 200,
    data: { b: '3', c: '4' },
  },
  'the version that is meant is the one that is there': {
    patch: { metadata: { resourceVersion: '1' }, data: { a: '2' } },
    code: 409,
  },
  'it keeps its name': { patch: { metadata: { name: 'other' } }, code: 422 },
  'what comes of it has to be valid': { patch: { data: { a: 1 } }, code: 422 },
  'a patch of nothing that there is': { patch: 'text', code: 422 },
  'JSON patches are not understood': { type: 'json-patch', patch: [], code: 415 },
};

for (const [title, { type = 'strategic-merge-patch', patch, code, data }] of Object.entries(
  patches,
)) {
  test(`patched: ${title}`, async (t) => {
    await using served = await serve();
    const made = await served.client.createObject(settings({ a: '1', b: '2' }), signal);
    const answer = await served.call('PATCH', `${base}/configmaps/settings`, {
      body: JSON.stringify(patch),
      headers: { 'content-type': `application/${type}+json` },
    });
    t.is(answer.code, code, answer.text);
    const there = await served.client.getObject('ConfigMap', 'default', 'settings', signal);
    if (data === undefined) t.deepEqual(there, made);
    else t.deepEqual({ ...there, metadata: made.metadata }, { ...made, data } as typeof made);
    t.is(there.metadata.uid, made.metadata.uid);
  });
}

test('what is immutable is not patched, and what is not there neither', async (t) => {
  await using served = await serve();
  await served.client.createObject({ ...settings({ a: '1' }), immutable: true }, signal);
  const patch = {
    body: JSON.stringify({ data: { a: '2' } }),
    headers: { 'content-type': 'application/merge-patch+json' },
  };
  t.is((await served.call('PATCH', `${base}/configmaps/settings`, patch)).code, 422);
  t.is((await served.call('PATCH', `${base}/configmaps/other`, patch)).code, 404);
});

test('text that is patched into a secret is kept as its data', async (t) => {
  await using served = await serve();
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { a: 'MQ==' } };
  await served.call('POST', `${base}/secrets`, { body: JSON.stringify(secret) });
  const { json } = await served.call('PATCH', `${base}/secrets/s`, {
    body: JSON.stringify({ stringData: { a: '2' } }),
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
  });
  t.like(json, { data: { a: 'Mg==' } });
});

test('what is immutable is not replaced', async (t) => {
  await using served = await serve();
  await served.client.createObject({ ...settings({ a: 'x' }), immutable: true }, signal);
  const { code, json } = await served.call('PUT', `${base}/configmaps/settings`, {
    body: JSON.stringify({ ...settings({ a: 'y' }), immutable: true }),
  });
  t.is(code, 422);
  t.like(json, { details: { causes: [{ reason: 'FieldValueForbidden', field: 'data' }] } });
});

test('documents after a pod are its own objects', async (t) => {
  await using served = await serve();
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { containers: [{ name: 'main', image: 'web:1' }] },
  };
  const text = [pod, settings({})].map((one) => JSON.stringify(one)).join('\n---\n');
  await served.client.createPod('default', text, signal);
  t.deepEqual(served.backend.calls, ['own ConfigMap settings']);
  t.deepEqual(served.backend.objects.list('ConfigMap'), []);
});
