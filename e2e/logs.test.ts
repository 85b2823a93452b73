// Logs of a pod: kept within bounds while it runs and over its restarts, and shown as asked for.
import fs from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, initContainer, pod, referencePod } from './manifests.ts';
import { isReady, until } from './node.ts';
import { blink } from './pace.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

/** The host's folder of a container's logs, and what is in it. */
async function logsOf({ metadata }: V1Pod, name: string): Promise<string[]> {
  const folder = `${metadata.namespace}_${metadata.name}_${metadata.uid}`;
  const directory = path.join(node().podLogDir, folder, name);
  return (await fs.readdir(directory)).map((file) => path.join(directory, file)).toSorted();
}

/** What `reprise logs` prints on standard output, by line. */
async function shown(...args: string[]): Promise<string[]> {
  const { stdout, exitCode, stderr } = await node().reprise(['logs', ...args]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.split('\n');
}

async function touch(of: V1Pod, name: string): Promise<void> {
  await fs.writeFile(path.join(node().volume(of), name), '');
}

/** Makes the first line of a log look older than it is. */
async function backdate(log: string, ms: number): Promise<void> {
  const [time = '', ...rest] = (await fs.readFile(log, 'utf8')).split(' ');
  const older = new Date(Date.parse(time) - ms).toISOString();
  await fs.writeFile(log, [older, ...rest].join(' '));
}

test('a long log is put aside while the container writes on, none of it is lost, and of six files the oldest goes', async (t) => {
  // Lines of 1000 bytes, 11 MB at a time, each batch when it is asked for.
  const writes = `
line=$(head -c 990 /dev/zero | tr '\\0' x)
batch() { awk -v line=$line -v n=$1 'BEGIN { for (i = 0; i < 11000; i++) print n, i, line }'; }
batch 1; while [ ! -e /shared/more ]; do sleep 0.1; done; batch 2
while [ ! -e /shared/end ]; do sleep 0.1; done; echo "the end"`;
  await node().apply(pod('writes', [], [container('main', writes)]));
  const first = await node().podThat('writes', 'is ready', isReady);
  const isWritten = async (text: string): Promise<boolean> =>
    (await shown('writes', '--tail', '1'))[0]?.startsWith(text) ?? false;
  await until('the log is put aside', async () => (await logsOf(first, 'main')).length === 2);
  // As if it had been put aside more often: with what is there, and the next one, these are six files.
  const [log = ''] = await logsOf(first, 'main');
  const ancient = ['000001', '000002', '000003'].map((time) => `${log}.20010101-${time}.gz`);
  for (const [index, file] of ancient.entries()) {
    const line = `2001-01-01T00:00:0${index + 1}.000000000Z stdout F ancient ${index + 1}\n`;
    await fs.writeFile(file, gzipSync(line));
  }
  await touch(first, 'more');
  await until('all is written', () => isWritten('2 10999'));
  // The one before is compressed meanwhile, under a name of its own.
  await until('it is put aside again', async () => {
    const [plain = '', packed = ''] = (await logsOf(first, 'main')).toReversed();
    return packed.endsWith('.gz') && !ancient.includes(packed) && /\.log\.\d{8}-\d{6}$/.test(plain);
  });
  await touch(first, 'end');
  await until('the end is written', () => isWritten('the end'));

  const files = (await logsOf(first, 'main')).map((file) => path.basename(file));
  t.is(files.length, 5, 'the oldest had to go');
  t.deepEqual(
    files.slice(0, 3),
    [log, ...ancient.slice(1)].map((file) => path.basename(file)),
  );
  t.regex(files[3] ?? '', /^0\.log\.\d{8}-\d{6}\.gz$/);
  t.regex(files[4] ?? '', /^0\.log\.\d{8}-\d{6}$/);

  const lines = await shown('writes');
  t.is(lines.length, 22_003);
  const written = [1, 2].flatMap((batch) =>
    Array.from({ length: 11_000 }, (_, index) => `${batch} ${index}`),
  );
  t.deepEqual(
    lines.map((line) => line.split(' x')[0]),
    ['ancient 2', 'ancient 3', ...written, 'the end'],
  );
  t.deepEqual(
    (await shown('writes', '--tail', '3')).map((line) => line.split(' x')[0]),
    ['2 10998', '2 10999', 'the end'],
  );
  await node().removed('writes');
});

test('restarts without end do not fill the disk', async (t) => {
  await node().apply(referencePod('often'));
  let now = await node().podThat('often', 'is ready', isReady);
  for (let generation = 1; generation <= 8; generation++) {
    await node().tell(now, 'watcher', 88);
    now = await node().ready('often', generation);
  }
  for (const name of ['setup', 'watcher', 'main']) {
    await until(`few logs of ${name} are kept`, async () => (await logsOf(now, name)).length <= 5);
    const kept = (await logsOf(now, name)).map((file) => Number.parseInt(path.basename(file)));
    t.is(Math.max(...kept), 8, 'that of the run that goes on');
    t.true(kept.includes(7), 'that of the run before it');
  }
  await node().removed('often');
});

test('logs are shown of one container or all, with times, and since when', async (t) => {
  const speaks = `
echo "early $NAME"; while [ ! -e /shared/later ]; do sleep ${blink}; done
echo "late $NAME" >&2; while :; do sleep 1; done`;
  await node().apply(
    pod(
      'shows',
      [initContainer('setup', 'echo "this is setup"')],
      [container('one', speaks), container('two', speaks)],
    ),
  );
  const first = await node().podThat('shows', 'is ready', isReady);
  const lines = async (count: number) =>
    await until(`${count} lines are in the logs`, async () => {
      const all = await shown('shows', '--all-containers');
      return all.length === count;
    });
  await lines(3);
  t.deepEqual(await shown('shows', '-c', 'two'), ['early two']);
  await touch(first, 'later');
  await lines(5);

  t.deepEqual(await shown('shows', '--all-containers'), [
    'this is setup',
    'early one',
    'late one',
    'early two',
    'late two',
  ]);
  t.deepEqual(await shown('shows', '--all-containers', '--prefix', '--tail', '1'), [
    '[pod/shows/setup] this is setup',
    '[pod/shows/one] late one',
    '[pod/shows/two] late two',
  ]);
  const [early = ''] = await shown('shows', '-c', 'one', '--timestamps');
  t.regex(early, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S+ early one$/);
  // Written an hour ago, the first line is on the other side of any time that a slow command may take.
  const [log = ''] = await logsOf(first, 'one');
  await backdate(log, 3_600_000);
  t.deepEqual(await shown('shows', '-c', 'one', '--since', '30m'), ['late one']);
  t.deepEqual(await shown('shows', '-c', 'one', '--since', '2h'), ['early one', 'late one']);
  await node().removed('shows');
});
