import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../errors.ts';
import { serve } from '../testing/served.ts';
import { aShownPod } from '../testing/v1-pods.ts';
import { AgentUnreachable, ApiFailure, connectAgent } from './client.ts';

const manifest = `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: main, image: "localhost/test:1"}]}
`;

const { signal } = new AbortController();

test('errors come back as the ones that were thrown, with the way out', async (t) => {
  await using api = await serve();
  const { client } = api;
  await t.throwsAsync(client.getPod('default', 'web', signal), { instanceOf: NotFoundError });
  await client.createPod('default', manifest, signal);
  const again = await t.throwsAsync(client.createPod('default', manifest, signal), {
    instanceOf: AlreadyExistsError,
  });
  t.is(again.next, 'choose another name');
  api.backend.put(aShownPod({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }));
  await t.throwsAsync(client.restartPod('default', 'web', 'me', signal), {
    instanceOf: ConflictError,
  });
  const invalid = await t.throwsAsync(client.createPod('default', 'kind: Pod', signal), {
    instanceOf: ApiFailure,
  });
  t.is(invalid.reason, 'Invalid');
  const faulty = manifest.replace('localhost/test:1', '');
  const { where, next = '' } = await t.throwsAsync(client.createPod('default', faulty, signal), {
    instanceOf: ApiFailure,
  });
  t.is(where, 'request body:5, spec.containers[0].image of container "main"');
  t.regex(next, /./);
});

test('names of any shape reach the agent as they are', async (t) => {
  await using api = await serve();
  const error = await t.throwsAsync(api.client.getPod('a/b', '../c?d#e', signal));
  t.is(error.message, 'pods "../c?d#e" not found');
});

test('no agent: says so and how to start one', async (t) => {
  const error = await t.throwsAsync(connectAgent('/nonexistent/api.sock').listPods({}, signal), {
    instanceOf: AgentUnreachable,
  });
  t.is(error.kind, 'absent');
  t.is(error.where, '/nonexistent/api.sock');
  t.regex(error.next ?? '', /sudo reprise agent/);
});

test('an agent that dies in the middle of a watch is an error, not an end', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-client-'));
  const path = join(directory, 'api.sock');
  const dying = createServer((socket: Socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"typ\r\n');
      setImmediate(() => socket.destroy());
    });
  }).listen(path);
  await once(dying, 'listening');
  chmodSync(path, 0o600);
  const events = await connectAgent(path).watchPods({}, signal);
  const error = await t.throwsAsync(
    async () => {
      for await (const event of events) t.fail(JSON.stringify(event));
    },
    { instanceOf: AgentUnreachable },
  );
  t.is(error.kind, 'broken');
  dying.close();
  rmSync(directory, { recursive: true });
});

test('hanging up ends a watch without an error', async (t) => {
  await using api = await serve();
  api.backend.put(aShownPod(), 'ADDED');
  const stop = new AbortController();
  let seen = 0;
  for await (const { type } of await api.client.watchPods({}, stop.signal)) {
    t.is(type, 'ADDED');
    seen += 1;
    stop.abort();
  }
  t.is(seen, 1);
});
