import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { createLogger } from '../log.ts';
import { MemoryBackend } from '../testing/memory-backend.ts';
import { serve } from '../testing/served.ts';
import type { Served } from '../testing/served.ts';
import { aShownPod } from '../testing/v1-pods.ts';
import { maxBodyBytes } from './call.ts';
import { serveApi } from './server.ts';
import { maxUnreadBytes } from './watch.ts';

const manifest = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: { containers: [{ name: 'main', image: 'localhost/test:1' }] },
  });

const pods = '/api/v1/namespaces/default/pods';

async function withPods(api: Served, ...names: string[]): Promise<void> {
  for (const name of names) await api.call('POST', pods, { body: manifest(name) });
}

test('a pod can be created, listed, read and deleted', async (t) => {
  await using api = await serve();
  const created = await api.call('POST', pods, { body: manifest('web') });
  t.is(created.code, 201);
  t.like(created.json, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } });
  t.like((await api.call('GET', '/api/v1/pods')).json, {
    kind: 'PodList',
    apiVersion: 'v1',
    items: [{ metadata: { name: 'web', namespace: 'default' } }],
  });
  t.like((await api.call('GET', `${pods}/web`)).json, { metadata: { name: 'web' } });
  const deleted = await api.call('DELETE', `${pods}/web`, {
    body: JSON.stringify({ gracePeriodSeconds: 3 }),
  });
  t.is(deleted.code, 200);
  t.like(deleted.json, { metadata: { deletionTimestamp: '2026-01-01T00:01:00Z' } });
  t.deepEqual(api.backend.calls, ['delete default/web {"graceSeconds":3,"force":false}']);
});

test('a grace period has bounds, wherever it is given', async (t) => {
  await using api = await serve();
  await withPods(api, 'web');
  for (const grace of ['1.5', '2147483648', '9007199254740991', '1e3', 'soon']) {
    for (const [path, body] of [
      [`${pods}/web?gracePeriodSeconds=${grace}`, ''],
      [`${pods}/web`, `{"gracePeriodSeconds":${grace === 'soon' ? '"soon"' : grace}}`],
    ] as const) {
      // 1e3 is a whole number in JSON.
      if (grace === '1e3' && body !== '') continue;
      const { code, json } = await api.call('DELETE', path, { body });
      t.is(code, 400, `${path} ${body}`);
      t.regex(JSON.stringify(json), /must be a whole number of at most 2147483647/);
    }
  }
  t.deepEqual(api.backend.calls, []);
  await api.call('DELETE', `${pods}/web?gracePeriodSeconds=2147483647`);
  t.deepEqual(api.backend.calls, ['delete default/web {"graceSeconds":2147483647,"force":false}']);
});

test('a negative grace period counts as one second, wherever it is given', async (t) => {
  await using api = await serve();
  for (const [query, body] of [
    ['?gracePeriodSeconds=-1', ''],
    ['?gracePeriodSeconds=-9007199254740993', ''],
    ['', '{"gracePeriodSeconds":-1}'],
  ] as const) {
    await withPods(api, 'web');
    t.is((await api.call('DELETE', `${pods}/web${query}`, { body })).code, 200, query + body);
    t.is(api.backend.calls.pop(), 'delete default/web {"graceSeconds":1,"force":false}');
    api.backend.remove('default', 'web');
  }
});

test('YAML is taken as well as JSON, and a namespace comes from the path', async (t) => {
  await using api = await serve();
  const body = `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: main, image: "localhost/test:1"}]}
`;
  await api.call('POST', '/api/v1/namespaces/lab/pods', { body });
  t.like((await api.call('GET', '/api/v1/namespaces/lab/pods')).json, {
    items: [{ metadata: { namespace: 'lab' } }],
  });
  t.like((await api.call('GET', pods)).json, { items: [] });
});

test('selectors narrow a list', async (t) => {
  await using api = await serve();
  await withPods(api, 'web', 'db');
  for (const query of [
    'fieldSelector=metadata.name%3Ddb',
    'labelSelector=app%3Ddb',
    'labelSelector=app+in+(db,x)',
  ]) {
    const { json } = await api.call('GET', `${pods}?${query}`);
    t.deepEqual(namesIn(json), ['db'], query);
  }
});

test('a restart names who asked for it', async (t) => {
  await using api = await serve();
  await withPods(api, 'web');
  const { code, json } = await api.call('POST', `${pods}/web/restart?by=user%20ann`);
  t.is(code, 200);
  t.like(json, { metadata: { annotations: { 'reprise.dev/generation': '1' } } });
  t.deepEqual(api.backend.calls, ['restart default/web by user ann']);
});

