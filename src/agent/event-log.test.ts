import test from 'ava';
import type { PodEvent } from '../pod/decision.ts';
import type { Pod } from '../pod/pod.ts';
import { referencePod } from '../testing/builders.ts';
import { EventLog } from './event-log.ts';

function aLog(): EventLog {
  let version = 0;
  return new EventLog('node', () => String(version++));
}

function podOf(uid: string): Pod {
  const pod = referencePod();
  return { ...pod, metadata: { ...pod.metadata, uid } };
}

const restarted = (generation: number): PodEvent => ({
  type: 'Normal',
  reason: 'RestartedAllContainers',
  message: `generation ${generation}`,
});

test('what happens again is counted, and is the last that happened', (t) => {
  const log = aLog();
  for (const generation of [1, 2, 1]) log.add(podOf('a'), restarted(generation), 0);
  t.deepEqual(
    log.list().map(({ message, count }) => [message, count]),
    [
      ['generation 2', 1],
      ['generation 1', 2],
    ],
  );
});

test('a restless pod forgets what it told first, and pushes nothing of others out', (t) => {
  const log = aLog();
  log.add(podOf('quiet'), restarted(0), 0);
  for (let generation = 1; generation <= 5000; generation++) {
    log.add(podOf('restless'), restarted(generation), 0);
  }
  const messages = log.list().map(({ message }) => message);
  t.is(messages.length, 201);
  t.deepEqual([messages[0], messages[1]], ['generation 0', 'generation 4801']);
});

test('of all pods together the last two thousand are kept', (t) => {
  const log = aLog();
  for (let pod = 0; pod < 2500; pod++) log.add(podOf(String(pod)), restarted(pod), 0);
  t.is(log.list().length, 2000);
  t.is(log.list()[0]?.message, 'generation 500');
});
