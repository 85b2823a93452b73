// The subresource by which kubectl debug adds containers to a running pod.
import test from 'ava';
import type { V1Pod } from '../pod/pod-status.ts';
import { serve } from '../testing/served.ts';
import type { Served } from '../testing/served.ts';
import { aShownPod } from '../testing/v1-pods.ts';

const path = '/api/v1/namespaces/default/pods/web/ephemeralcontainers';
const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
const merge = { 'content-type': 'application/merge-patch+json' };
// As kubectl debug sends it.
const guest = {
  name: 'debugger-abcde',
  image: 'busybox:1',
  resources: {},
  stdin: true,
  targetContainerName: 'main',
  terminationMessagePolicy: 'File',
};
const other = { name: 'other', image: 'busybox:1' };

async function serveWeb(): Promise<Served> {
  const api = await serve();
  api.backend.put(aShownPod(), 'ADDED');
  return api;
}

async function patch(api: Served, body: unknown, headers = strategic) {
  return await api.call('PATCH', path, { headers, body: JSON.stringify(body) });
}

function guestsOf(answer: { readonly json: unknown }): readonly string[] | undefined {
  return (answer.json as V1Pod).spec.ephemeralContainers?.map(({ name }) => name);
}

const adding = (...ephemeralContainers: unknown[]) => ({ spec: { ephemeralContainers } });

test('a container can be added by a patch as kubectl sends it, and then another one', async (t) => {
  await using api = await serveWeb();
  const first = await patch(api, adding(guest));
  t.is(first.code, 200);
  t.like(first.json, { kind: 'Pod', spec: { ephemeralContainers: [{ name: 'debugger-abcde' }] } });
  const order = {
    '$setElementOrder/ephemeralContainers': [{ name: guest.name }, { name: 'other' }],
  };
  const second = await patch(api, { spec: { ...order, ephemeralContainers: [other] } });
  t.deepEqual(guestsOf(second), ['debugger-abcde', 'other']);
  t.deepEqual(guestsOf(await api.call('GET', path)), ['debugger-abcde', 'other']);
  t.deepEqual(api.backend.calls, [
    'default/web has debugger-abcde',
    'default/web has debugger-abcde other',
  ]);
});

test('a JSON merge patch replaces the list, so it has to hold all of it', async (t) => {
  await using api = await serveWeb();
  t.is((await patch(api, adding(guest), merge)).code, 200);
  t.is((await patch(api, adding(other), merge)).code, 422);
  t.deepEqual(guestsOf(await patch(api, adding(guest, other), merge)), ['debugger-abcde', 'other']);
});

test('a whole pod can be put, of which nothing else is taken', async (t) => {
  await using api = await serveWeb();
  const pod = (await api.call('GET', path)).json as V1Pod;
  const [main] = pod.spec.containers;
  const spec = {
    ...pod.spec,
    containers: [{ ...main, image: 'evil' }],
    ephemeralContainers: [guest],
  };
  const { code, json } = await api.call('PUT', path, { body: JSON.stringify({ ...pod, spec }) });
  t.is(code, 200);
  t.like(json, { spec: { containers: [{ image: 'localhost/test:1' }] } });
  t.deepEqual(guestsOf({ json }), ['debugger-abcde']);
});

test('the client adds one as kubectl does', async (t) => {
  await using api = await serveWeb();
  const { signal } = new AbortController();
  const pod = await api.client.addEphemeralContainer('default', 'web', other, signal);
  t.deepEqual(guestsOf({ json: pod }), ['other']);
});

test('the log of one can be asked for', async (t) => {
  await using api = await serveWeb();
  await patch(api, adding(other));
  const log = '/api/v1/namespaces/default/pods/web/log?container=';
  t.like((await api.call('GET', `${log}other`)).json, { code: 404 });
  t.like((await api.call('GET', `${log}otter`)).json, {
    code: 400,
    message: 'container otter is not valid for pod web, choose one of: [main other]',
  });
});

const named = (metadata: object) => ({ metadata, ...adding(other) });
const refused: Readonly<
  Record<string, { body: unknown; headers?: typeof strategic; is: readonly [number, RegExp] }>
> = {
  'a fault in a container': {
    body: adding({ ...other, ports: [{ containerPort: 80 }] }),
    is: [422, /cannot be set for an Ephemeral Container/],
  },
  'a target that is not there': {
    body: adding({ ...other, targetContainerName: 'none' }),
    is: [422, /Not found: "none"/],
  },
  'a name that is taken': {
    body: adding({ ...other, name: 'main' }),
    is: [422, /Duplicate value: "main"/],
  },
  'another name': { body: named({ name: 'db' }), is: [400, /does not match the name on the URL/] },
  'another uid': { body: named({ uid: 'x' }), is: [409, /another one was given/] },
  'an old version': { body: named({ resourceVersion: '1' }), is: [409, /has been modified/] },
  'another kind': { body: { kind: 'Service' }, is: [400, /not a v1 Pod/] },
  'a list in the place of a pod': { body: [], is: [400, /not a v1 Pod/] },
  'an unknown directive': {
    body: { spec: { $patch: 'explode' } },
    is: [400, /directive \$patch/],
  },
  'a patch of another type': {
    body: [],
    headers: { 'content-type': 'application/json-patch+json' },
    is: [415, /type of the patch/],
  },
  'a patch whose type has the name of what all objects have': {
    body: adding(other),
    headers: { 'content-type': 'constructor' },
    is: [415, /type of the patch/],
  },
};

for (const [
  what,
  {
    body,
    headers,
    is: [code, message],
  },
] of Object.entries(refused)) {
  test(`refused: ${what}; and nothing is left of it`, async (t) => {
    await using api = await serveWeb();
    const { json } = await patch(api, body, headers);
    t.like(json, { kind: 'Status', status: 'Failure', code });
    t.regex((json as { message: string }).message, message);
    t.deepEqual(api.backend.calls, []);
    t.is(guestsOf(await api.call('GET', path)), undefined);
  });
}

test('a pod that is not there is not found', async (t) => {
  await using api = await serve();
  t.is((await patch(api, adding(other))).code, 404);
});
