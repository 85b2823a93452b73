import test from 'ava';
import { serve } from '../testing/containerd-server.ts';
import { countDownloads } from './downloads.ts';
import type { Status } from './generated/containerd/services/content/v1/Status.ts';

const { signal } = new AbortController();

test('bytes of a pull add up over its blobs, and none is lost when one is complete', async (t) => {
  const looks: Status[][] = [
    [],
    [{ ref: 'layer-a', offset: '100', total: '1000' }],
    [
      { ref: 'layer-a', offset: '900', total: '1000' },
      { ref: 'layer-b', offset: '5', total: '6000000000' },
    ],
    [{ ref: 'layer-b', offset: '5000000000', total: '6000000000' }],
    [],
  ];
  await using server = await serve({
    content: {
      ListStatuses: (call, answer) => {
        t.deepEqual(call.metadata.get('containerd-namespace'), ['k8s.io']);
        answer(null, { statuses: looks.shift() ?? [] });
      },
    },
  });
  const downloads = countDownloads(server.containerd);
  const counts: number[] = [];
  while (looks.length > 0) counts.push(await downloads.bytes(signal));
  t.deepEqual(counts, [0, 100, 905, 5_000_001_000, 6_000_001_000]);
});

test('a blob without a size counts as far as it was seen', async (t) => {
  const looks: Status[][] = [[{ ref: 'layer-a', offset: '100' }], []];
  await using server = await serve({
    content: {
      ListStatuses: (_call, answer) => {
        answer(null, { statuses: looks.shift() ?? [] });
      },
    },
  });
  const downloads = countDownloads(server.containerd);
  t.is(await downloads.bytes(signal), 100);
  t.is(await downloads.bytes(signal), 100);
});
