// The benchmark itself, in short: it measures all three ways, and the comparison is the promised one.
import test from 'ava';
import type { Machine } from '../src/bench/machine.ts';
import type { Summary } from '../src/bench/summary.ts';
import { startNode } from './node.ts';

/** The machine does other things, too: fewer would tell more of those than of the ways. */
const rounds = 9;

test('an in-place restart beats the same done by hand, and the benchmark leaves nothing', async (t) => {
  await using node = await startNode();
  const { stdout, exitCode, stderr } = await node.reprise([
    ...['bench', '--iterations', `${rounds}`, '--warm-up', '1', '-o', 'json'],
    ...['--image', 'localhost/reprise/busybox:1', '--work-dir', node.dir],
    ...['--cgroup-root', `${node.cgroupRoot}/bench`],
  ]);
  t.is(exitCode, 0, stderr);
  const { summary, machine } = JSON.parse(stdout) as { summary: Summary; machine: Machine };
  t.regex(machine.snapshotter, /^(overlayfs|native)$/);
  // No word of whose PATH: it is the one of this containerd.
  t.regex(machine.ociRuntime, /^runc \(\w+ version \d[^,]*\)$/);
  for (const { method, totalMs } of summary.methods) {
    t.is(totalMs.count, rounds);
    t.log(
      `${method}: median ${totalMs.median.toFixed(0)} ms, worst ${totalMs.worst.toFixed(0)} ms`,
    );
  }
  for (const { to, ratio } of summary.ratios) {
    t.log(`in-place to ${to}: ${ratio.toFixed(2)}`);
    t.true(ratio < 1, `${to}: ${ratio}`);
  }
  const containers = await node.containerd.ctr('containers', 'ls', '-q');
  t.is(containers, '');
});
