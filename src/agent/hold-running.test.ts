import test from 'ava';
import type { Instance } from '../pod/observed.ts';
import type { Pod } from '../pod/pod.ts';
import { RuntimeCallError } from '../runtime/call.ts';
import { aContainer, aPod, anInstance, restartAllOn } from '../testing/builders.ts';
import { holdRunning } from './hold-running.ts';

const never = new AbortController().signal;
const withRule = aPod([], [aContainer('main', restartAllOn(88))]);

/** What is held after a look; a container's pid is the number in its id, and `x` has none. */
async function heldAfter(pod: Pod, ...instances: readonly Instance[]): Promise<readonly string[]> {
  const held: string[] = ['c1: 1'];
  const cleanup = {
    holds: (id: string) => held.some((one) => one.startsWith(`${id}:`)),
    hold: (_: string, { containerId, pid }: { containerId: string; pid: number }) =>
      void held.push(`${containerId}: ${pid}`),
  };
  const containerInfo = (id: string) => {
    const gone = new RuntimeCallError('ContainerStatus', 'not-found', 'no such container', id);
    if (id === 'gone') return Promise.reject(gone);
    return Promise.resolve(id === 'x' ? {} : { pid: Number(id.slice(1)) });
  };
  const means = { cri: { containerInfo }, cleanup } as unknown as Parameters<typeof holdRunning>[0];
  await holdRunning(means, pod, { instances }, never);
  return held.slice(1);
}

const running = (id: string): Instance => anInstance({ id, state: 'running' });

test('what runs is held, once, if its pod has a rule for it', async (t) => {
  t.deepEqual(await heldAfter(withRule, running('c1'), running('c2'), running('c3')), [
    'c2: 2',
    'c3: 3',
  ]);
  t.deepEqual(await heldAfter(aPod([], [aContainer('main')]), running('c2')), []);
});

test('what does not run has nothing to hold', async (t) => {
  t.deepEqual(await heldAfter(withRule, anInstance({ id: 'c2', state: 'created' })), []);
});

test('nor has what is gone by now, or is ending', async (t) => {
  t.deepEqual(await heldAfter(withRule, running('gone'), running('x'), running('c0')), []);
});