const failures: Record<string, [method: string, path: string, body: string, expected: object]> = {
  'a pod that is not there': ['GET', `${pods}/no`, '', { code: 404, reason: 'NotFound' }],
  'deleting a pod that is not there': ['DELETE', `${pods}/no`, '', { code: 404 }],
  'a pod that is already there': [
    'POST',
    pods,
    manifest('web'),
    { code: 409, reason: 'AlreadyExists' },
  ],
  'a path that leads nowhere': ['GET', '/api/v1/nodes', '', { code: 404, reason: 'NotFound' }],
  'a path that cannot be decoded': ['GET', `${pods}/%zz`, '', { code: 404 }],
  'a method that the path does not have': [
    'PUT',
    `${pods}/web`,
    manifest('web'),
    { code: 405, reason: 'MethodNotAllowed' },
  ],
  'a manifest that is no YAML': ['POST', pods, '{', { code: 422, reason: 'Invalid' }],
  'a selector that is not understood': [
    'GET',
    `${pods}?labelSelector=a%20in%20b`,
    '',
    { code: 400, reason: 'BadRequest' },
  ],
  'a number that is none': ['GET', `${pods}/web/log?tailLines=x`, '', { code: 400 }],
  'a body of a deletion that is no JSON': ['DELETE', `${pods}/web`, '{', { code: 400 }],
  'a deletion of another incarnation': [
    'DELETE',
    `${pods}/web`,
    '{"preconditions":{"uid":"other"}}',
    { code: 409, reason: 'Conflict' },
  ],
  'a dry run, which would not be dry': ['POST', `${pods}?dryRun=All`, manifest('x'), { code: 400 }],
  'a watch from too long ago': [
    'GET',
    `${pods}?watch=true&resourceVersion=1`,
    '',
    { code: 410, reason: 'Expired' },
  ],
};

for (const [title, [method, path, body, expected]] of Object.entries(failures)) {
  test(`${title} is answered with a v1 Status`, async (t) => {
    await using api = await serve({ before: [aShownPod()] });
    const { code, json } = await api.call(method, path, { body });
    t.like(json, { apiVersion: 'v1', kind: 'Status', status: 'Failure', ...expected });
    t.is(code, (json as { code: number }).code);
    t.deepEqual(api.backend.calls, []);
  });
}

test('every fault of a manifest is a cause with its field', async (t) => {
  await using api = await serve();
  const body = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'WEB' },
    spec: { containers: [{ name: 'main' }] },
  });
  const { json } = await api.call('POST', pods, { body });
  const { details } = json as { details: { causes: { field: string; reason: string }[] } };
  t.deepEqual(details.causes.map(({ field, reason }) => `${field} ${reason}`).toSorted(), [
    'metadata.name FieldValueInvalid',
    'spec.containers[0].image FieldValueRequired',
  ]);
});

test('a defect of the agent is an InternalError and does not end it', async (t) => {
  await using api = await serve();
  api.backend.get = () => {
    throw new TypeError('undefined is not a pod');
  };
  const { json } = await api.call('GET', `${pods}/web`);
  t.like(json, { code: 500, reason: 'InternalError', message: 'undefined is not a pod' });
  t.is((await api.call('GET', '/healthz')).text, 'ok');
});

test('a body that is not UTF-8 is refused, and not changed', async (t) => {
  await using api = await serve();
  const body = Buffer.from(manifest('web').replace('{', '{ # caf\u00e9\n'), 'latin1');
  const { json } = await api.call('POST', pods, { body });
  t.like(json, { code: 422, reason: 'Invalid', message: 'the text is not UTF-8' });
});

test('a body that is too large is refused, and not kept', async (t) => {
  await using api = await serve();
  const { json } = await api.call('POST', pods, { body: Buffer.alloc(maxBodyBytes + 1, 0x20) });
  t.like(json, { code: 413, reason: 'RequestEntityTooLarge' });
});

test('kubectl gets a Table when it asks for one', async (t) => {
  await using api = await serve();
  await withPods(api, 'web');
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  for (const path of [pods, `${pods}/web`, `${pods}?watch=true&timeoutSeconds=1`]) {
    const { json } = await api.call('GET', path, { headers: { accept } });
    const table = path.includes('watch') ? (json as { object: object }).object : json;
    t.like(table, { kind: 'Table', rows: [{ cells: ['web', '0/1'] }] }, path);
  }
});

const rowParts: Record<string, object | undefined> = {
  '': { kind: 'PartialObjectMetadata', metadata: { name: 'web' } },
  'includeObject=': { kind: 'PartialObjectMetadata' },
  'includeObject=Metadata': { kind: 'PartialObjectMetadata' },
  'includeObject=Object': { kind: 'Pod', spec: { nodeName: 'test-node' } },
  'includeObject=None': undefined,
};

