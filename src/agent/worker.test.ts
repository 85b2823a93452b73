// What a worker waits for, and what not; what it decides is told in pod/.
import test from 'ava';
import type { Action } from '../pod/action.ts';
import { blankMemory } from '../pod/memory.ts';
import { defaultSettings } from '../pod/settings.ts';
import { aContainer, aPod, anInstance } from '../testing/builders.ts';
import { aLoan } from '../testing/node.ts';
import type { Outcome } from './view.ts';
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
  const nothing = () => undefined;
  const pod = aPod([], [aContainer('main', { livenessProbe })]);
  const worker = new Worker(pod, blankMemory, {
    perform,
    look: () => Promise.resolve({ sandboxes: [sandbox], instances: [main] }),
    save: nothing,
    publish: nothing,
    tell: nothing,
    report: nothing,
    explain: () => ({ reason: 'Error', message: '' }),
    inputs: () => ({}),
    now: Date.now,
    settings: { ...defaultSettings, standbys: false },
  });
  const isForgotten = worker.run(signal);
  await asked;
  return { worker, isForgotten };
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
