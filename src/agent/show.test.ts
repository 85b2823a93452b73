import test from 'ava';
import { defaultSettings } from '../pod/settings.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { aNode } from '../testing/node.ts';
import type { Behaviour } from '../testing/simulated-node.ts';
import { SimulatedNode } from '../testing/simulated-node.ts';
import { show } from './show.ts';
import { blankView } from './view.ts';

const pod = aPod([], [aContainer('main')]);

const deletions: Record<string, readonly [main: Behaviour, graceSeconds: number, at: string]> = {
  'of a pod that runs is when its grace is over': [{}, 30, '2026-01-01T00:02:00Z'],
  'of a pod that is over is when it was asked for': [
    { runsMs: 10, code: 0 },
    0,
    '2026-01-01T00:01:30Z',
  ],
};
for (const [title, [main, graceSeconds, deletedAt]] of Object.entries(deletions)) {
  test(`the time of the deletion ${title}`, (t) => {
    const node = new SimulatedNode(pod, { behave: () => main });
    node.after(90_000, () => {
      node.request({ kind: 'delete', force: false, at: node.now });
    });
    node.run({ forMs: 90_000 });
    const picture = { observed: blankView, memory: node.memory };
    const { metadata } = show(pod, picture, defaultSettings, aNode(), '1');
    t.is(metadata.deletionGracePeriodSeconds, graceSeconds);
    t.is(metadata.deletionTimestamp, deletedAt);
  });
}
