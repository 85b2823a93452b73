// Restarts without end: what there is of everything after many is what there was after a few.
// `REPRISE_SOAK_RESTARTS=500` makes it the long run that docs/performance.md tells of.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { findCgroups } from '../scripts/private-containerd/cgroups.ts';
import { listFolder } from '../scripts/private-containerd/folder.ts';
import { medianOf } from '../src/bench/summary.ts';
import { ownShareOf } from '../src/bench/own-share.ts';
import { readMemory } from '../src/agent/memory-file.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { collectGarbage, inspectable, openInspector } from './garbage.ts';
import { referencePod } from './manifests.ts';
import { isReady, startNode, until } from './node.ts';
import { timeScale } from './pace.ts';
import type { TestNode } from './node.ts';

const restarts = Number(process.env.REPRISE_SOAK_RESTARTS ?? '30');
/** Fewer than these say nothing about memory or speed. */
const isLong = restarts >= 200;

/** Everything that could pile up. */
interface Count {
  readonly containers: number;
  readonly snapshots: number;
  readonly mounts: number;
  readonly cgroups: number;
  readonly files: number;
  readonly logs: number;
  readonly descriptors: number;
}

async function count(node: TestNode, agent: number, { metadata }: V1Pod): Promise<Count> {
  const rows = (text: string): number => text.split('\n').filter(Boolean).length;
  const folder = path.join(node.dataDir, 'pods', metadata.uid);
  const mounts = await fs.readFile('/proc/self/mountinfo', 'utf8');
  const logs = await fs.readdir(node.podLogDir, { recursive: true });
  return {
    containers: (await node.containers({ 'io.kubernetes.pod.uid': metadata.uid })).length,
    snapshots: rows(await node.containerd.ctr('snapshots', 'ls')),
    mounts: mounts.split('\n').filter((line) => line.includes(node.dir)).length,
    cgroups: (await findCgroups({ cgroupRoot: node.cgroupRoot }, new Set())).length,
    files: (await fs.readdir(folder, { recursive: true })).length,
    logs: logs.filter((name) => name.endsWith('.log')).length,
    descriptors: (await listFolder(`/proc/${agent}/fd`)).length,
  };
}

async function residentKiB(pid: number): Promise<number> {
  const status = await fs.readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

function inMiB(kib: number): string {
  return `${(kib / 1024).toFixed(0)} MiB`;
}

function lastRestart(node: TestNode, { metadata }: V1Pod) {
  const record = readMemory(path.join(node.dataDir, 'pods', metadata.uid))?.restarts.at(-1);
  if (record?.trigger.kind !== 'exit') throw new Error('no restart is on record');
  const ms = (record.completedAt ?? NaN) - record.trigger.exitedAt;
  return { generation: record.generation, ms, ownMs: ownShareOf(record)?.agentMs ?? NaN };
}

test(`nothing grows in ${restarts} restarts`, async (t) => {
  t.timeout(Math.max(300_000, restarts * 5_000) * timeScale);
  await using node = await startNode();
  Object.assign(process.env, inspectable);
  const { run } = await node.agent();
  const inspector = await openInspector(run);
  const agent = Number(run.pid);
  await node.apply(referencePod('often'));
  let now = await node.podThat('often', 'is ready', isReady);
  const early = Math.ceil(restarts / 3);
  const seen: { ms: number; ownMs: number }[] = [];
  let before: Count | undefined;
  let kibBefore = NaN;
  for (let generation = 1; generation <= restarts; generation++) {
    await node.tell(now, 'watcher', 88);
    now = await node.ready('often', generation);
    // The next restart is to find its containers made, as it does where restarts are not a test.
    const { uid } = now.metadata;
    const next = { 'io.kubernetes.pod.uid': uid, 'reprise.dev/generation': `${generation + 1}` };
    await until('the next are made', async () => (await node.containers(next)).length === 3);
    const record = lastRestart(node, now);
    t.is(record.generation, generation);
    seen.push(record);
    if (generation !== early) continue;
    before = await count(node, agent, now);
    await collectGarbage(inspector);
    kibBefore = await residentKiB(agent);
  }
  // What is tidied up later than the containers (logs) gets a moment.
  await until('there is as much as before', async () => {
    const after = await count(node, agent, now);
    return Object.entries(before ?? {}).every(([what, n]) => after[what as keyof Count] <= n);
  }).catch(async () => t.deepEqual(await count(node, agent, now), before));
  const sample = Math.min(50, early);
  const [first, last] = [seen.slice(0, sample), seen.slice(-sample)];
  const speed = medianOf(last.map(({ ms }) => ms)) / medianOf(first.map(({ ms }) => ms));
  const kibUncollected = await residentKiB(agent);
  await collectGarbage(inspector);
  const kib = await residentKiB(agent);
  const growth = (kib - kibBefore) / (restarts - early);
  t.log(`the last ${sample} took ${speed.toFixed(2)} of the time of the first ${sample}`);
  t.log(`the agent's own part: median ${medianOf(seen.map(({ ownMs }) => ownMs)).toFixed(1)} ms`);
  t.log(
    `memory: ${inMiB(kibUncollected)}; ${inMiB(kib)} without garbage, ${inMiB(kibBefore)} before`,
  );
  t.log(JSON.stringify(before));
  if (isLong) t.true(speed < 1.1 && growth < 8, `${speed}, ${growth} KiB per restart`);
});
