import { mkdir, writeFile, appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import test from 'ava';
import { NotFoundError } from '../errors.ts';
import { serve } from '../testing/served.ts';
import type { Served } from '../testing/served.ts';
import { aShownPod, running, status, waiting } from '../testing/v1-pods.ts';
import type { ReadLog, ReadLogOptions } from './logs.ts';

const path = '/api/v1/namespaces/default/pods/web/log';

/** Tells which file would be read, and how. */
const naming: ReadLog = async function* (file, options: ReadLogOptions) {
  await Promise.resolve();
  const { followUntil, ...rest } = options;
  const shown = { ...rest, ...(followUntil && { follow: true }) };
  yield Buffer.from(`${file} ${JSON.stringify(shown)}`);
};

function withPod(api: Served, ...names: string[]): void {
  api.backend.put(aShownPod({ main: names.map((name) => status(name, running())) }), 'ADDED');
}

const finished = () => Promise.resolve();

test('the current log of the only container is the one that is meant', async (t) => {
  await using api = await serve({ readLog: naming });
  withPod(api, 'main');
  api.backend.logs.set('main', { directory: '/logs/web', current: 3, previous: 2, finished });
  t.is((await api.call('GET', path)).text, '/logs/web/main/3.log {"timestamps":false}');
  t.regex((await api.call('GET', `${path}?previous=true`)).text, /^\/logs\/web\/main\/2\.log /);
  t.regex(
    (await api.call('GET', `${path}?tailLines=0&limitBytes=9&timestamps=1&follow=true`)).text,
    /\{"tailLines":0,"timestamps":true,"limitBytes":9,"follow":true\}$/,
  );
});

test('lines are told from a time on, in whatever zone it is given', async (t) => {
  await using api = await serve({ readLog: naming });
  withPod(api, 'main');
  api.backend.logs.set('main', { directory: '/logs/web', current: 0, finished });
  for (const [time, ms] of [
    ['2026-01-02T03:04:05Z', Date.UTC(2026, 0, 2, 3, 4, 5)],
    ['2026-01-02T03:04:05.678901234%2B01:00', Date.UTC(2026, 0, 2, 2, 4, 5, 678)],
  ] as const) {
    const { text } = await api.call('GET', `${path}?sinceTime=${time}&stream=All`);
    t.is(text, `/logs/web/main/0.log {"sinceMs":${ms},"timestamps":false}`);
  }
});

const unfit: Record<string, readonly [query: string, code: number, message: RegExp]> = {
  'a time that is none': ['sinceTime=yesterday', 400, /^sinceTime=yesterday: must be a time/],
  'a time without a zone': ['sinceTime=2026-01-02T03:04:05', 400, /must be a time/],
  'a day that there is not': ['sinceTime=2026-13-02T03:04:05Z', 400, /must be a time/],
  'two beginnings': [
    'sinceTime=2026-01-02T03:04:05Z&sinceSeconds=5',
    422,
    /at most one of `sinceTime` or `sinceSeconds` may be specified/,
  ],
  'one stream of the two': ['stream=Stderr', 400, /^stream=Stderr: only All is supported/],
};

for (const [title, [query, expected, message]] of Object.entries(unfit)) {
  test(`${title}: refused, and not passed over`, async (t) => {
    await using api = await serve({ readLog: naming });
    withPod(api, 'main');
    api.backend.logs.set('main', { directory: '/logs/web', current: 0, finished });
    const { code, json } = await api.call('GET', `${path}?${query}`);
    t.is(code, expected);
    t.regex((json as { message: string }).message, message);
  });
}

const refusals: Record<string, [query: string, message: RegExp]> = {
  'several containers and no name': ['', /must be specified for pod web, choose one of: \[a b\]/],
  'a container that the pod does not have': ['?container=c', /container c is not valid/],
  'a path instead of a container': ['?container=..%2F..%2Fetc', /is not valid/],
  'a container that has not started': [
    '?container=b',
    /container "b" in pod "web" is waiting to start: ImagePullBackOff/,
  ],
  'a run before the first one': ['?container=a&previous=1', /previous terminated container "a"/],
};

for (const [title, [query, message]] of Object.entries(refusals)) {
  test(`${title}: refused with what kubectl says`, async (t) => {
    await using api = await serve({ readLog: naming });
    const main = [status('a', running()), status('b', waiting('ImagePullBackOff'))];
    api.backend.put(aShownPod({ main }), 'ADDED');
    api.backend.logs.set('a', { directory: '/logs/web', current: 0, finished });
    api.backend.logs.set('b', { directory: '/logs/web', finished });
    const { code, json } = await api.call('GET', `${path}${query}`);
    t.is(code, 400);
    t.regex((json as { message: string }).message, message);
  });
}

test('a log that cannot be read is an error, not an empty answer', async (t) => {
  const missing: ReadLog = async function* () {
    await Promise.resolve();
    throw new NotFoundError('there is no log');
  };
  await using api = await serve({ readLog: missing });
  withPod(api, 'main');
  api.backend.logs.set('main', { directory: '/logs/web', current: 0, finished });
  t.like((await api.call('GET', path)).json, { code: 404, message: 'there is no log' });
});

test('a followed log arrives while it is written', async (t) => {
  const { readLog } = await import('../host/logs.ts');
  const real: ReadLog = async function* (file, { followUntil }, signal) {
    const follow = followUntil && { finished: followUntil };
    for await (const { content } of readLog(file, { follow, signal })) {
      yield Buffer.concat([content, Buffer.from(';')]);
    }
  };
  await using api = await serve({ readLog: real });
  withPod(api, 'main');
  const end = Promise.withResolvers<undefined>();
  const file = join(api.directory, 'main', '0.log');
  await mkdir(join(api.directory, 'main'));
  await writeFile(file, '2026-01-01T00:00:00Z stdout F one\n');
  api.backend.logs.set('main', {
    directory: api.directory,
    current: 0,
    finished: () => end.promise.then(() => undefined),
  });
  const { signal } = new AbortController();
  const pieces = await api.client.readLog('default', 'web', { follow: true }, signal);
  await appendFile(file, '2026-01-01T00:00:01Z stdout F two\n');
  end.resolve(undefined);
  t.is(await readAll(pieces), 'one;two;');
});
