import { mock } from 'node:test';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Instance } from '../pod/observed.ts';
import { anInstance } from '../testing/builders.ts';
import { DeferredCleanup } from './deferred-cleanup.ts';
import type { PodNow } from './deferred-cleanup.ts';

const exit = { code: 137, finishedAt: 1, reason: 'Error' };

const marked: Record<string, Partial<Instance>> = { x: { exit }, s: { state: 'starting' } };

/** With containers of two pods, `a` and `b`, whose outputs are held: a1, a2 and b1. */
function subject() {
  const open = new Set<string>();
  const over = new Set<string>();
  const cleanup = new DeferredCleanup(({ containerId: id }) => {
    open.add(id);
    return { isOver: () => over.has(id), [Symbol.dispose]: () => void open.delete(id) };
  });
  for (const id of ['a1', 'a2', 'b1']) cleanup.hold(id.slice(0, 1), { containerId: id, pid: 1 });
  return { cleanup, over, held: () => [...open].join(' ') };
}

/** Until the test ticks. */
function stopTime(t: ExecutionContext): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
}

/** The pod with the first letter of them; those that have ended have an x, those that are starting an s. */
function podWith(ids: string, restarts = false): PodNow {
  const instances = ids
    .split(' ')
    .map((id) => anInstance({ id: id.slice(0, 2), pid: 1, ...marked[id.slice(2)] }));
  return { uid: ids.slice(0, 1), observed: { instances }, restarts };
}

const stories: Record<string, readonly (readonly [now: PodNow, held: string])[]> = {
  'what runs stays held': [[podWith('a1 a2'), 'a1 a2 b1']],
  'what has ended is let go, if its pod does not restart': [
    [podWith('a1x a2'), 'a2 b1'],
    [podWith('b1x'), 'a2'],
  ],
  'what ends in a restart is held to its end': [
    [podWith('a1x a2', true), 'a1 a2 b1'],
    [podWith('a1x a2x', true), 'a1 a2 b1'],
    [podWith('a1x a2x'), 'b1'],
  ],
  'and then to that of the last pod that restarts': [
    [podWith('a1x a2', true), 'a1 a2 b1'],
    [podWith('b1x', true), 'a1 a2 b1'],
    [podWith('a1x a2'), 'a1 a2 b1'],
    [podWith('b1x'), 'a2'],
  ],
  'what ends while another pod restarts is let go': [
    [podWith('a1', true), 'a1 b1'],
    [podWith('b1x'), 'a1'],
  ],
  'what was removed is let go': [[podWith('a1'), 'a1 b1']],
};
for (const [name, story] of Object.entries(stories)) {
  test(name, (t) => {
    const { cleanup, held } = subject();
    const seen = story.map(([now]) => {
      cleanup.note(now);
      return held();
    });
    t.deepEqual(
      seen,
      story.map(([, expected]) => expected),
    );
  });
}

test.serial('a restart in which nothing is started for a second does not keep it', (t) => {
  stopTime(t);
  const { cleanup, held } = subject();
  cleanup.note(podWith('a1x a2', true));
  mock.timers.tick(600);
  cleanup.note(podWith('a1x a2', true));
  cleanup.note(podWith('b1'));
  mock.timers.tick(399);
  t.is(held(), 'a1 a2 b1');
  mock.timers.tick(1);
  t.is(held(), 'a2 b1');
});

test.serial(
  'one in which something is started keeps it until a second after that, or half a minute',
  (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.teardown(() => mock.timers.reset());
    const { cleanup, held } = subject();
    cleanup.note(podWith('a1x a2', true));
    cleanup.note(podWith('a1x a2s', true));
    mock.timers.tick(5_000);
    t.is(held(), 'a1 a2 b1');
    cleanup.note(podWith('a1x a2', true));
    mock.timers.tick(1_000);
    t.is(held(), 'a2 b1');
    cleanup.note(podWith('a2x', true));
    cleanup.note(podWith('a2x a3s', true));
    mock.timers.tick(29_999);
    t.is(held(), 'a2 b1');
    mock.timers.tick(1);
    t.is(held(), 'b1');
  },
);

test('whoever waits for the runtime to see an end has it let go, whether it has ended or not', (t) => {
  const { cleanup, held } = subject();
  cleanup.note(podWith('a1x a2', true));
  cleanup.letGo('a1');
  t.is(held(), 'a2 b1');
  cleanup.leave('a');
  t.is(held(), 'b1');
  cleanup.letAllGo();
  t.is(held(), '');
});

test.serial(
  'what may have ended without having run is let go soon, as the answer to its start may wait for that',
  (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.teardown(() => mock.timers.reset());
    const { cleanup, held } = subject();
    const starting = anInstance({ id: 'a2', state: 'starting' });
    const instances = [anInstance({ id: 'a1', exit }), starting];
    cleanup.note({ uid: 'a', observed: { instances }, restarts: true });
    mock.timers.tick(999);
    t.is(held(), 'a1 a2 b1');
    mock.timers.tick(1);
    t.is(held(), 'a2 b1');
  },
);

test.serial('what ends after a lull in a restart that hangs has a lull of its own', (t) => {
  stopTime(t);
  const { cleanup, held } = subject();
  cleanup.note(podWith('a1x a2', true));
  mock.timers.tick(1_000);
  t.is(held(), 'a2 b1');
  cleanup.note(podWith('a1x a2x', true));
  t.is(held(), 'a2 b1');
  mock.timers.tick(999);
  cleanup.note(podWith('b1x', true));
  mock.timers.tick(999);
  t.is(held(), 'a2 b1');
  mock.timers.tick(1);
  t.is(held(), '');
});

test.serial('an end that no decision follows is not hidden for long', (t) => {
  stopTime(t);
  const { cleanup, held } = subject();
  cleanup.ended('a1');
  cleanup.ended('of another');
  mock.timers.tick(30_000);
  t.is(held(), 'a2 b1');
});

test('an end that nobody has told is not hidden from whoever looks', (t) => {
  const { cleanup, over, held } = subject();
  over.add('a2').add('b1');
  cleanup.letEndedGo('a');
  t.is(held(), 'a1 b1');
});

test('what is proven gone has ended, whether its exit was told or not', (t) => {
  const { cleanup, held } = subject();
  const instances = [anInstance({ id: 'a1', gone: true }), anInstance({ id: 'a2' })];
  cleanup.note({ uid: 'a', observed: { instances }, restarts: false });
  t.is(held(), 'a2 b1');
});

test('a pod that nobody tells of any more keeps no other from being let go', (t) => {
  const { cleanup, held } = subject();
  cleanup.note(podWith('a1x a2', true));
  cleanup.note(podWith('b1x', true));
  cleanup.leave('a');
  t.is(held(), 'b1');
  cleanup.note(podWith('b1x'));
  t.is(held(), '');
});
