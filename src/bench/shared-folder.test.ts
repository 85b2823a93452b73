import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { SharedFolder } from './shared-folder.ts';

/** A shell that does in the folder what the pod does. */
function runPod(directory: string) {
  const script =
    ': > first-act-of-app; read line < fire; : > last-act; sleep 0.05; : > first-act-of-app; read line < fire';
  return spawn('sh', ['-c', script], { cwd: directory, stdio: 'ignore' });
}

async function withFolder(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'reprise-shared-'));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('the clock runs from the last act to the first act that follows it', async (t) => {
  await withFolder(async (directory) => {
    const shared = await SharedFolder.make(directory, ['app']);
    const pod = runPod(directory);
    const { signal } = new AbortController();
    const armed = await shared.arm(signal);
    t.deepEqual(await readdir(directory), ['fire']);
    armed.fire();
    const { lastActAt, firstActAt } = await armed.outcome(signal);
    t.true(firstActAt - lastActAt >= 40);
    // The next run waits to be fired by itself: the first shot does not reach it.
    t.is(pod.exitCode, null);
    pod.kill();
    await once(pod, 'exit');
  });
});

test('a pod that does not come up is waited for until the signal says stop', async (t) => {
  await withFolder(async (directory) => {
    const shared = await SharedFolder.make(directory, ['app']);
    const stop = new AbortController();
    const waiting = shared.arm(stop.signal);
    stop.abort(new Error('enough'));
    await t.throwsAsync(waiting, { message: 'enough' });
  });
});
