import test from 'ava';
import type { StatusResponse } from './generated/runtime/v1/StatusResponse.ts';
import { serve } from '../testing/containerd-server.ts';
import { criOver } from './cri.ts';
import { findFeatures } from './features.ts';

async function featuresIn(answer: StatusResponse) {
  await using server = await serve({
    runtime: { Status: (_call, callback) => callback(null, answer) },
  });
  return await findFeatures(criOver(server.containerd), new AbortController().signal);
}

test('a containerd that says nothing of features has none', async (t) => {
  t.deepEqual(await featuresIn({ status: { conditions: [] } }), {
    strictSupplementalGroups: false,
    handlers: {},
  });
});

test('features are told for the runtime and for each handler', async (t) => {
  const answer = {
    features: { supplementalGroupsPolicy: true },
    runtimeHandlers: [
      { name: '', features: { userNamespaces: true, recursiveReadOnlyMounts: true } },
      { name: 'gvisor', features: { recursiveReadOnlyMounts: true } },
      { name: 'old' },
    ],
  };
  t.deepEqual(await featuresIn(answer), {
    strictSupplementalGroups: true,
    handlers: {
      '': { userNamespaces: true, recursiveReadOnlyMounts: true },
      gvisor: { userNamespaces: false, recursiveReadOnlyMounts: true },
      old: { userNamespaces: false, recursiveReadOnlyMounts: false },
    },
  });
});

test('a containerd without features still tells which handlers it is configured with', async (t) => {
  const nothing = { userNamespaces: false, recursiveReadOnlyMounts: false };
  const config = { containerd: { defaultRuntimeName: 'runc', runtimes: { runc: {}, kata: null } } };
  const { handlers } = await featuresIn({ info: { config: JSON.stringify(config) } });
  t.deepEqual(handlers, { '': nothing, runc: nothing, kata: nothing });
});

test('what a handler says of itself counts, and a configuration of another shape says nothing', async (t) => {
  const runtimeHandlers = [{ name: 'runc', features: { userNamespaces: true } }];
  const config = JSON.stringify({ containerd: { runtimes: { runc: {} } } });
  const { handlers } = await featuresIn({ info: { config }, runtimeHandlers });
  t.true(handlers['runc']?.userNamespaces);
  t.deepEqual((await featuresIn({ info: { config: '{"containerd":[]}' } })).handlers, {});
});
