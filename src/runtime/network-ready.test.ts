import test from 'ava';
import { serve } from '../testing/containerd-server.ts';
import { criOver } from './cri.ts';
import { NetworkNotReadyError, assertNetworkReady } from './network-ready.ts';

type Conditions = { type: string; status: boolean; reason?: string; message?: string }[];

async function check(conditions: Conditions): Promise<void> {
  await using server = await serve({
    runtime: {
      Status: (_call, answer) => {
        answer(null, { status: { conditions } });
      },
    },
  });
  await assertNetworkReady(criOver(server.containerd), AbortSignal.timeout(60_000));
}

test('with a network there is nothing to say', async (t) => {
  await t.notThrowsAsync(check([{ type: 'NetworkReady', status: true }]));
  await t.notThrowsAsync(check([{ type: 'RuntimeReady', status: false }]));
});

test('without one it is told in the words of the runtime', async (t) => {
  const message = 'Network plugin returns error: cni plugin not initialized';
  const missing = { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message };
  await t.throwsAsync(check([{ type: 'RuntimeReady', status: true }, missing]), {
    instanceOf: NetworkNotReadyError,
    message: `network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${message}`,
  });
});
