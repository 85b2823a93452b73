import test from 'ava';
import { RuntimeCallError } from '../runtime/call.ts';
import { untilShown } from './shown-state.ts';
import type { ShownState } from './shown-state.ts';

const isRight = (state: ShownState): boolean => state !== 'CONTAINER_RUNNING';
const never = new AbortController().signal;

/** How often a runtime is asked that shows a container in these states, one after another. */
async function asks(...states: readonly (ShownState | Error)[]): Promise<number> {
  let times = 0;
  const containerStatus = () => {
    const state = states[times];
    times += 1;
    return state instanceof Error ? Promise.reject(state) : Promise.resolve({ state });
  };
  const cri = { containerStatus } as unknown as Parameters<typeof untilShown>[0];
  await untilShown(cri, 'one', { isRight, delaysMs: [0, 1, 2] }, never);
  return times;
}

const running = 'CONTAINER_RUNNING';
const gone = new RuntimeCallError('ContainerStatus', 'not-found', 'no such container', 'one');
const away = new RuntimeCallError('ContainerStatus', 'internal', 'it is away', 'one');

test('the runtime is asked until it shows what is awaited', async (t) => {
  t.is(await asks('CONTAINER_CREATED'), 1);
  t.is(await asks(running, running, 'CONTAINER_EXITED'), 3);
});

test('or that the container is gone', async (t) => {
  t.is(await asks(running, gone), 2);
});

test('and not for ever', async (t) => {
  t.is(await asks(running, running, running, 'CONTAINER_EXITED'), 3);
});

test('whoever cannot ask is told', async (t) => {
  await t.throwsAsync(asks(running, away), { is: away });
});
