import test from 'ava';
import type { Cri } from '../runtime/cri.ts';
import { untilLogIsWhole } from './log-end.ts';

type State = Awaited<ReturnType<Cri['containerStatus']>>['state'];

/** A runtime that shows one container in these states, one after another, and how often it was asked. */
function showing(...states: (State | Error)[]) {
  const seen: string[] = [];
  const containerStatus = (id: string) => {
    const state = states[Math.min(seen.length, states.length - 1)];
    seen.push(id);
    return state instanceof Error ? Promise.reject(state) : Promise.resolve({ state });
  };
  const letGone: string[] = [];
  const letGo = (id: string) => void letGone.push(id);
  const cri = { containerStatus } as unknown as Cri;
  return { means: { cri, cleanup: { letGo } }, seen, letGone };
}

const one = { containerId: 'one' };
const AN_HOUR = 3_600_000;

test('a log is whole when the runtime shows its container as exited', async (t) => {
  const { means, seen } = showing('CONTAINER_RUNNING', 'CONTAINER_RUNNING', 'CONTAINER_EXITED');
  await untilLogIsWhole(means, one, AN_HOUR);
  t.deepEqual(seen, ['one', 'one', 'one']);
});

test('whoever waits for a log has the output let go that would keep it from its end', async (t) => {
  const { means, letGone } = showing('CONTAINER_EXITED');
  await untilLogIsWhole(means, one, AN_HOUR);
  t.deepEqual(letGone, ['one']);
});

test('a runtime that cannot be asked does not keep a reader waiting', async (t) => {
  const { means, seen } = showing(new Error('it is away'));
  await untilLogIsWhole(means, one, AN_HOUR);
  t.is(seen.length, 1);
});

test('nor does one that never gets to the end', async (t) => {
  const { means } = showing('CONTAINER_RUNNING');
  await t.notThrowsAsync(untilLogIsWhole(means, one, 1));
});

test('a container that was never made has no log to wait for', async (t) => {
  const { means, seen } = showing('CONTAINER_RUNNING');
  await untilLogIsWhole(means, {}, AN_HOUR);
  t.deepEqual(seen, []);
});
