// What a container writes into its message file, or last into its log, is told with its exit, and
// stays told when everything has been started again.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type { V1ContainerTerminated, V1Pod } from '../src/pod/pod-status.ts';
import { container, initContainer, pod, restartAllOn, sidecar } from './manifests.ts';
import { isReady, startNode, statusOf, until } from './node.ts';
import { blink, napping } from './pace.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

function endOf(of: V1Pod, name: string): V1ContainerTerminated | undefined {
  return statusOf(of, name).state.terminated;
}

/** The pod when all its containers have ended and said what they had to say. */
async function ended(name: string): Promise<V1Pod> {
  return await node().podThat(
    name,
    'has ended',
    ({ status }) => status.phase === 'Succeeded' || status.phase === 'Failed',
  );
}

test('a message is told with the exit, whoever wrote it, wherever', async (t) => {
  const nobody = { securityContext: { runAsUser: 65534, readOnlyRootFilesystem: true } };
  await node().apply(
    pod(
      'says',
      [],
      [
        container('plain', 'echo -n "done with 7" > /dev/termination-log', nobody),
        container('own', 'echo -n elsewhere > /run/words; exit 3', {
          terminationMessagePath: '/run/words',
        }),
        container('silent', 'echo loud; exit 4'),
      ],
    ),
  );
  const after = await ended('says');
  t.like(endOf(after, 'plain'), { exitCode: 0, message: 'done with 7' });
  t.like(endOf(after, 'own'), { exitCode: 3, message: 'elsewhere' });
  t.like(endOf(after, 'silent'), { exitCode: 4, message: undefined });
  await node().removed('says');
});

test('the end of the log stands in for it after an error, if that is wished', async (t) => {
  const falls = { terminationMessagePolicy: 'FallbackToLogsOnError' };
  const many = 'i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done';
  await node().apply(
    pod(
      'falls',
      [],
      [
        container('fails', `${many}; exit 3`, falls),
        container(
          'both',
          'echo in the log; echo -n in the file > /dev/termination-log; exit 3',
          falls,
        ),
        container('fine', 'echo all is well', falls),
      ],
    ),
  );
  const after = await node().podThat(
    'falls',
    'has said it all',
    (one) => endOf(one, 'fails')?.message !== undefined && one.status.phase === 'Failed',
  );
  const lines = endOf(after, 'fails')?.message?.trim().split('\n') ?? [];
  t.is(lines.length, 80);
  t.is(lines.at(-1), 'line 199');
  t.like(endOf(after, 'both'), { message: 'in the file' });
  t.like(endOf(after, 'fine'), { exitCode: 0, message: undefined });
  await node().removed('falls');
});

test('every run has a file of its own, and its message outlives it', async (t) => {
  const speaks = `
echo "$NAME started" >> /shared/story
[ -s /dev/termination-log ] && echo "$NAME found old words" >> /shared/story
echo -n "run $(grep -c "$NAME started" /shared/story)" > /dev/termination-log
${napping}
while [ ! -e /shared/exit-$NAME ]; do nap; done
code=$(cat /shared/exit-$NAME); rm /shared/exit-$NAME
exit $code
`;
  await node().apply(
    pod(
      'again',
      [
        initContainer('setup'),
        sidecar('watcher', { ...restartAllOn(88), command: ['sh', '-c', speaks] }),
      ],
      [container('main', speaks)],
    ),
  );
  const first = await node().podThat('again', 'is ready', isReady);
  const volume = node().volume(first);
  for (const generation of [1, 2]) {
    await node().tell(first, 'watcher', 88);
    const after = await node().ready('again', generation);
    const { terminated } = statusOf(after, 'watcher').lastState;
    t.like(terminated, { exitCode: 88, message: `run ${generation}` });
    t.is(statusOf(after, 'main').lastState.terminated?.reason, 'RestartingAllContainers');
  }
  t.false((await fs.readFile(path.join(volume, 'story'), 'utf8')).includes('old words'));

  // Those of runs that are gone from the runtime go too.
  const messages = path.join(node().dataDir, 'pods', first.metadata.uid, 'containers', 'watcher');
  await until('old messages are removed', async () => (await fs.readdir(messages)).length <= 2);
  await node().removed('again');
});

test('a container that fails again and again waits for its next try, and says why', async (t) => {
  const fails = `
${napping}
while [ ! -e /shared/go ]; do nap; done
echo -n "no luck" > /dev/termination-log; exit 3`;
  const spec = { restartPolicy: 'Always' };
  await node().apply(pod('crashes', [], [container('main', fails)], spec));
  const first = await node().podThat('crashes', 'is ready', isReady);
  const watch = await node().watch('crashes');
  await node().put(first, 'go');
  const isHeldBack = (one: V1Pod) =>
    statusOf(one, 'main').state.waiting?.reason === 'CrashLoopBackOff';
  const now = (await watch.until(isHeldBack)).find(isHeldBack) ?? first;
  const { state, lastState, restartCount, ready } = statusOf(now, 'main');
  const name = `crashes_default(${first.metadata.uid})`;
  t.is(now.status.phase, 'Running');
  t.like(state, {
    waiting: {
      reason: 'CrashLoopBackOff',
      message: `back-off 10s restarting failed container=main pod=${name}`,
    },
    running: undefined,
    terminated: undefined,
  });
  // The first time it starts again at once.
  t.deepEqual([restartCount, ready], [1, false]);
  t.like(lastState.terminated, { exitCode: 3, reason: 'Error', message: 'no luck' });
  const told = `Warning BackOff: Back-off restarting failed container main in pod ${name}`;
  await until('it is told', async () => (await node().events('crashes')).includes(told));
  await until('the table says so', async () =>
    /\ncrashes +0\/1 +CrashLoopBackOff +\d+ /.test(await node().ok('get', 'pods')),
  );
  await node().removed('crashes');
});

test('a message can be read that was written while no agent was there to hear', async (t) => {
  await using lonely = await startNode();
  const { run } = await lonely.agent();
  const script = `
while [ ! -e /shared/go ]; do sleep ${blink}; done
echo -n "said to nobody" > /dev/termination-log; exit 5`;
  await lonely.apply(pod('unheard', [], [container('main', script)]));
  const first = await lonely.podThat('unheard', 'is ready', isReady);
  run.kill('SIGKILL');
  await run;
  await fs.writeFile(path.join(lonely.volume(first), 'go'), '');
  await until('it has ended', async () => (await lonely.pidOf(first, 'main')) === undefined);
  await lonely.agent();
  const after = await lonely.podThat(
    'unheard',
    'has failed',
    (one) => one.status.phase === 'Failed',
  );
  t.like(endOf(after, 'main'), { exitCode: 5, message: 'said to nobody' });
  await lonely.ok('delete', 'pod', 'unheard', '--wait');
});

test('what a container puts in the place of its file tells nothing of the host', async (t) => {
  const plants = `
umount /dev/termination-log
rm -f /dev/termination-log
ln -s /etc/hostname /dev/termination-log
truncate -s 1T /other; ls -l /dev/termination-log; exit 6`;
  const privileged = { securityContext: { privileged: true } };
  await node().apply(pod('plants', [], [container('main', plants, privileged)]));
  const after = await ended('plants');
  t.like(endOf(after, 'main'), { exitCode: 6, message: undefined });
  await node().removed('plants');
});
