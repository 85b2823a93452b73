import { setTimeout } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { stopSignals } from '../pod/handler.ts';
import type { Answers } from '../testing/containerd-server.ts';
import { serve } from '../testing/containerd-server.ts';
import { criOver } from './cri.ts';
import { Signal } from './generated/runtime/v1/Signal.ts';
import { criSignal, signalNumber, stopperBySignal } from './stop-signal.ts';

const never = new AbortController().signal;

/** Stops c1 within so many seconds; what containerd was asked, in order. */
async function asked(
  t: ExecutionContext,
  { Kill, Wait }: NonNullable<Answers['tasks']>,
  graceSeconds: number,
  signal = never,
  isSignalled = false,
): Promise<string[]> {
  const seen: string[] = [];
  const { containerd, ...server } = await serve({
    tasks: {
      Kill: (call, answer) => {
        seen.push(`signal ${call.request.signal} to ${call.request.containerId}`);
        if (Kill) Kill(call, answer);
        else answer(null, {});
      },
      Wait: (call, answer) => {
        seen.push(`wait for ${call.request.containerId}`);
        Wait?.(call, answer);
      },
    },
    runtime: {
      StopContainer: ({ request }, answer) => {
        seen.push(`stop ${request.containerId} within ${request.timeout}`);
        answer(null, {});
      },
    },
  });
  t.teardown(() => server[Symbol.asyncDispose]());
  const onSignalled = () => seen.push('it has its signal');
  const stop = { stopSignal: 'SIGUSR1', graceSeconds, isSignalled, onSignalled };
  await stopperBySignal(containerd, criOver(containerd))('c1', stop, signal);
  return seen;
}

const all = ['signal 10 to c1', 'it has its signal', 'wait for c1', 'stop c1 within 0'];

test('a container that ends of its signal is waited for', async (t) => {
  t.deepEqual(await asked(t, { Wait: (_, answer) => answer(null, { exitStatus: 0 }) }, 600), all);
});

test('one that does not end of it is killed when the grace is over', async (t) => {
  const begunAt = performance.now();
  const seen = await asked(t, {}, 0.1);
  // A timer may be early by the part of a millisecond that its clock does not have.
  t.true(performance.now() - begunAt >= 99);
  // On a busy machine the grace may be over before the question how it ended has got anywhere.
  t.deepEqual(
    seen.filter((one) => one !== 'wait for c1'),
    ['signal 10 to c1', 'it has its signal', 'stop c1 within 0'],
  );
});

test('one that has had its signal gets no second one, and is killed when the grace is over', async (t) => {
  const seen = await asked(t, {}, 0.1, never, true);
  t.deepEqual(
    seen.filter((one) => one !== 'wait for c1'),
    ['stop c1 within 0'],
  );
});

for (const days of [30, 24_855]) {
  test(`a grace may be ${days} days`, async (t) => {
    let hasEnded = false;
    // A timer that is over at once is over long before that.
    const Wait = async (_: unknown, answer: (error: null, value: object) => void) => {
      await setTimeout(50);
      hasEnded = true;
      answer(null, { exitStatus: 0 });
    };
    const answers = { Wait: (...call: Parameters<typeof Wait>) => void Wait(...call) };
    t.deepEqual(await asked(t, answers, days * 86_400), all);
    t.true(hasEnded);
  });
}

test('one that is gone already counts as stopped', async (t) => {
  const gone = { code: status.NOT_FOUND, details: 'no such task' };
  const answers = {
    Kill: (_: unknown, answer: (error: typeof gone) => void) => answer(gone),
    Wait: (_: unknown, answer: (error: typeof gone) => void) => answer(gone),
  };
  t.deepEqual(await asked(t, answers, 600), all);
});

test('other trouble is passed on, and so is the end of the wait', async (t) => {
  const trouble = { code: status.UNKNOWN, details: 'ttrpc: closed' };
  await t.throwsAsync(asked(t, { Kill: (_, answer) => answer(trouble) }, 600), {
    message: /Kill: ttrpc: closed/,
  });
  await t.throwsAsync(asked(t, { Wait: (_, answer) => answer(trouble) }, 600), {
    message: /Wait: ttrpc: closed/,
  });
  const over = new AbortController();
  const Wait = () => over.abort(new Error('the agent ends'));
  await t.throwsAsync(asked(t, { Wait }, 600, over.signal), { message: 'the agent ends' });
});

const numbers = {
  SIGHUP: 1,
  SIGIOT: 6,
  SIGTERM: 15,
  SIGCLD: 17,
  SIGPOLL: 29,
  SIGRTMIN: 34,
  'SIGRTMIN+15': 49,
  'SIGRTMAX-14': 50,
  SIGRTMAX: 64,
};
for (const [name, number] of Object.entries(numbers)) {
  test(`${name} is ${number}`, (t) => t.is(signalNumber(name), number));
}

test('every signal that a manifest may name has a number, and a name in CRI', (t) => {
  t.is(stopSignals.length, 65);
  for (const name of stopSignals) {
    t.true(signalNumber(name) >= 1 && signalNumber(name) <= 64, name);
    t.true(criSignal(name) in Signal, name);
  }
});
