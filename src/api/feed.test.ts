import test from 'ava';
import { Feed } from './feed.ts';
import type { WatchEvent } from './backend.ts';

interface Thing {
  readonly metadata: { readonly resourceVersion: string };
}

const thing = (version: number): Thing => ({ metadata: { resourceVersion: String(version) } });

async function* news(...versions: number[]): AsyncGenerator<WatchEvent<Thing>> {
  for (const version of versions) {
    await Promise.resolve();
    yield { type: 'MODIFIED', object: thing(version) };
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
  const feed = new Feed<Thing>(10, 2);
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
