// A pipe stands in for the device: like it, it says EAGAIN when there is nothing more.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { execa } from 'execa';
import { followKernelLog } from './kernel-log.ts';

test('what was logged before is passed over, what comes is told whatever its time', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-kmsg-'));
  t.teardown(() => fs.rm(folder, { recursive: true }));
  const pipe = path.join(folder, 'kmsg');
  await execa('mkfifo', [pipe]);
  await using log = await fs.open(pipe, 'r+');
  await log.write('6,1,9999999999999,-;before\n');
  const stop = new AbortController();
  const lines = followKernelLog(pipe, stop.signal);
  const first = lines.next();
  // When what was there has been read nobody tells: those that come right after it may go with it.
  const writing = (async () => {
    while (!stop.signal.aborted) {
      await log.write('6,2,1,-;after\n');
      await delay(10);
    }
  })();
  t.is((await first).value, '6,2,1,-;after');
  stop.abort();
  await Promise.all([writing, lines.return(undefined)]);
});
