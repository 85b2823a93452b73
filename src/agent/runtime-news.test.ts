// News of an exit and of what it was for come in either order.
import test from 'ava';
import { findHierarchy } from '../host/cgroups.ts';
import { createLogger } from '../log.ts';
import { blankMemory } from '../pod/memory.ts';
import { defaultSettings } from '../pod/settings.ts';
import { aContainer, aPod, anInstance } from '../testing/builders.ts';
import type { Cri } from '../runtime/cri.ts';
import { criOver } from '../runtime/cri.ts';
import { serve } from '../testing/containerd-server.ts';
import { aNode } from '../testing/node.ts';
import { RuntimeNews } from './runtime-news.ts';
import { Worker } from './worker.ts';

const exit = { kind: 'exit', exitCode: 137, exitedAt: 2, seenAt: 3 } as const;
const oom = { kind: 'oom' } as const;

const orders: Record<string, readonly (typeof exit | typeof oom)[]> = {
  'before the exit': [oom, exit],
  'after the exit': [exit, oom],
};
for (const [when, events] of Object.entries(orders)) {
  test(`that memory ran out counts for the container it is told of, ${when}`, async (t) => {
    const ends = new AbortController();
    const { worker, seen } = aWorker();
    const isForgotten = worker.run(ends.signal);
    await seen;
    await using server = await serve({});
    const news = newsFor(worker, criOver(server.containerd), ends.signal);
    for (const event of events) news.took({ ...event, containerId: 'c1' });
    news.took({ ...exit, containerId: 'c2' });
    ends.abort();
    await isForgotten;
    const reasons = worker.picture.observed.instances.map((one) => [one.id, one.exit?.reason]);
    t.deepEqual(reasons, [
      ['c1', 'OOMKilled'],
      ['c2', 'Error'],
    ]);
  });
}

/** One of a pod with two containers, c1 and c2, that does nothing; resolves when it has seen them. */
function aWorker() {
  const { promise: seen, resolve } = Promise.withResolvers<undefined>();
  const nothing = () => undefined;
  const pod = aPod([], [aContainer('one'), aContainer('two')]);
  const worker = new Worker(pod, blankMemory, {
    perform: (_action, _picture, until) =>
      new Promise((_resolve, reject) => {
        until.addEventListener('abort', () => reject(new Error('it is over')));
      }),
    look: () =>
      Promise.resolve({
        sandboxes: [],
        instances: [
          anInstance({ id: 'c1', name: 'one', state: 'running' }),
          anInstance({ id: 'c2', name: 'two', state: 'running' }),
        ],
      }),
    save: nothing,
    publish: () => resolve(undefined),
    tell: nothing,
    report: nothing,
    explain: () => ({ reason: 'Error', message: '' }),
    inputs: () => ({}),
    now: Date.now,
    settings: defaultSettings,
  });
  return { worker, seen };
}

function newsFor(worker: Worker, cri: Cri, signal: AbortSignal): RuntimeNews {
  const folders = { dataDir: '/none', podLogDir: '/none', cgroupRoot: '/none' };
  const lending = { ...folders, node: aNode(), cgroupDriver: 'cgroupfs' as const };
  return new RuntimeNews({
    means: { cri, lending, hierarchy: findHierarchy() },
    log: createLogger({ level: 'silent' }),
    workers: () => [worker],
    keep: () => undefined,
    signal,
  });
}
