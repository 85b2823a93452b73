// The benchmark itself, in short: it measures all three ways, and the comparison is the promised one.
// On a machine that does other things too, only the best of each way tells something of the ways.
import test from 'ava';
import type { Summary } from '../src/bench/summary.ts';
import { startNode } from './node.ts';

test('an in-place restart beats the same done by hand, and the benchmark leaves nothing', async (t) => {
  await using node = await startNode();
  const { stdout, exitCode, stderr } = await node.reprise([
    ...['bench', '--iterations', '5', '--warm-up', '1', '-o', 'json'],
    ...['--image', 'localhost/reprise/busybox:1', '--work-dir', node.dir],
    ...['--cgroup-root', `${node.cgroupRoot}/bench`],
  ]);
  t.is(exitCode, 0, stderr);
  const { summary } = JSON.parse(stdout) as { summary: Summary };
  const best = new Map(summary.methods.map(({ method, totalMs }) => [method, totalMs.best]));
  for (const { method, totalMs } of summary.methods) {
    t.is(totalMs.count, 5);
    t.log(
      `${method}: median ${totalMs.median.toFixed(0)} ms, worst ${totalMs.worst.toFixed(0)} ms`,
    );
  }
  for (const { to, ratio } of summary.ratios) {
    const [ours = NaN, theirs = NaN] = [best.get('in-place'), best.get(to)];
    t.log(`in-place to ${to}: ${ratio.toFixed(2)}, at best ${(ours / theirs).toFixed(2)}`);
    t.true(ours < theirs, to);
  }
  const containers = await node.containerd.ctr('containers', 'ls', '-q');
  t.is(containers, '');
});
