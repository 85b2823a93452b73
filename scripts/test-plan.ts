/**
 * Which end-to-end tests run on which containerd. Pure.
 */
import type { Line } from './containerd-lines.ts';

/** The machine's own containerd, or one of a line. */
export type Which = 'own' | Line;

/** One run of ava. */
export interface EndToEndRun {
  readonly containerd: Which;
  /** None: all there are. */
  readonly files: readonly string[];
}

/** What was asked for on the command line. */
export interface Wishes {
  /** Absent: all tests on the own one, and the smoke tests on every line that is not the own one's. */
  readonly containerd?: Which | 'all';
  readonly smoke: boolean;
  readonly files: readonly string[];
}

/**
 * Where lines of containerd differ most in what reprise relies on: events and exits over restarts of the
 * daemon, what CRI takes in a container's configuration, devices, mounts that only later lines can make.
 * More than these take too long for every change.
 */
export const SMOKE_TESTS: readonly string[] = [
  'e2e/in-place-restart.test.ts',
  'e2e/recovery.test.ts',
  'e2e/security.test.ts',
  'e2e/gpu.test.ts',
  'e2e/volumes.test.ts',
  'e2e/image-volumes.test.ts',
];

/** The runs, one after another; `own` is the version that this machine has installed. */
export function endToEndRuns(
  wishes: Wishes,
  lines: readonly Line[],
  own: string,
): readonly EndToEndRun[] {
  const files = [...(wishes.smoke ? SMOKE_TESTS : []), ...wishes.files];
  if (wishes.containerd === 'all') return lines.map((containerd) => ({ containerd, files }));
  if (wishes.containerd !== undefined) return [{ containerd: wishes.containerd, files }];
  if (files.length > 0) return [{ containerd: 'own', files }];
  const others = lines.filter((line) => !own.startsWith(`${line}.`));
  return [
    { containerd: 'own', files },
    ...others.map((containerd) => ({ containerd, files: SMOKE_TESTS })),
  ];
}
