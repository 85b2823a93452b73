import test from 'ava';
import { Feed } from './feed.ts';
import type { Change } from './feed.ts';
import type { WatchEvent } from './backend.ts';

interface Thing {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string };
}

const thing = (version: number, uid = 'a'): Thing => ({
  metadata: { resourceVersion: String(version), uid },
});

const news = (...versions: number[]): AsyncGenerator<WatchEvent<Thing>> =>
  happening(versions.map((version) => ({ type: 'MODIFIED', object: thing(version) })));

async function* happening(events: readonly WatchEvent<Thing>[]): AsyncGenerator<WatchEvent<Thing>> {
  for (const event of events) {
    await Promise.resolve();
    yield event;
  }
}

function listener() {
  const heard: string[] = [];
  return {
    heard,
    onEvent: ({ object }: WatchEvent<Thing>) => void heard.push(object.metadata.resourceVersion),
    onEnd: () => void heard.push('end'),
  };
}

test('who subscribes after a list hears everything since, and only that', async (t) => {
  const feed = new Feed<Thing>(10);
  await feed.follow(news(11, 12, 13));
  const late = listener();
  feed.subscribe(11, late);
  t.deepEqual(late.heard, ['12', '13', 'end']);
});

test('what a list already has is not told again when the feed catches up', async (t) => {
  const feed = new Feed<Thing>(10);
  const ahead = listener();
  feed.subscribe(feed.versionOf([thing(12)]), ahead);
  await feed.follow(news(11, 12, 13));
  t.deepEqual(ahead.heard, ['13', 'end']);
});

test('who asks for what is forgotten is turned away', async (t) => {
  const feed = new Feed<Thing>(10, { capacity: 2 });
  await feed.follow(news(11, 12, 13));
  t.is(feed.subscribe(10, listener()), undefined);
  t.is(feed.subscribe(9, listener()), undefined);
  const justInTime = listener();
  t.truthy(feed.subscribe(11, justInTime));
  t.deepEqual(justInTime.heard, ['12', '13', 'end']);
});

test('who has unsubscribed hears nothing', async (t) => {
  const feed = new Feed<Thing>(10);
  const gone = listener();
  feed.subscribe(10, gone)?.[Symbol.dispose]();
  await feed.follow(news(11));
  t.deepEqual(gone.heard, []);
});

test('a source that fails ends every subscription', async (t) => {
  const feed = new Feed<Thing>(10);
  const hurt = listener();
  feed.subscribe(10, hurt);
  const failing = async function* (): AsyncGenerator<WatchEvent<Thing>> {
    yield* news(11);
    throw new Error('the agent is gone');
  };
  await t.throwsAsync(feed.follow(failing()), { message: 'the agent is gone' });
  t.deepEqual(hurt.heard, ['11', 'end']);
});

test('each piece of news comes with what the object was before', async (t) => {
  const there = [thing(8, 'old'), thing(9, 'gone')];
  const feed = new Feed<Thing>(10, { there });
  const told: string[] = [];
  const hear = ({ type, object, before }: Change<Thing>): void => {
    const was = before?.metadata.resourceVersion ?? 'nothing';
    told.push(`${type} ${object.metadata.uid} ${was} -> ${object.metadata.resourceVersion}`);
  };
  feed.subscribe(10, { onEvent: hear, onEnd: () => undefined });
  const changes: WatchEvent<Thing>[] = [
    { type: 'MODIFIED', object: thing(11, 'old') },
    { type: 'DELETED', object: thing(12, 'gone') },
    { type: 'ADDED', object: thing(13, 'new') },
    { type: 'MODIFIED', object: thing(14, 'new') },
    { type: 'MODIFIED', object: thing(15, 'old') },
    { type: 'ADDED', object: thing(16, 'gone') },
  ];
  await feed.follow(happening(changes));
  const expected = [
    'MODIFIED old 8 -> 11',
    'DELETED gone 9 -> 12',
    'ADDED new nothing -> 13',
    'MODIFIED new 13 -> 14',
    'MODIFIED old 11 -> 15',
    'ADDED gone nothing -> 16',
  ];
  t.deepEqual(told, expected);
  told.length = 0;
  feed.subscribe(10, { onEvent: hear, onEnd: () => undefined });
  t.deepEqual(told, expected, 'remembered as it was told');
});
