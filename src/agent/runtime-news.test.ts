// News of an exit and of what it was for come in either order.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { RepriseError } from '../errors.ts';
import { createLogger } from '../log.ts';
import { blankMemory } from '../pod/memory.ts';
import { defaultSettings } from '../pod/settings.ts';
import type { Container } from '../pod/pod.ts';
import { aContainer, aPod, anInstance } from '../testing/builders.ts';
import { criOver } from '../runtime/cri.ts';
import { serve } from '../testing/containerd-server.ts';
import { aNode } from '../testing/node.ts';
import { cgroupOf, podCgroupOf } from './kill-instances.ts';
import { DeferredCleanup } from './deferred-cleanup.ts';
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

test('the output of a container is held if its pod may restart in place, until its end is not told any more', async (t) => {
  const restartsAll = aContainer('two', {
    restartPolicyRules: [
      { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } },
    ],
  });
  await using subject = await watching([aContainer('one'), restartsAll]);
  const { news, held } = subject;
  const create = { kind: 'create', pid: 1 } as const;
  news.took({ ...create, containerId: 'c1' });
  news.took({ ...create, containerId: 'of another' });
  t.deepEqual(held(), ['c1']);
  news.took({ kind: 'lost', error: new RepriseError('it is away') });
  t.deepEqual(held(), []);
  // Of another subscription, which was lost before it was proven.
  news.took({ ...create, containerId: 'c1' });
  news.took({ kind: 'connected', gap: true });
  t.deepEqual(held(), []);

  await using other = await watching();
  other.news.took({ ...create, containerId: 'c1' });
  t.deepEqual(other.held(), []);
});

/** A pod with two containers, c1 and c2, that run, and where the news of it goes. */
async function watching(containers?: readonly Container[]) {
  await using stack = new AsyncDisposableStack();
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-news-'));
  stack.defer(() => fs.rmSync(root, { recursive: true }));
  const { containerd } = stack.use(await serve({}));
  const ends = new AbortController();
  const { worker, seen, looks } = aWorker(containers);
  const isForgotten = worker.run(ends.signal);
  stack.defer(async () => {
    ends.abort();
    await isForgotten;
  });
  await seen;
  const outOfMemory = new OutOfMemory();
  const held = new Set<string>();
  const cleanup = new DeferredCleanup(({ containerId: id }) => {
    held.add(id);
    return { isOver: () => false, [Symbol.dispose]: () => void held.delete(id) };
  });
  const news = new RuntimeNews({
    means: {
      cri: criOver(containerd),
      lending,
      hierarchy: { version: 2, root },
      outOfMemory,
      cleanup,
    },
    log: createLogger({ level: 'silent' }),
    workers: () => [worker],
    keep: () => undefined,
    signal: ends.signal,
  });
  const life = stack.move();
  return {
    news,
    outOfMemory,
    held: () => [...held],
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
function aWorker(containers: readonly Container[] = [aContainer('one'), aContainer('two')]) {
  const { promise: seen, resolve } = Promise.withResolvers<undefined>();
  const nothing = () => undefined;
  let looks = 0;
  const worker = new Worker(aPod([], containers), blankMemory, {
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
