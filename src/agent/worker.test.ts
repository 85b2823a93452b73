// What a worker waits for, and what not; what it decides is told in pod/.
import { mock } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import type { Action } from '../pod/action.ts';
import { blankMemory } from '../pod/memory.ts';
import type { Memory } from '../pod/memory.ts';
import { defaultSettings } from '../pod/settings.ts';
import { aContainer, aPod, anInstance } from '../testing/builders.ts';
import { aLoan } from '../testing/node.ts';
import type { Outcome } from './view.ts';
import type { PodTools } from './worker.ts';
import { Worker } from './worker.ts';

const livenessProbe = {
  tcpSocket: { port: 80 },
  timeoutSeconds: 1,
  periodSeconds: 1,
  successThreshold: 1,
  failureThreshold: 1,
};
const sandbox = { id: 's', attempt: 0, ready: true, ips: ['192.0.2.7'] };
const main = anInstance();

/** What a worker does nothing with. */
const idle: PodTools = {
  perform: () => new Promise(() => undefined),
  look: () => Promise.resolve({ sandboxes: [sandbox], instances: [main] }),
  save: () => undefined,
  publish: () => undefined,
  tell: () => undefined,
  report: () => undefined,
  explain: () => ({ reason: 'Error', message: '' }),
  inputs: () => ({}),
  now: () => Date.now(),
  settings: { ...defaultSettings, standbys: false },
};

/** A worker of a pod that runs, and whose probe has no end; resolves when that has begun. */
async function probing(signal: AbortSignal) {
  const { promise: asked, resolve: ask } = Promise.withResolvers<undefined>();
  const perform = ({ kind }: Action): Promise<Outcome> => {
    if (kind === 'lend') return Promise.resolve({ kind: 'lent', loan: aLoan() });
    if (kind === 'kill-containers') {
      worker.sawExit('c1', { code: 137, finishedAt: 2, reason: 'Error' });
      return Promise.resolve({ kind: 'killed', caught: ['c1'] });
    }
    if (kind !== 'probe-container') return Promise.resolve({ kind: 'done' });
    ask(undefined);
    return new Promise(() => undefined);
  };
  const pod = aPod([], [aContainer('main', { livenessProbe })]);
  const worker = new Worker(pod, blankMemory, {
    ...idle,
    perform,
  });
  const isForgotten = worker.run(signal);
  await asked;
  return { worker, isForgotten };
}

const looksWithin: Record<
  string,
  readonly [known: Partial<Memory>, missed: boolean, looks: number]
> = {
  'a pod that is new': [{}, false, 1],
  'a pod that was there before its agent': [{ sandboxAttempt: 0 }, false, 2],
  'a pod whose runtime was away': [{}, true, 3],
};
for (const [title, [known, missed, looks]] of Object.entries(looksWithin)) {
  test.serial(
    `looks in the first 5 s, as the runtime may lag behind its events: ${title}`,
    async (t) => {
      mock.timers.enable({ apis: ['setTimeout', 'Date'] });
      const stop = new AbortController();
      try {
        let count = 0;
        const worker = new Worker(
          aPod([], [aContainer('main')]),
          { ...blankMemory, ...known },
          {
            ...idle,
            look: () => {
              count++;
              return Promise.resolve({ sandboxes: [sandbox], instances: [main] });
            },
          },
        );
        void worker.run(stop.signal);
        await settled();
        if (missed) worker.lookAgain();
        await settled();
        mock.timers.tick(4_999);
        await settled();
        t.is(count, missed ? 2 : 1);
        mock.timers.tick(1);
        await settled();
        t.is(count, looks);
        mock.timers.tick(114_000);
        await settled();
        t.is(count, looks);
      } finally {
        stop.abort();
        mock.timers.reset();
      }
    },
  );
}

