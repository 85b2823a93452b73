import test from 'ava';
import { blankMemory } from '../pod/memory.ts';
import type { Memory, RestartRecord } from '../pod/memory.ts';
import { marksOf } from './marks.ts';

const record: RestartRecord = {
  generation: 1,
  trigger: {
    kind: 'exit',
    container: 'watcher',
    exitCode: 88,
    ruleIndex: 0,
    exitedAt: 1000,
    seenAt: 1001,
  },
  recordedAt: 1001.5,
  killedAt: 1002,
  deadAt: 1006,
  startingAt: 1006,
  completedAt: 1120,
  containers: [
    { name: 'init-0', startAskedAt: 1007, startedAt: 1046, finishedAt: 1047 },
    { name: 'watcher', startAskedAt: 1049, startedAt: 1080 },
    { name: 'app-0', startAskedAt: 1082, startedAt: 1120 },
  ],
};

const container = { attempt: 1, generation: 1, sandboxAttempt: 0, restartCount: 1 };

/** After that restart: the trigger ended by itself, the app was killed. */
const memory: Memory = {
  ...blankMemory,
  generation: 1,
  restarts: [record],
  containers: {
    watcher: { ...container, lastExit: { exitCode: 88, reason: 'Error', finishedAt: 1000 } },
    'app-0': {
      ...container,
      lastExit: { exitCode: 137, reason: 'RestartingAllContainers', finishedAt: 1004 },
    },
  },
};

test('the course of a restart is told in the order of the times', (t) => {
  t.deepEqual(
    marksOf(memory).map(({ what, at }) => `${at} ${what}`),
    [
      '1000 trigger has exited',
      '1001 exit seen',
      '1002 first kill sent',
      '1004 last container killed has exited',
      '1006 all proven dead',
      '1006 start-up begins',
      '1007 init-0 is asked to start',
      '1046 init-0 has started',
      '1047 init-0 has exited',
      '1049 watcher is asked to start',
      '1080 watcher has started',
      '1082 app-0 is asked to start',
      '1120 app-0 has started',
    ],
  );
});

test('of several restarts the last one is told', (t) => {
  const later = { ...record, deadAt: 2006 };
  const [dead] = marksOf({ ...memory, restarts: [record, later] }).filter(
    ({ what }) => what === 'all proven dead',
  );
  t.is(dead?.at, 2006);
});

test('with nothing left to kill there is no kill to tell of', (t) => {
  const quiet = { ...record, killedAt: undefined };
  const words = marksOf({ ...memory, restarts: [quiet], containers: {} }).map(({ what }) => what);
  t.false(words.includes('first kill sent'));
  t.false(words.includes('last container killed has exited'));
});

test('a restart that somebody asked for has no exit to begin with', (t) => {
  const asked: RestartRecord = { ...record, trigger: { kind: 'request', by: 'root', at: 1 } };
  t.deepEqual(marksOf({ ...memory, restarts: [asked] }), []);
});
