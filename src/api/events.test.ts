import test from 'ava';
import { serve } from '../testing/served.ts';
import type { Served } from '../testing/served.ts';
import { aShownPod } from '../testing/v1-pods.ts';

const base = '/api/v1/namespaces/default';

/** One event of each of two pods. */
async function withEvents(): Promise<Served> {
  const api = await serve();
  for (const name of ['web', 'db']) {
    api.backend.tell(api.backend.put(aShownPod({ name }), 'ADDED'), {
      reason: 'Started',
      message: 'Container started',
    });
  }
  return api;
}

const selections: Record<string, readonly string[]> = {
  'involvedObject.kind=Pod,involvedObject.apiVersion=v1,involvedObject.name=web': ['web'],
  'involvedObject.apiVersion=v2': [],
  'involvedObject.resourceVersion=': ['web', 'db'],
  'involvedObject.resourceVersion=7': [],
  'source=reprise': ['web', 'db'],
  'source=kubelet': [],
  'reportingComponent=reprise': ['web', 'db'],
  'reportingComponent!=reprise': [],
};

for (const [selector, expected] of Object.entries(selections)) {
  test(`${selector} selects the events of ${expected.join(' and ') || 'no pod'}`, async (t) => {
    await using api = await withEvents();
    const query = `fieldSelector=${encodeURIComponent(selector)}`;
    const { code, json } = await api.call('GET', `${base}/events?${query}`);
    t.is(code, 200);
    const { items } = json as { items: { involvedObject: { name: string } }[] };
    t.deepEqual(
      items.map(({ involvedObject }) => involvedObject.name),
      expected,
    );
  });
}

test('an event is found by its name, in its namespace', async (t) => {
  await using api = await withEvents();
  const [event] = api.backend.events({ name: 'db' });
  const name = event?.metadata.name ?? '';
  t.deepEqual((await api.call('GET', `${base}/events/${name}`)).json, event);
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const { json } = await api.call('GET', `${base}/events/${name}`, { headers });
  t.like(json, { kind: 'Table', rows: [{ object: { metadata: { name } } }] });
  for (const path of [`${base}/events/other`, `/api/v1/namespaces/team/events/${name}`]) {
    t.like((await api.call('GET', path)).json, { code: 404, reason: 'NotFound' }, path);
  }
});
