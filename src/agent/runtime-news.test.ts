// News of an exit and of what it was for come in either order.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { createLogger } from '../log.ts';
import { blankMemory } from '../pod/memory.ts';
import { defaultSettings } from '../pod/settings.ts';
import { aContainer, aPod, anInstance } from '../testing/builders.ts';
import { criOver } from '../runtime/cri.ts';
import { serve } from '../testing/containerd-server.ts';
import { aNode } from '../testing/node.ts';
import { cgroupOf, podCgroupOf } from './kill-instances.ts';
import { OutOfMemory } from './out-of-memory.ts';
import { RuntimeNews } from './runtime-news.ts';
import { Worker } from './worker.ts';

const exit = { kind: 'exit', exitCode: 137, exitedAt: 2, seenAt: 3 } as const;
const oom = { kind: 'oom' } as const;

const lending = {
  ...{ dataDir: '/none', podLogDir: '/none', cgroupRoot: '/none' },
  node: aNode(),
  cgroupDriver: 'cgroupfs' as const,
};

const orders: Record<string, readonly (typeof exit | typeof oom)[]> = {
  'before the exit': [oom, exit],
  'after the exit': [exit, oom],
};
for (const [when, events] of Object.entries(orders)) {
  test(`that memory ran out counts for the container it is told of, ${when}`, async (t) => {
    await using subject = await watching();
    const { news, reasons } = subject;
    for (const event of events) news.took({ ...event, containerId: 'c1' });
    news.took({ ...exit, containerId: 'c2' });
    t.deepEqual(reasons(), ['OOMKilled', 'Error']);
  });
}

test('what nobody tells is read from the cgroup of the pod, when that of the container is gone', async (t) => {
  await using subject = await watching();
  const { news, outOfMemory, reasons, podUid, podCgroup } = subject;
  outOfMemory.willStart(podUid, () => 0);
  fs.mkdirSync(podCgroup, { recursive: true });
  fs.writeFileSync(path.join(podCgroup, 'memory.events'), 'oom 1\noom_kill 3\noom_group_kill 1\n');
  news.took({ ...exit, containerId: 'c1' });
  news.took({ ...exit, containerId: 'c2' });
  t.deepEqual(reasons(), ['OOMKilled', 'Error']);
});

test('news that cannot be handled is made up for by a look, and the next is handled', async (t) => {
  await using subject = await watching();
  const { news, reasons, looks, cgroupOfC1 } = subject;
  // No file, so that reading it is an error.
  fs.mkdirSync(path.join(cgroupOfC1, 'memory.events'), { recursive: true });
  t.is(looks(), 1);
  t.notThrows(() => news.took({ ...exit, containerId: 'c1' }));
  while (looks() === 1) await new Promise(setImmediate);
  news.took({ ...exit, containerId: 'c2' });
  t.deepEqual(reasons(), [undefined, 'Error']);
});

/** A pod with two containers, c1 and c2, that run, and where the news of it goes. */
async function watching() {
  await using stack = new AsyncDisposableStack();
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-news-'));
  stack.defer(() => fs.rmSync(root, { recursive: true }));
  const { containerd } = stack.use(await serve({}));
  const ends = new AbortController();
  const { worker, seen, looks } = aWorker();
  const isForgotten = worker.run(ends.signal);
  stack.defer(async () => {
    ends.abort();
    await isForgotten;
  });
  await seen;
  const outOfMemory = new OutOfMemory();
  const news = new RuntimeNews({
    means: { cri: criOver(containerd), lending, hierarchy: { version: 2, root }, outOfMemory },
    log: createLogger({ level: 'silent' }),
    workers: () => [worker],
    keep: () => undefined,
    signal: ends.signal,
  });
  const life = stack.move();
  return {
    news,
    outOfMemory,
    podUid: worker.pod.metadata.uid,
    looks,
    cgroupOfC1: path.join(root, cgroupOf({ lending }, worker.pod, 'c1')),
    podCgroup: path.join(root, podCgroupOf({ lending }, worker.pod)),
    /** Why c1 and c2 have ended. */
    reasons: () => worker.picture.observed.instances.map(({ exit: end }) => end?.reason),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

/** One of a pod with two containers, c1 and c2, that does nothing; resolves when it has seen them. */
function aWorker() {
  const { promise: seen, resolve } = Promise.withResolvers<undefined>();
  const nothing = () => undefined;
  let looks = 0;
  const worker = new Worker(aPod([], [aContainer('one'), aContainer('two')]), blankMemory, {
    perform: (_action, _picture, until) =>
      new Promise((_resolve, reject) => {
        until.addEventListener('abort', () => reject(new Error('it is over')));
      }),
    look: () => {
      looks += 1;
      return Promise.resolve({
        sandboxes: [],
        instances: [
          anInstance({ id: 'c1', name: 'one', state: 'running' }),
          anInstance({ id: 'c2', name: 'two', state: 'running' }),
        ],
      });
    },
    save: nothing,
    publish: () => resolve(undefined),
    tell: nothing,
    report: nothing,
    explain: () => ({ reason: 'Error', message: '' }),
    inputs: () => ({}),
    now: Date.now,
    settings: defaultSettings,
  });
  return { worker, seen, looks: () => looks };
}
