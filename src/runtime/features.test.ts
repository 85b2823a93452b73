import test from 'ava';
import type { StatusResponse } from './generated/runtime/v1/StatusResponse.ts';
import { serve } from '../testing/containerd-server.ts';
import { criOver } from './cri.ts';
import { findFeatures } from './features.ts';

async function featuresIn(answer: StatusResponse) {
  await using server = await serve({
    runtime: { Status: (_call, callback) => callback(null, answer) },
  });
  return await findFeatures(criOver(server.containerd), AbortSignal.timeout(10_000));
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
