/** What a benchmark could have measured. */
import type { BenchResult } from '../bench/bench.ts';
import { happenings } from '../bench/marks.ts';

/** What each method took in one round. */
export const oneRound = [
  { method: 'in-place', ms: 120 },
  { method: 'naive', ms: 200 },
  { method: 're-creation', ms: 400 },
] as const;

/** A benchmark of one round. */
export function aBenchResult(more: Partial<BenchResult> = {}): BenchResult {
  return {
    startedAt: '2026-01-01T00:00:00.000Z',
    scenario: { pods: 1, containers: 1, inits: 1, image: 'localhost/reprise/busybox:1' },
    rounds: { iterations: 1, warmUps: 2 },
    standbys: true,
    deferredCleanup: true,
    machine: {
      cpu: 'Some <CPU> & more',
      cpus: 2,
      memoryBytes: 2 ** 33,
      load: 0.5,
      distribution: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.1.0',
      cgroupVersion: 2,
      containerd: '1.6.20',
      ociRuntime: 'runc (runc version 1.1.5)',
      snapshotter: 'overlayfs',
      fileSystem: 'ext4',
      node: '24.0.0',
      reprise: '0.1.0',
    },
    samples: oneRound.map(({ method, ms }) => ({
      method,
      round: 1,
      totalMs: ms,
      pods: [{ name: `${method}-0`, latencyMs: ms, marks: [{ what: happenings.seen, at: 3 }] }],
    })),
    ...more,
  };
}
