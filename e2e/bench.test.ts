// The benchmark itself, in short: all three ways are measured on real pods, the report says on what, and
// nothing is left. How long they take is not tested: that depends on what else the machine does.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import type { Machine } from '../src/bench/machine.ts';
import type { Sample } from '../src/bench/rounds.ts';
import type { Summary } from '../src/bench/summary.ts';
import { startNode, until } from './node.ts';
import type { TestNode } from './node.ts';

const rounds = 2;

function bench(node: TestNode, iterations: number, ...more: readonly string[]) {
  return node.reprise([
    ...['bench', '--iterations', `${iterations}`, '-o', 'json', ...more],
    ...['--image', 'localhost/reprise/busybox:1', '--work-dir', node.dir],
    ...['--cgroup-root', `${node.cgroupRoot}/bench`],
  ]);
}

test.serial('each way is measured in each round, and the benchmark leaves nothing', async (t) => {
  await using node = await startNode();
  const { stdout, exitCode, stderr } = await bench(node, rounds, '--warm-up', '1');
  t.is(exitCode, 0, stderr);
  const { samples, summary, machine } = JSON.parse(stdout) as {
    samples: readonly Sample[];
    summary: Summary;
    machine: Machine;
  };
  const measured = samples.map(({ method, round }) => `${method} ${round}`);
  t.deepEqual(measured.toSorted(), [
    ...['in-place 1', 'in-place 2', 'naive 1', 'naive 2'],
    ...['re-creation 1', 're-creation 2'],
  ]);
  for (const { method, totalMs } of summary.methods) {
    t.is(totalMs.count, rounds);
    // The clock ran from one act to the other, not the other way round.
    t.true(totalMs.best > 0);
    t.log(
      `${method}: median ${totalMs.median.toFixed(0)} ms, worst ${totalMs.worst.toFixed(0)} ms`,
    );
  }
  t.deepEqual(
    summary.ratios.map(({ to }) => to),
    ['naive', 're-creation'],
  );
  for (const { to, ratio } of summary.ratios) t.log(`in-place to ${to}: ${ratio.toFixed(2)}`);
  t.regex(machine.snapshotter, /^(overlayfs|native)$/);
  // No word of whose PATH: it is the one of this containerd.
  t.regex(machine.ociRuntime, /^runc \(\w+ version \d[^,]*\)$/);
  const containers = await node.containerd.ctr('containers', 'ls', '-q');
  t.is(containers, '');
});

test.serial('what could not be removed does not take the measurement away', async (t) => {
  await using node = await startNode();
  const json = path.join(node.dir, 'bench.json');
  const html = path.join(node.dir, 'bench.html');
  const run = bench(node, 1, '--warm-up', '0', '--json', json, '--html', html);
  const folder = await until('the benchmark has a folder', async () => {
    const there = await fs.readdir(node.dir);
    return there.find((name) => name.startsWith('reprise-bench-'));
  });
  const stuck = path.join(node.dir, folder, 'stuck');
  await fs.mkdir(stuck);
  await execa('mount', ['-t', 'tmpfs', 'stuck', stuck]);
  try {
    const { stdout, exitCode, stderr } = await run;
    t.is(exitCode, 1);
    t.regex(stderr, /could not remove .*\/reprise-bench-/);
    t.regex(stderr, /error: not everything that the benchmark made could be removed/);
    const { samples } = JSON.parse(stdout) as { samples: readonly unknown[] };
    t.is(samples.length, 3);
    t.is(await fs.readFile(json, 'utf8'), `${stdout}\n`);
    t.regex(await fs.readFile(html, 'utf8'), /^<!doctype html>/);
  } finally {
    await execa('umount', [stuck]);
    await fs.rm(path.join(node.dir, folder), { recursive: true });
  }
});
