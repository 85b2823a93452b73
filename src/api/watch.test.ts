// What a watch tells of objects that enter and leave its selection, and how it begins and ends.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { V1Pod } from '../pod/pod-status.ts';
import { serve } from '../testing/served.ts';
import type { Served } from '../testing/served.ts';
import { aShownPod } from '../testing/v1-pods.ts';
import { Feed } from './feed.ts';
import { maxUnreadBytes, sendWatch } from './watch.ts';

const pods = '/api/v1/namespaces/default/pods';
const running = 'fieldSelector=status.phase%3DRunning';

interface Line {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly metadata: {
      readonly name: string;
      readonly resourceVersion: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly status: { readonly phase: string };
  };
}

/** What a watch tells from its beginning on; what it `sees` happens once it has begun. */
async function watched(
  api: Served,
  query: string,
  sees: () => unknown = () => undefined,
): Promise<readonly Line[]> {
  const response = await startWatch(api, query);
  sees();
  api.backend.put(aShownPod({ name: 'end' }), 'ADDED');
  const told: Line[] = [];
  for await (const text of createInterface({ input: response })) {
    const line = JSON.parse(text) as Line;
    if (line.object.metadata.name === 'end') break;
    told.push(line);
  }
  response.destroy();
  return told;
}

async function startWatch({ socket }: Served, query: string): Promise<IncomingMessage> {
  const path = `${pods}?watch=true&${query}`;
  const request = httpRequest({ socketPath: socket, path, agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

async function versionOfList(api: Served): Promise<string> {
  const { json } = await api.call('GET', pods);
  return (json as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

const inWords = (lines: readonly Line[]): readonly string[] =>
  lines.map(({ type, object }) => `${type} ${object.metadata.name} ${object.status.phase}`);

test('who watches from a list hears of each pod that enters or leaves the selection', async (t) => {
  await using api = await serve({
    before: [
      aShownPod({ name: 'old' }),
      aShownPod({ name: 'finished', status: { phase: 'Succeeded' } }),
    ],
  });
  const web = api.backend.put(aShownPod({ name: 'web' }), 'ADDED');
  const db = api.backend.put(aShownPod({ name: 'db', status: { phase: 'Pending' } }), 'ADDED');
  const since = await versionOfList(api);
  api.backend.setStatus(aShownPod({ name: 'old' }), { phase: 'Succeeded' });
  api.backend.setStatus(web, { phase: 'Failed' });
  api.backend.setStatus(web, { message: 'still failed' });
  api.backend.setStatus(db, { phase: 'Running' });
  api.backend.setStatus(db, { message: 'still running' });
  for (const name of ['old', 'web', 'db', 'finished']) api.backend.remove('default', name);
  const lines = await watched(api, `${running}&resourceVersion=${since}`);
  t.deepEqual(inWords(lines), [
    // As it was when it was last selected, as Kubernetes' watch cache tells it.
    'DELETED old Running',
    'DELETED web Running',
    'ADDED db Running',
    'MODIFIED db Running',
    'DELETED db Running',
  ]);
  const versions = lines.map(({ object }) => Number(object.metadata.resourceVersion));
  t.deepEqual(
    versions,
    versions.toSorted((a, b) => a - b),
  );
});

test('who watches from an earlier life of the agent has to list again', async (t) => {
  await using api = await serve();
  for (const path of [pods, '/api/v1/events']) {
    const query = 'watch=true&timeoutSeconds=1&resourceVersion=99';
    t.is((await api.call('GET', `${path}?${query}`)).code, 410, path);
    const { json } = await api.call('GET', path);
    t.like(json, { metadata: { resourceVersion: '100' } }, 'an empty list has a version, too');
  }
});

test('a streamed list begins with what is there and tells where it ends', async (t) => {
  await using api = await serve({
    before: [aShownPod({ name: 'web' }), aShownPod({ name: 'db', status: { phase: 'Pending' } })],
  });
  const asked = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const [first, bookmark, later] = await watched(
    api,
    `${running}&${asked}&resourceVersion=101`,
    () => api.backend.setStatus(aShownPod({ name: 'db' }), { phase: 'Running' }),
  );
  t.like(first, { type: 'ADDED', object: { metadata: { name: 'web' } } });
  t.deepEqual<unknown, unknown>(bookmark, {
    type: 'BOOKMARK',
    object: {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { resourceVersion: '102', annotations: { 'k8s.io/initial-events-end': 'true' } },
    },
  });
  t.like(later, { type: 'ADDED', object: { metadata: { name: 'db' } } });
});

const beginnings: Record<string, readonly [query: string, types: readonly string[]]> = {
  'with what is there, if nothing is said': ['', ['ADDED']],
  'with what is there, without a bookmark if none is wanted': [
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
    ['ADDED'],
  ],
  'with what happens, if what is there is not wanted': [
    'sendInitialEvents=false&resourceVersionMatch=NotOlderThan',
    [],
  ],
};

for (const [title, [query, types]] of Object.entries(beginnings)) {
  test(`a watch begins ${title}`, async (t) => {
    await using api = await serve({ before: [aShownPod()] });
    const lines = await watched(api, query);
    t.deepEqual(
      lines.map(({ type }) => type),
      types,
    );
  });
}

const refused: Record<string, readonly [query: string, message: RegExp]> = {
  'a streamed list of any age': [
    'sendInitialEvents=true',
    /resourceVersionMatch: Forbidden: sendInitialEvents requires .* NotOlderThan/,
  ],
  'a match without a streamed list': [
    'resourceVersion=101&resourceVersionMatch=NotOlderThan',
    /resourceVersionMatch: Forbidden: .* unless sendInitialEvents is provided/,
  ],
};

for (const [title, [query, message]] of Object.entries(refused)) {
  test(`a watch refuses ${title}`, async (t) => {
    await using api = await serve({ before: [aShownPod()] });
    const { json } = await api.call('GET', `${pods}?watch=true&timeoutSeconds=1&${query}`);
    t.like(json, { code: 422, reason: 'Invalid' });
    t.regex((json as { message: string }).message, message);
  });
}

test('a watch of no seconds has no limit', async (t) => {
  await using api = await serve();
  const response = await startWatch(api, 'timeoutSeconds=0');
  t.is(response.statusCode, 200);
  // It would be over by then if no seconds were meant.
  await delay(50);
  api.backend.put(aShownPod(), 'ADDED');
  const [first] = (await once(response, 'data')) as [Buffer];
  t.regex(first.toString(), /^\{"type":"ADDED"/);
  response.destroy();
});

test('a list that is longer than what may be unread is streamed to whoever reads it', async (t) => {
  const message = 'x'.repeat(maxUnreadBytes / 4);
  const names = Array.from({ length: 12 }, (_, index) => `web-${index}`);
  await using api = await serve({
    before: names.map((name) => aShownPod({ name, status: { message } })),
  });
  const lines = await watched(api, 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan');
  t.deepEqual(
    lines.map(({ type, object }) => `${type} ${object.metadata.name}`).toSorted(),
    names.map((name) => `ADDED ${name}`).toSorted(),
  );
});

test('a watcher that never reads again loses its connection', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'reprise-watch-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const message = 'x'.repeat(2 * maxUnreadBytes);
  const list = [aShownPod({ status: { message } })];
  const answers: ServerResponse[] = [];
  const server = createServer((request, response) => {
    answers.push(response);
    const { signal } = new AbortController();
    const call = { request, response, params: {}, query: new URLSearchParams(), signal };
    const watch = {
      kind: 'Pod',
      feed: new Feed<V1Pod>(1),
      list,
      matches: () => true,
      show: (pod: V1Pod) => pod,
    };
    void sendWatch(call, { ...watch, takesWithinMs: 50 });
  });
  const path = join(directory, 'api.sock');
  server.listen(path);
  t.teardown(() => server.close());
  const deaf = connect(path);
  t.teardown(() => deaf.destroy());
  deaf.pause();
  deaf.write('GET / HTTP/1.1\r\nhost: reprise\r\n\r\n');
  await once(server, 'request');
  const [answer] = answers;
  if (answer === undefined) throw new Error('there is no answer');
  await once(answer, 'close', { signal: AbortSignal.timeout(60_000) });
  t.false(answer.writableFinished);
});
