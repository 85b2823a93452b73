// Who is waited for before a run starts: real processes, in folders that stand in for their cgroups.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { placesOf } from '../../host/lend.ts';
import type { LendSettings } from '../../host/lend.ts';
import { EPHEMERAL_GENERATION } from '../../pod/instances.ts';
import { blankMemory } from '../../pod/memory.ts';
import type { Instance } from '../../pod/observed.ts';
import { aPod } from '../../testing/builders.ts';
import { aNode } from '../../testing/node.ts';
import { blankView } from '../view.ts';
import { freeDevices } from './free-devices.ts';

const generations = { old: 0, next: 1, guest: EPHEMERAL_GENERATION };
type Name = keyof typeof generations;

/** A process that waits; it is in the namespaces of every other one that this test starts. */
async function aProcess(t: ExecutionContext): Promise<number> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  t.teardown(() => child.kill('SIGKILL'));
  return child.pid ?? 0;
}

/** How often nvidia-smi is asked when the first time it lists the process of that container. */
async function questionsUntilFree(t: ExecutionContext, computes: Name): Promise<number> {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-free-'));
  t.teardown(() => fs.rm(root, { recursive: true }));
  const pod = aPod([], []);
  const lending: LendSettings = {
    dataDir: path.join(root, 'data'),
    podLogDir: path.join(root, 'logs'),
    cgroupRoot: '/pods',
    cgroupDriver: 'cgroupfs',
    node: aNode(),
  };
  const put = async (id: string): Promise<number> => {
    const pid = await aProcess(t);
    const folder = path.join(root, placesOf(pod, lending).cgroup, id);
    await fs.mkdir(folder, { recursive: true });
    await fs.writeFile(path.join(folder, 'cgroup.procs'), `${pid}\n`);
    return pid;
  };
  await put('sandbox');
  const pids = { old: await put('old'), next: await put('next'), guest: await put('guest') };
  const instances = Object.entries(generations).map(([id, generation]): Instance => ({
    id,
    name: id,
    attempt: 0,
    generation,
    sandboxAttempt: 0,
    specHash: '',
    state: 'running',
    gone: false,
  }));
  const sandbox = { id: 'sandbox', attempt: 0, ready: true, ips: [] };
  const belongings = { numbers: new Set<string>(), gpuUuids: new Set(['GPU-a']) };
  let questions = 0;
  const answer = () => (++questions === 1 ? [{ gpuUuid: 'GPU-a', pid: pids[computes] }] : []);
  const devices = {
    keeper: { belongingsOf: () => Promise.resolve(belongings) },
    smi: { computeProcesses: () => Promise.resolve(answer()) },
  };
  await freeDevices({ devices, lending, hierarchy: { version: 2, root } }, 1, {
    pod,
    picture: {
      observed: { ...blankView, sandboxes: [sandbox], instances },
      memory: { ...blankMemory, sandboxAttempt: 0 },
    },
    tell: ({ message }) => t.fail(message),
    signal: new AbortController().signal,
  });
  return questions;
}

const cases: Readonly<Record<string, readonly [Name, number]>> = {
  'what computes in a container of the run before is waited for': ['old', 2],
  'what computes in one that was made for the next run is not': ['next', 1],
  'what computes in an ephemeral container is not': ['guest', 1],
};
for (const [title, [computes, questions]] of Object.entries(cases)) {
  test(title, async (t) => t.is(await questionsUntilFree(t, computes), questions));
}
