import test from 'ava';
import type { RestartRecord } from '../pod/memory.ts';
import { ownShareOf } from './own-share.ts';

type Containers = RestartRecord['containers'];

function share(containers: Containers): number | undefined {
  const trigger = {
    kind: 'exit',
    container: 'watcher',
    exitCode: 88,
    ruleIndex: 0,
    exitedAt: 1000,
  } as const;
  return ownShareOf({
    generation: 1,
    trigger,
    recordedAt: 1001,
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
    t.is(share(containers), ms);
  });
}