for (const [query, expected] of Object.entries(rowParts)) {
  test(`a Table with "${query}" carries ${expected ? JSON.stringify(expected) : 'no objects'}`, async (t) => {
    await using api = await serve({ before: [aShownPod()] });
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
    for (const path of [`${pods}?`, `${pods}/web?`, `${pods}?watch=true&timeoutSeconds=1&`]) {
      const { json } = await api.call('GET', path + query, { headers });
      const table = path.includes('watch') ? (json as { object: object }).object : json;
      const [row] = (table as { rows: { object?: object }[] }).rows;
      if (expected) t.like(row?.object, expected, path);
      else t.is(row?.object, undefined, path);
    }
  });
}

test('a Table with a part of the objects that there is not is refused', async (t) => {
  await using api = await serve({ before: [aShownPod()] });
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  for (const path of [pods, `${pods}/web`, `${pods}?watch=true`, '/api/v1/configmaps']) {
    const query = `${path.includes('?') ? '&' : '?'}includeObject=Spec`;
    const { code, json } = await api.call('GET', path + query, { headers: { accept } });
    t.is(code, 400, path);
    t.regex(
      (json as { message: string }).message,
      /includeObject: Unsupported value: "Spec": supported values: "Metadata", "None", "Object"$/,
    );
  }
  t.is((await api.call('GET', `${pods}?includeObject=Spec`)).code, 200, 'no Table is asked for');
});

test('discovery tells what there is', async (t) => {
  await using api = await serve();
  t.like((await api.call('GET', '/api')).json, { kind: 'APIVersions', versions: ['v1'] });
  t.like((await api.call('GET', '/version')).json, { gitVersion: 'v1.36.0-reprise.1.2.3' });
  const { json } = await api.call('GET', '/api/v1');
  t.like(json, { kind: 'APIResourceList', groupVersion: 'v1' });
  t.true((json as { resources: { name: string }[] }).resources.some(({ name }) => name === 'pods'));
});

test('a watch starts with what is there and misses no transition', async (t) => {
  await using api = await serve();
  const web = api.backend.put(aShownPod(), 'ADDED');
  const stop = new AbortController();
  const events = await api.client.watchPods({ namespace: 'default' }, stop.signal);
  for (const phase of ['Pending', 'Running', 'Pending', 'Succeeded'] as const) {
    api.backend.setStatus(web, { phase });
  }
  api.backend.remove('default', 'web');
  const seen: string[] = [];
  for await (const { type, object } of events) {
    seen.push(`${type} ${object.status.phase}`);
    if (type === 'DELETED') break;
  }
  stop.abort();
  t.deepEqual(seen, [
    'ADDED Running',
    'MODIFIED Pending',
    'MODIFIED Running',
    'MODIFIED Pending',
    'MODIFIED Succeeded',
    'DELETED Succeeded',
  ]);
});

test('who listed first can watch from there without a gap', async (t) => {
  await using api = await serve();
  await withPods(api, 'web');
  const { json } = await api.call('GET', pods);
  const { metadata } = json as { metadata: { resourceVersion: string } };
  await withPods(api, 'db');
  const query = `watch=1&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`;
  const { text } = await api.call('GET', `${pods}?${query}`);
  t.deepEqual(
    linesIn(text).map(({ type, object }) => `${type} ${object.metadata.name}`),
    ['ADDED db'],
  );
});

test('a pod enters and leaves what a watcher selected', async (t) => {
  await using api = await serve();
  const web = api.backend.put(aShownPod({ status: { phase: 'Pending' } }), 'ADDED');
  const response = await startWatch(api, 'watch=true&fieldSelector=status.phase%3DRunning');
  for (const phase of ['Running', 'Running', 'Failed', 'Pending', 'Running'] as const) {
    api.backend.setStatus(web, { phase });
  }
  const types: string[] = [];
  for await (const line of createInterface({ input: response })) {
    types.push((JSON.parse(line) as Line).type);
    if (types.length === 4) break;
  }
  response.destroy();
  t.deepEqual(types, ['ADDED', 'MODIFIED', 'DELETED', 'ADDED']);
});

test('a watch may be asked for longer than any timer takes', async (t) => {
  await using api = await serve();
  const response = await startWatch(api, 'watch=true&timeoutSeconds=2147483647');
  // It would be over by then if its timer were.
  await delay(50);
  api.backend.put(aShownPod(), 'ADDED');
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  t.is((JSON.parse((await lines.next()).value as string) as Line).type, 'ADDED');
  response.destroy();
});