/** Resolves when everything that waits for no time has been done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a worker that is told to end does not wait for a probe that does not notice', async (t) => {
  const stop = new AbortController();
  const { isForgotten } = await probing(stop.signal);
  stop.abort();
  t.false(await isForgotten);
});

test('nor does a pod that is deleted', async (t) => {
  const { worker, isForgotten } = await probing(new AbortController().signal);
  await worker.request({ kind: 'delete', force: true, at: Date.now() });
  t.true(await isForgotten);
});

test('a stop waits for the answer to the start, whatever its event has told', async (t) => {
  const answer = Promise.withResolvers<Outcome>();
  const asked: string[] = [];
  const created = { ...main, state: 'created' as const, pid: undefined, startedAt: undefined };
  const begun = Promise.withResolvers<undefined>();
  const pod = aPod([], [aContainer('main')]);
  const worker = new Worker(
    pod,
    { ...blankMemory, sandboxAttempt: 0 },
    {
      ...idle,
      look: () => Promise.resolve({ sandboxes: [sandbox], instances: [created] }),
      perform: ({ kind }, _now, signal): Promise<Outcome> => {
        asked.push(kind);
        if (kind === 'lend') return Promise.resolve({ kind: 'lent', loan: aLoan() });
        if (kind === 'start-container') {
          begun.resolve(undefined);
          return answer.promise;
        }
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ kind: 'done' }));
        });
      },
    },
  );
  const stop = new AbortController();
  const over = worker.run(stop.signal);
  await begun.promise;
  worker.sawStart('c1', { startedAt: 1, pid: 7 });
  await worker.request({ kind: 'delete', force: false, at: Date.now() });
  await settled();
  t.false(asked.includes('stop-container'));
  answer.resolve({ kind: 'done' });
  await settled();
  t.true(asked.includes('stop-container'));
  stop.abort();
  t.false(await over);
});

test('a pod can be deleted while the runtime is away; a restart has to wait', async (t) => {
  const saved: Memory[] = [];
  const told: string[] = [];
  let isAway = true;
  const stop = new AbortController();
  const worker = new Worker(aPod([], [aContainer('main')]), blankMemory, {
    ...idle,
    look: () =>
      isAway
        ? Promise.reject(new Error('containerd is away'))
        : Promise.resolve({ sandboxes: [sandbox], instances: [main] }),
    save: (memory) => saved.push(JSON.parse(memory) as Memory),
    tell: ({ reason, message }) => told.push(`${reason}: ${message}`),
  });
  void worker.run(stop.signal);
  await worker.request({ kind: 'delete', force: false, graceSeconds: 7, at: Date.now() });
  t.is(saved.at(-1)?.ending?.graceSeconds, 7);
  t.is(worker.picture.memory.ending?.cause, 'deleted');
  t.deepEqual(told, [
    'FailedSync: error determining status: containerd is away',
    'FailedKillPod: error killing pod: containerd is away',
  ]);

  // As under a runtime that has been away for a while.
  await worker.request({ kind: 'delete', force: false, graceSeconds: 3, at: Date.now() });
  t.is(saved.at(-1)?.ending?.graceSeconds, 3);
  const restarted = worker.request({ kind: 'restart', by: 'kubectl', at: Date.now() });
  const first = await Promise.race([restarted.then(() => 'restart'), setTimeout(50, 'time')]);
  t.is(first, 'time');
  isAway = false;
  await restarted;
  stop.abort();
});

test('with a full disk nothing is done, but a pod can be deleted', async (t) => {
  const done: string[] = [];
  const reports: unknown[] = [];
  const worker = new Worker(aPod([], [aContainer('main')]), blankMemory, {
    ...idle,
    perform: ({ kind }) => {
      done.push(kind);
      if (kind === 'stop-container')
        worker.sawExit('c1', { code: 137, finishedAt: 2, reason: 'Error' });
      return Promise.resolve(kind === 'lend' ? { kind: 'lent', loan: aLoan() } : { kind: 'done' });
    },
    save: () => {
      throw new Error('ENOSPC: no space left on device');
    },
    report: (_, error) => reports.push(error),
  });
  const isForgotten = worker.run(new AbortController().signal);
  await setTimeout(50);
  t.deepEqual(
    done.filter((kind) => kind !== 'lend'),
    [],
  );
  t.true(reports.length > 0);
  await worker.request({ kind: 'delete', force: false, graceSeconds: 5, at: Date.now() });
  t.true(await isForgotten);
  t.true(done.includes('stop-container'));
  t.is(done.at(-1), 'forget');
});

test('what an agent before remembers to have happened later than now has just happened', (t) => {
  const hour = 3_600_000;
  const memory = { ...blankMemory, sandboxAttempt: 0, startTime: Date.now() + hour };
  const { picture } = new Worker(aPod([], [aContainer('main')]), memory, idle);
  t.true((picture.memory.startTime ?? Infinity) <= Date.now());
});
