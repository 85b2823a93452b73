// What the body of a DELETE asks for besides.
import test from 'ava';
import { serve } from '../testing/served.ts';
import type { Served } from '../testing/served.ts';
import { aShownPod } from '../testing/v1-pods.ts';
import { aConfigMap } from '../testing/objects.ts';

const inNamespace = '/api/v1/namespaces/default';
const paths = { Pod: `${inNamespace}/pods/web`, ConfigMap: `${inNamespace}/configmaps/web` };

async function served(): Promise<Served> {
  const api = await serve({ before: [aShownPod()] });
  api.backend.objects.create(aConfigMap('web', {}));
  return api;
}

interface Met {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

for (const [kind, path] of Object.entries(paths)) {
  test(`a ${kind} in another state than the one that is meant is not deleted`, async (t) => {
    await using api = await served();
    const { uid, resourceVersion } = ((await api.call('GET', path)).json as Met).metadata;
    const remove = async (preconditions: object) => {
      const answer = await api.call('DELETE', path, { body: JSON.stringify({ preconditions }) });
      return { code: answer.code, ...(answer.json as { reason: string; message: string }) };
    };
    t.like(await remove({ uid, resourceVersion: '1' }), {
      code: 409,
      reason: 'Conflict',
      message:
        `Operation cannot be fulfilled on ${kind} "web": the ResourceVersion in the precondition (1) does not ` +
        `match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    });
    t.like(await remove({ uid: 'other' }), {
      code: 409,
      reason: 'Conflict',
      message:
        `Operation cannot be fulfilled on ${kind} "web": the UID in the precondition (other) does not match the ` +
        `UID in record (${uid}). The object might have been deleted and then recreated`,
    });
    t.like(await remove({ uid: 5 }), { code: 400, reason: 'BadRequest' });
    t.is((await api.call('GET', path)).code, 200);
    t.is((await remove({ uid, resourceVersion })).code, 200);
  });

  test(`a ${kind} is not deleted by a dry run that the body asks for`, async (t) => {
    await using api = await served();
    // As kubectl delete --dry-run=server sends it.
    const body = JSON.stringify({ propagationPolicy: 'Background', dryRun: ['All'] });
    const { code, json } = await api.call('DELETE', path, { body });
    t.is(code, 400);
    t.like(json, { message: 'dryRun is not supported' });
    t.is((await api.call('GET', path)).code, 200);
    t.deepEqual(api.backend.calls, []);
    t.is((await api.call('DELETE', path, { body: '{"dryRun":[]}' })).code, 200);
  });
}