test('a watcher that does not read is cut off, and the others go on', async (t) => {
  await using api = await serve();
  const web = api.backend.put(aShownPod(), 'ADDED');
  const response = await startWatch(api, 'watch=1');
  response.pause();
  const message = 'x'.repeat(64 * 1024);
  // Enough for the limit and for what the kernel holds; each turn lets the feed hand one on.
  for (let i = 0; i < (3 * maxUnreadBytes) / message.length; i += 1) {
    api.backend.setStatus(web, { message: `${i} ${message}` });
    await delay(0);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const last = linesIn(Buffer.concat(chunks).toString()).at(-1);
  t.like(last, { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
  t.is((await api.call('GET', `${pods}/web`)).code, 200);
});

test('events can be listed and watched by pod', async (t) => {
  await using api = await serve();
  const web = api.backend.put(aShownPod({ name: 'web' }), 'ADDED');
  const db = api.backend.put(aShownPod({ name: 'db' }), 'ADDED');
  api.backend.tell(web, { reason: 'Started', message: 'Container started' });
  api.backend.tell(db, { reason: 'Started', message: 'Container started' });
  const { signal } = new AbortController();
  const query = { namespace: 'default', name: 'web' };
  t.is((await api.client.listEvents(query, signal)).length, 1);
  const events = await api.client.watchEvents(query, signal);
  api.backend.tell(web, { reason: 'Killing', message: 'Stopping container main' });
  const seen: string[] = [];
  for await (const { object } of events) {
    seen.push(object.reason);
    if (seen.length === 2) break;
  }
  t.deepEqual(seen, ['Started', 'Killing']);
});

test('stopping the server ends watches and removes the socket', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-api-'));
  const api = await serve();
  const events = await api.client.watchPods({}, new AbortController().signal);
  const ended = (async () => {
    for await (const event of events) t.fail(JSON.stringify(event));
  })();
  await api[Symbol.asyncDispose]();
  await ended.catch((error: unknown) => t.true(error instanceof Error));
  t.throws(() => statSync(api.socket), { code: 'ENOENT' });
  rmSync(directory, { recursive: true });
});

const options = (socket: string) => ({
  socket,
  version: '1.2.3',
  readLog: async function* () {
    // No logs here.
  },
  log: createLogger({ level: 'silent' }),
});

test('only the owner may use the socket, and its new folder', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-api-'));
  const socket = join(directory, 'new', 'api.sock');
  {
    await using stack = new AsyncDisposableStack();
    stack.use(await serveApi(new MemoryBackend(), options(socket)));
    t.is(statSync(socket).mode & 0o777, 0o600);
    t.is(statSync(join(directory, 'new')).mode & 0o777, 0o700);
  }
  rmSync(directory, { recursive: true });
});

test('a socket that somebody listens on is left alone', async (t) => {
  await using api = await serve();
  await t.throwsAsync(serveApi(new MemoryBackend(), options(api.socket)), {
    message: 'another agent is listening',
  });
  t.is((await api.call('GET', '/healthz')).code, 200);
});

test('a socket that a dead agent left behind is replaced', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-api-'));
  const [socket, other] = [join(directory, 'api.sock'), join(directory, 'other.sock')];
  // Bound and then given up without its file being removed, as by kill -9.
  const dead = createServer().listen(other);
  await once(dead, 'listening');
  await import('node:fs/promises').then((fs) => fs.link(other, socket));
  dead.close();
  await once(dead, 'close');
  {
    await using stack = new AsyncDisposableStack();
    stack.use(await serveApi(new MemoryBackend(), options(socket)));
    t.is(statSync(socket).mode & 0o777, 0o600);
  }
  rmSync(directory, { recursive: true });
});

test('a file that is no socket is not removed', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-api-'));
  const path = join(directory, 'precious');
  writeFileSync(path, 'data');
  chmodSync(path, 0o644);
  await t.throwsAsync(serveApi(new MemoryBackend(), options(path)), {
    message: 'there is something that is not a socket',
  });
  t.true(statSync(path).isFile());
  rmSync(directory, { recursive: true });
});

test('a path that is too long for a socket is refused in words', async (t) => {
  const path = `/tmp/${'long/'.repeat(30)}api.sock`;
  await t.throwsAsync(serveApi(new MemoryBackend(), options(path)), { message: /107 bytes/ });
});

/** The answer to a watch, once it has begun: it will tell whatever happens from here on. */
async function startWatch(api: Served, query: string): Promise<IncomingMessage> {
  const path = `${pods}?${query}`;
  const request = httpRequest({ socketPath: api.socket, path, agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

function namesIn(list: unknown): readonly string[] {
  return (list as { items: { metadata: { name: string } }[] }).items.map(
    ({ metadata }) => metadata.name,
  );
}

interface Line {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name: string } };
}

function linesIn(text: string): readonly Line[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
