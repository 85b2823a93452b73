// What containerd does about the dead comes after the starts of those that take their place.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { startContainerd } from '../scripts/private-containerd/start.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { connectContainerd } from '../src/runtime/connect.ts';
import { criOver } from '../src/runtime/cri.ts';
import { container, initContainer, pod, referencePod, restartAllOn, sidecar } from './manifests.ts';
import { generationOf, startNode, statusOf, until } from './node.ts';
import type { TestNode } from './node.ts';
import { napping } from './pace.ts';

/** How long containerd lets itself be kept from it, with some time to look. */
const SEEN_WITHIN_MS = 1_500;

test.serial('the dead are cleared away when the living are started', async (t) => {
  await using node = await startNode();
  await node.agent();
  const waits = `
if [ -e /shared/was-here ]; then ${napping}
while [ ! -e /shared/now ]; do nap; done; fi
touch /shared/was-here`;
  const main = container('main');
  const watcher = sidecar('watcher', restartAllOn(88));
  await node.apply(pod('waits', [initContainer('setup', waits), watcher], [main]));
  const first = await node.ready('waits');
  const old = ['watcher', 'main'].map((name) => idOf(first, name));
  const toldAt = Date.now();
  await node.tell(first, 'watcher', 88);
  const second = await node.podThat(
    'waits',
    'begins its second run',
    (one) => generationOf(one) === 1 && statusOf(one, 'main').lastState.terminated !== undefined,
  );
  const states = await statesOf(node, old);
  const since = Date.now() - toldAt;
  // An emulated machine may be too slow for that.
  if (since < SEEN_WITHIN_MS) t.deepEqual(states, ['CONTAINER_RUNNING', 'CONTAINER_RUNNING']);
  else t.log(`looked after ${since} ms: too late to see it`);
  await node.put(second, 'now');
  await node.ready('waits', 1);
  const left = await until('they are cleared away', async () => {
    const now = await statesOf(node, old);
    return now.length === 0 && now;
  });
  t.deepEqual(left, []);
  // A removal that comes too early has containerd kill it, and fails if it sees the end meanwhile.
  const log = await fs.readFile(node.containerd.logFile, 'utf8');
  for (const id of old) {
    t.true(log.includes(`RemoveContainer for \\"${id}\\"`));
    t.false(log.includes(`Kill container \\"${id}\\"`));
  }
  const warnings = (await node.events('waits')).filter((event) => event.startsWith('Warning'));
  t.deepEqual(
    warnings.map((event) => event.split(':')[0]),
    ['Warning RestartingAllContainers'],
  );
  await node.removed('waits');
});

test.serial(
  'the output of containers is held if their pods have a rule for it, and let go with them',
  async (t) => {
    await using node = await startNode();
    const { run: before } = await node.agent();
    const plain = container('main');
    await Promise.all([node.apply(referencePod('rule')), node.apply(pod('no-rule', [], [plain]))]);
    const [rule, noRule] = await Promise.all([node.ready('rule'), node.ready('no-rule')]);
    const outputs = await outputsOf(node, rule);
    t.is(outputs.length, 2);
    const [other = ''] = await outputsOf(node, noRule);
    t.regex(other, /^pipe:/);
    const areHeldBy = async (pid: number | undefined) => {
      const held = await pipesOf(pid);
      t.false(held.includes(other));
      return outputs.every((output) => held.includes(output));
    };
    t.true(await areHeldBy(before.pid));
    before.kill('SIGKILL');
    await before;
    // Whoever comes after an agent, or after a containerd that was away, holds them as well.
    const { run } = await node.agent();
    await until('the next agent holds them', () => areHeldBy(run.pid));
    const { pid: daemon, dir } = node.containerd;
    process.kill(daemon, 'SIGKILL');
    await until('they are let go without containerd', async () => !(await areHeldBy(run.pid)));
    await startContainerd(dir, { outbound: false });
    await until('they are held again', () => areHeldBy(run.pid));
    await node.removed('rule', 'no-rule');
    t.deepEqual(
      (await pipesOf(run.pid)).filter((pipe) => outputs.includes(pipe)),
      [],
    );
  },
);

test.serial('with --no-deferred-cleanup nothing is held', async (t) => {
  await using node = await startNode();
  const { run } = await node.agent('--no-deferred-cleanup');
  await node.apply(referencePod('at-once'));
  const outputs = await outputsOf(node, await node.ready('at-once'));
  t.is(outputs.length, 2);
  const held = await pipesOf(run.pid);
  t.true(held.every((pipe) => !outputs.includes(pipe)));
  await node.removed('at-once');
});

function idOf(of: V1Pod, name: string): string {
  return statusOf(of, name).containerID?.replace('containerd://', '') ?? '';
}

/** The states of those that CRI still has. */
async function statesOf(node: TestNode, ids: readonly string[]): Promise<readonly string[]> {
  using containerd = connectContainerd(node.containerd.socket);
  const containers = await criOver(containerd).listContainers({});
  return containers.filter(({ id }) => ids.includes(id)).map(({ state }) => state);
}

/** What the containers of a pod that run have for their standard error. */
async function outputsOf(node: TestNode, of: V1Pod): Promise<readonly string[]> {
  const running = [
    ...(of.status.initContainerStatuses ?? []),
    ...(of.status.containerStatuses ?? []),
  ].filter(({ state }) => state.running !== undefined);
  return await Promise.all(
    running.map(async ({ name }) => {
      const pid = await node.pidOf(of, name);
      return await fs.readlink(`/proc/${String(pid)}/fd/2`);
    }),
  );
}

/** The pipes that a process has open. */
async function pipesOf(pid: number | undefined): Promise<readonly string[]> {
  const folder = `/proc/${String(pid)}/fd`;
  const links = (await fs.readdir(folder)).map(async (name) => {
    // One of them was for this look.
    return await fs.readlink(path.join(folder, name)).catch(() => '');
  });
  return (await Promise.all(links)).filter((link) => link.startsWith('pipe:'));
}
