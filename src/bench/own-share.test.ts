import test from 'ava';
import type { RestartRecord } from '../pod/memory.ts';
import { ownShareOf } from './own-share.ts';
import type { OwnShare } from './own-share.ts';

type Containers = RestartRecord['containers'];

function share(containers: Containers): OwnShare | undefined {
  const trigger = {
    kind: 'exit',
    container: 'watcher',
    exitCode: 88,
    ruleIndex: 0,
    exitedAt: 1000,
    seenAt: 1001,
  } as const;
  return ownShareOf({
    generation: 1,
    trigger,
    recordedAt: 1001,
    killedAt: 1003,
    deadAt: 1005,
    startingAt: 1005,
    completedAt: 1150,
    containers,
  });
}

for (const [what, containers, ms] of [
  ['before the first start', [{ name: 'a', startAskedAt: 1006, startedAt: 1046 }], 6],
  [
    'between an exit and the next start',
    [
      { name: 'init', startAskedAt: 1006, startedAt: 1046, finishedAt: 1050 },
      { name: 'a', startAskedAt: 1052, startedAt: 1090 },
    ],
    8,
  ],
  [
    'what is created on the way is not ours, what was created ahead takes no time',
    [
      { name: 'a', createAskedAt: 100, createdAt: 200, startAskedAt: 1006, startedAt: 1046 },
      { name: 'b', createAskedAt: 1004, createdAt: 1020, startAskedAt: 1050, startedAt: 1070 },
      { name: 'c', createAskedAt: 1072, createdAt: 1100, startAskedAt: 1103, startedAt: 1150 },
    ],
    // Before b's creation 4, before b's start 4, before c's creation 2, before its start 3.
    13,
  ],
  [
    'what is started side by side counts once',
    [
      { name: 'a', startAskedAt: 1006, startedAt: 1046 },
      { name: 'b', startAskedAt: 1007, startedAt: 1090 },
      { name: 'c', startAskedAt: 1010, startedAt: 1020 },
    ],
    6,
  ],
  [
    'an init container that ends after the rest has started covers no more than that',
    [
      { name: 'a', startAskedAt: 1006, startedAt: 1046, finishedAt: 5000 },
      { name: 'b', startAskedAt: 1050, startedAt: 1090 },
    ],
    6,
  ],
  ['nothing has started', [{ name: 'a' }], 0],
] as const satisfies readonly (readonly [string, Containers, number])[]) {
  test(`our own share: ${what}`, (t) => {
    t.is(share(containers)?.allMs, ms);
  });
}

test('of our own share, the way of the news and the death of the killed are told apart', (t) => {
  t.deepEqual(
    share([
      { name: 'init', startAskedAt: 1006, startedAt: 1046, finishedAt: 1050, finishSeenAt: 1053 },
      { name: 'a', startAskedAt: 1054, startedAt: 1090 },
      { name: 'b', startAskedAt: 1092, startedAt: 1120 },
    ]),
    // Until seen 1, kill 2, dead 2, asked 1; init's end seen 3, a asked 1; b asked 2.
    { allMs: 12, newsMs: 4, dyingMs: 2, agentMs: 6 },
  );
});

test('news that came while the next start was under way took no time', (t) => {
  t.like(
    share([
      { name: 'init', startAskedAt: 1006, startedAt: 1046, finishedAt: 1050, finishSeenAt: 1053 },
      { name: 'a', startAskedAt: 1040, startedAt: 1090, finishedAt: 1089, finishSeenAt: 1095 },
    ]),
    { newsMs: 1, agentMs: 3 },
  );
});
