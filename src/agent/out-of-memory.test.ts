import test from 'ava';
import { OutOfMemory } from './out-of-memory.ts';

const podUid = 'pod';
const gone = undefined;

/** An exit, and whether an event came before it; the pod has 2 kills behind it that are explained. */
interface Case {
  readonly told?: string;
  readonly code: number;
  readonly inContainer?: number | undefined;
  readonly inPod?: number | undefined;
}

const cases: Record<string, readonly [exit: Case, is: string]> = {
  'an exit with 0': [{ code: 0 }, 'Completed'],
  'any other exit': [{ code: 137 }, 'Error'],
  'an exit of another one than the event was about': [{ told: 'b', code: 137 }, 'Error'],
  'a death that an event came for': [{ told: 'a', code: 137 }, 'OOMKilled'],
  'a death that only the counter knows of': [{ code: 137, inContainer: 1 }, 'OOMKilled'],
  'a failure after a child had been killed': [{ told: 'a', code: 1 }, 'OOMKilled'],
  'an exit with 0 after a child had been killed': [{ told: 'a', code: 0 }, 'OOMKilled'],
  'the same, as the counter knows': [{ code: 0, inContainer: 2 }, 'OOMKilled'],
  'a death with the cgroup gone, and a new kill in the pod': [
    { code: 137, inContainer: gone, inPod: 3 },
    'OOMKilled',
  ],
  'a death with the cgroup gone, and no new kill in the pod': [
    { code: 137, inContainer: gone, inPod: 2 },
    'Error',
  ],
  'a death with a cgroup that knows of none, and a new kill in the pod': [
    { code: 137, inContainer: 0, inPod: 3 },
    'Error',
  ],
  'a death with everything gone': [{ code: 137, inContainer: gone, inPod: gone }, 'Error'],
  'an exit by itself with the cgroup gone, and a new kill in the pod': [
    { code: 1, inContainer: gone, inPod: 3 },
    'Error',
  ],
};
for (const [title, [{ told, code, inContainer = gone, inPod = gone }, is]] of Object.entries(
  cases,
)) {
  test(`${is}: ${title}`, (t) => {
    const news = new OutOfMemory();
    news.willStart(podUid, () => 2);
    if (told !== undefined) news.saw(told);
    t.is(news.reasonOf('a', code, { podUid, inContainer, inPod }), is);
  });
}

test('an event counts for one exit', (t) => {
  const news = new OutOfMemory();
  news.saw('a');
  const reason = () => news.reasonOf('a', 1, undefined);
  t.deepEqual([reason(), reason()], ['OOMKilled', 'Error']);
});

test('a kill in a pod counts for one exit, and a start later does not explain it', (t) => {
  const news = new OutOfMemory();
  const reason = (id: string, inContainer: number | undefined) =>
    news.reasonOf(id, 137, { podUid, inContainer, inPod: 1 });
  news.willStart(podUid, () => 0);
  news.willStart(podUid, () => 1);
  t.deepEqual([reason('a', gone), reason('b', gone)], ['OOMKilled', 'Error']);
});

test('two that die together are told alike, though the cgroups of both are gone', (t) => {
  const news = new OutOfMemory();
  news.willStart(podUid, () => 0);
  const reason = (id: string) => news.reasonOf(id, 137, { podUid, inContainer: gone, inPod: 2 });
  t.deepEqual(['a', 'b', 'c'].map(reason), ['OOMKilled', 'OOMKilled', 'Error']);
});

test('a kill that the counter of one container has explained is not put down to another', (t) => {
  const news = new OutOfMemory();
  const reason = (id: string, inContainer: number | undefined) =>
    news.reasonOf(id, 137, { podUid, inContainer, inPod: 1 });
  news.willStart(podUid, () => 0);
  t.deepEqual([reason('a', 1), reason('b', gone)], ['OOMKilled', 'Error']);
});

test('of a pod that ran before, or is gone, the counter tells nothing', (t) => {
  const news = new OutOfMemory();
  const kills = { podUid, inContainer: gone, inPod: 5 };
  t.is(news.reasonOf('a', 137, kills), 'Error');
  news.willStart(podUid, () => 0);
  news.forget(podUid);
  t.is(news.reasonOf('a', 137, kills), 'Error');
});

test('events that nobody asks for are not kept for ever', (t) => {
  const news = new OutOfMemory();
  for (let id = 0; id <= 10_000; id++) news.saw(String(id));
  const reason = (id: number) => news.reasonOf(String(id), 1, undefined);
  t.deepEqual([0, 1, 10_000].map(reason), ['Error', 'OOMKilled', 'OOMKilled']);
});
