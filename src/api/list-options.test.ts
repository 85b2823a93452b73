// What a list may be asked for besides a selection.
import test from 'ava';
import { serve } from '../testing/served.ts';
import { aShownPod } from '../testing/v1-pods.ts';

const pods = '/api/v1/namespaces/default/pods';

const refused: Record<string, readonly [query: string, code: number, message: RegExp]> = {
  'a version that is none': ['resourceVersion=abc', 400, /^resourceVersion=abc: must be a whole/],
  'a negative version': ['resourceVersion=-1', 400, /whole number/],
  'a limit that is none': ['limit=many', 400, /^limit=many: must be a whole number/],
  'a token that was never given': ['limit=1&continue=abc', 410, /continue token/],
  'a state that is over': ['resourceVersion=7&resourceVersionMatch=Exact', 410, /is too old/],
  'the exact state of no version': [
    'resourceVersionMatch=Exact',
    422,
    /resourceVersionMatch: Forbidden: .* unless resourceVersion is provided/,
  ],
  'the exact state of any version': [
    'resourceVersion=0&resourceVersionMatch=Exact',
    422,
    /"exact" is forbidden for resourceVersion "0"/,
  ],
  'a kind of match that there is not': [
    'resourceVersion=7&resourceVersionMatch=Newest',
    422,
    /Unsupported value: "Newest": supported values: "Exact", "NotOlderThan"/,
  ],
  'the events of a watch': ['sendInitialEvents=true', 422, /forbidden for list/],
};

for (const [title, [query, code, message]] of Object.entries(refused)) {
  test(`${title}: refused`, async (t) => {
    await using api = await serve({ before: [aShownPod()] });
    for (const path of [pods, '/api/v1/events', '/api/v1/configmaps', '/api/v1/devices']) {
      const answer = await api.call('GET', `${path}?${query}`);
      t.is(answer.code, code, path);
      t.regex((answer.json as { message: string }).message, message, path);
    }
  });
}

test('a list is answered as a whole, whatever its limit, and at its newest', async (t) => {
  await using api = await serve();
  for (const name of ['web', 'db']) api.backend.put(aShownPod({ name }), 'ADDED');
  const newest = '102';
  for (const query of [
    'limit=1',
    'limit=0&continue=',
    'resourceVersion=',
    'resourceVersion=0',
    'resourceVersion=1',
    'resourceVersion=1&resourceVersionMatch=NotOlderThan',
    `resourceVersion=${newest}&resourceVersionMatch=Exact`,
  ]) {
    const { json } = await api.call('GET', `${pods}?${query}`);
    const { metadata, items } = json as { metadata: object; items: readonly object[] };
    t.is(items.length, 2, query);
    t.deepEqual(metadata, { resourceVersion: newest }, 'without a token to continue with');
  }
});

test('a watch takes no version for any, and none that is no number', async (t) => {
  await using api = await serve({ before: [aShownPod()] });
  const watch = `${pods}?watch=true&timeoutSeconds=1`;
  t.regex((await api.call('GET', `${watch}&resourceVersion=`)).text, /^\{"type":"ADDED"/);
  t.is((await api.call('GET', `${watch}&resourceVersion=abc`)).code, 400);
});
