// How exits are asked for: of whom, and when next.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { criOver } from '../runtime/cri.ts';
import { serve } from '../testing/containerd-server.ts';
import { ExitPoll, nextQuestion } from './exit-poll.ts';

/** A poll of a containerd where each container exits once it was asked for so often. */
async function pollOf(t: ExecutionContext, exitsAfter: Readonly<Record<string, number>>) {
  const questions: string[] = [];
  const left = new Map(Object.entries(exitsAfter));
  const hasExited = (id: string): boolean => {
    const times = (left.get(id) ?? 0) - 1;
    left.set(id, times);
    return times < 0;
  };
  const server = await serve({
    runtime: {
      ContainerStatus: ({ request: { containerId } }, answer) => {
        questions.push(`status of ${containerId}`);
        const state = hasExited(containerId) ? 'CONTAINER_EXITED' : 'CONTAINER_RUNNING';
        answer(null, { status: { id: containerId, state } });
      },
      ListContainers: ({ request: { filter } }, answer) => {
        questions.push(`list of ${filter?.state?.state ?? 'all'}`);
        answer(null, { containers: [...left.keys()].filter(hasExited).map((id) => ({ id })) });
      },
    },
  });
  t.teardown(() => server[Symbol.asyncDispose]());
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  return { questions, poll: new ExitPoll(criOver(server.containerd), stop.signal) };
}

test('a container that is waited for alone is asked for by its status', async (t) => {
  const { poll, questions } = await pollOf(t, { a: 2 });
  await poll.exitOf('a');
  t.deepEqual(questions, ['status of a', 'status of a', 'status of a']);
});

test('for many at a time one list answers; the last one is asked for by its status again', async (t) => {
  const { poll, questions } = await pollOf(t, { a: 1, b: 1, c: 3 });
  await Promise.all(['a', 'b', 'c'].map((id) => poll.exitOf(id)));
  const lists = questions.filter((question) => question === 'list of CONTAINER_EXITED').length;
  const lastOnes = questions.slice(questions.indexOf('list of CONTAINER_EXITED') + lists);
  t.deepEqual([...new Set(lastOnes)], ['status of c']);
  t.true(lists > 0);
});

test('who was told may wait for another one at once', async (t) => {
  const { poll, questions } = await pollOf(t, { a: 0, b: 0 });
  await poll.exitOf('a');
  await poll.exitOf('b');
  t.deepEqual(questions, ['status of a', 'status of b']);
});

const paces = {
  'an answer within the pace is waited for no longer than that': { now: 10.4, next: 12 },
  'a timer that was early changes nothing': { now: 9.5, next: 12 },
  'an answer that takes just as long is followed by a question at once': { now: 12, next: 12 },
  'one that takes longer skips a question': { now: 12.1, next: 14 },
  'one that takes much longer skips many': { now: 31, next: 32 },
};
for (const [title, { now, next }] of Object.entries(paces)) {
  test(title, (t) => t.is(nextQuestion(10, now), next));
}
