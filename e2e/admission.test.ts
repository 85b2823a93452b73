// Pods that may not run here, or not for long, and what is told about it.
import os from 'node:os';
import test from 'ava';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, pod, referencePod } from './manifests.ts';
import { countsOf, generationOf, isReady, statusOf, until } from './node.ts';
import { timeScale } from './pace.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

test('a runtime handler has to be there', async (t) => {
  const spec = { runtimeClassName: 'no-such-handler' };
  await node().apply(pod('elsewhere', [], [container('main')], spec));
  const { status } = await node().podThat(
    'elsewhere',
    'is over',
    (one) => one.status.phase === 'Failed',
  );
  t.is(status.reason, 'UnknownRuntimeHandler');
  t.regex(
    status.message ?? '',
    /has no handler "no-such-handler" for runtimeClassName, but .*runc/,
  );
  await node().ok('delete', 'pod', 'elsewhere', '--wait');

  await node().apply(pod('here', [], [container('main')], { runtimeClassName: 'runc' }));
  await node().podThat('here', 'runs', isReady);
  await node().ok('delete', 'pod', 'here', '--wait');
});

test('what pods request has to fit beside what others do, until those are over', async (t) => {
  const cpus = os.cpus().length;
  const asks = (name: string, cpu: string | number, memory = '1Mi') =>
    pod(name, [], [container('main', undefined, { resources: { requests: { cpu, memory } } })]);
  const rejected = async (name: string) => {
    const { status } = await node().podThat(
      name,
      'is over',
      (one) => one.status.phase === 'Failed',
    );
    await node().ok('delete', 'pod', name, '--wait');
    return [status.reason, status.message] as const;
  };
  await node().apply(asks('most', `${cpus * 1000 - 400}m`));
  const most = await node().ready('most');
  await node().apply(asks('more', '500m'));
  const numbers = `requested: 500, used: ${cpus * 1000 - 400}, capacity: ${cpus * 1000}`;
  t.deepEqual(await rejected('more'), [
    'OutOfcpu',
    `Pod was rejected: Node didn't have enough resource: cpu, ${numbers}`,
  ]);
  await node().apply(asks('all-memory', '1m', `${os.totalmem() + 1}`));
  t.is((await rejected('all-memory'))[0], 'OutOfmemory');
  await node().apply(asks('rest', '400m'));
  await node().ready('rest');

  await node().tell(most, 'main', 0);
  await node().podThat('most', 'is over', ({ status }) => status.phase === 'Succeeded');
  await node().apply(asks('more', '500m'));
  await node().ready('more');
  await node().removed('most', 'rest', 'more');
});

/** A pod that was restarted in place before its deadline. */
interface Restarted {
  readonly first: V1Pod;
  readonly activeDeadlineSeconds: number;
}

/** Undefined, and nothing is left of it, if the machine is too slow for this deadline. */
async function restartedInTime(activeDeadlineSeconds: number): Promise<Restarted | undefined> {
  const name = `late-${activeDeadlineSeconds}`;
  const more = { activeDeadlineSeconds, terminationGracePeriodSeconds: 3600 };
  await node().apply(referencePod(name, more));
  const first = await node().podThat(
    name,
    'begins',
    ({ status }) => status.startTime !== undefined,
  );
  const deadline = Date.parse(first.status.startTime ?? '') + activeDeadlineSeconds * 1000;
  const hasTold = async (lines: number): Promise<boolean> =>
    (await until(`it has told ${lines} lines, or it is too late`, async () => {
      if (Date.now() >= deadline) return 'too late';
      return (await node().story(first)).length >= lines && 'in time';
    })) === 'in time';
  if (await hasTold(3)) {
    await node().tell(first, 'watcher', 88);
    // With the last words of the watcher, and as much once more; all obey the signal from then on.
    if (await hasTold(7)) return { first, activeDeadlineSeconds };
  }
  await node().ok('delete', 'pod', name, '--force');
  return undefined;
}

/** With the shortest deadline that leaves this machine the time for it. */
async function restartedBeforeItsDeadline(): Promise<Restarted> {
  for (let seconds = Math.ceil(8 * timeScale); ; seconds *= 2) {
    const restarted = await restartedInTime(seconds);
    if (restarted !== undefined) return restarted;
  }
}

test('a deadline counts from the very start, through restarts in place', async (t) => {
  const { first, activeDeadlineSeconds } = await restartedBeforeItsDeadline();
  const { name } = first.metadata;
  const over = await node().podThat(name, 'is over', ({ status }) => status.phase === 'Failed');
  t.is(over.status.reason, 'DeadlineExceeded');
  t.is(over.status.message, 'Pod was active on the node longer than the specified deadline');
  t.is(generationOf(over), 1);
  t.deepEqual(countsOf(over), { setup: 1, watcher: 1, main: 1 });
  t.is(over.status.startTime, first.status.startTime);
  const ended = statusOf(over, 'main').state.terminated;
  t.is(ended?.exitCode, 143, 'it was asked to end');
  const seconds =
    (Date.parse(ended?.finishedAt ?? '') - Date.parse(over.status.startTime ?? '')) / 1000;
  t.true(seconds >= activeDeadlineSeconds - 1, `not before its time: ${seconds}`);
  t.regex(await node().ok('events', name), /Normal +DeadlineExceeded/);
  await until(
    'its processes are gone',
    async () => (await node().pidOf(over, 'main')) === undefined,
  );
  await node().ok('delete', 'pod', name, '--wait');
});
