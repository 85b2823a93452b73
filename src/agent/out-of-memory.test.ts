import test from 'ava';
import { OutOfMemory } from './out-of-memory.ts';

const cases: Record<string, readonly [told: string[], kills: number, code: number, is: string]> = {
  'an exit with 0': [[], 0, 0, 'Completed'],
  'any other exit': [[], 0, 137, 'Error'],
  'an exit of another one than the event was about': [['b'], 0, 137, 'Error'],
  'a death that an event came for': [['a'], 0, 137, 'OOMKilled'],
  'a death that only the counter knows of': [[], 1, 137, 'OOMKilled'],
  'a failure after a child had been killed': [['a'], 0, 1, 'OOMKilled'],
  'an exit with 0 after a child had been killed': [['a'], 0, 0, 'OOMKilled'],
  'an exit with 0 after a child had been killed, as the counter knows': [[], 2, 0, 'OOMKilled'],
};
for (const [title, [told, kills, code, is]] of Object.entries(cases)) {
  test(`${is}: ${title}`, (t) => {
    const news = new OutOfMemory();
    for (const id of told) news.saw(id);
    t.is(
      news.reasonOf('a', code, () => kills),
      is,
    );
  });
}

test('an event counts for one exit', (t) => {
  const news = new OutOfMemory();
  news.saw('a');
  const reason = () => news.reasonOf('a', 1, () => 0);
  t.deepEqual([reason(), reason()], ['OOMKilled', 'Error']);
});

test('events that nobody asks for are not kept for ever', (t) => {
  const news = new OutOfMemory();
  for (let id = 0; id <= 10_000; id++) news.saw(String(id));
  const reason = (id: number) => news.reasonOf(String(id), 1, () => 0);
  t.deepEqual([0, 1, 10_000].map(reason), ['Error', 'OOMKilled', 'OOMKilled']);
});
