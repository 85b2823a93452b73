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
  /** Left out where time is short. */
  readonly isOptional?: boolean;
}

/** What there is to be run. */
export interface Installed {
  readonly lines: readonly Line[];
  /** The version of the machine's own containerd. */
  readonly own: string;
  /** The files of all end-to-end tests. */
  readonly all: readonly string[];
}

/** What was asked for on the command line. */
export interface Wishes {
  /** Absent: all tests on the own one, and the smoke tests on every line that is not the own one's. */
  readonly containerd?: Which | 'all';
  readonly smoke: boolean;
  readonly files: readonly string[];
}

/** What differs between lines of containerd wherever pods are restarted: exits and the news of them. */
export const CORE_TESTS: readonly string[] = ['e2e/in-place-restart.test.ts'];

/**
 * Where lines of containerd differ most in what reprise relies on: events and exits over restarts of the
 * daemon, what CRI takes in a container's configuration, devices, mounts that only later lines can make.
 * More than these take too long for every change.
 */
export const SMOKE_TESTS: readonly string[] = [
  ...CORE_TESTS,
  'e2e/recovery.test.ts',
  'e2e/security.test.ts',
  'e2e/gpu.test.ts',
  'e2e/volumes.test.ts',
  'e2e/image-volumes.test.ts',
];

/** What a pod is made of and what becomes of it: these run for every change, however slow the machine is. */
export const ESSENTIAL_TESTS: readonly string[] = [
  ...CORE_TESTS,
  'e2e/recovery.test.ts',
  'e2e/everything.test.ts',
  'e2e/volumes.test.ts',
  'e2e/object-volumes.test.ts',
  'e2e/object-environment.test.ts',
  'e2e/hooks.test.ts',
  'e2e/probes.test.ts',
  'e2e/security.test.ts',
  'e2e/resources.test.ts',
  'e2e/gpu.test.ts',
  'e2e/commands.test.ts',
  'e2e/logs.test.ts',
  'e2e/ephemeral.test.ts',
];

/** So many files that may be left out are run at a time: as many as fit. */
const FILES_AT_A_TIME = 4;

/** Those that restart again and again, or measure: they take longest for what they find. */
export const LONG_TESTS: readonly string[] = [
  'e2e/run.test.ts',
  'e2e/rehearse.test.ts',
  'e2e/soak.test.ts',
  'e2e/bench.test.ts',
];

/** The runs, one after another; those that may be left out come last. */
export function endToEndRuns(
  wishes: Wishes,
  { lines, own, all }: Installed,
): readonly EndToEndRun[] {
  const files = [...(wishes.smoke ? SMOKE_TESTS : []), ...wishes.files];
  if (wishes.containerd === 'all') return lines.map((containerd) => ({ containerd, files }));
  if (wishes.containerd !== undefined) return [{ containerd: wishes.containerd, files }];
  if (files.length > 0) return [{ containerd: 'own', files }];
  const others = lines.filter((line) => !own.startsWith(`${line}.`));
  return [
    { containerd: 'own', files: ESSENTIAL_TESTS.filter((file) => all.includes(file)) },
    ...others.map((containerd) => ({ containerd, files: CORE_TESTS })),
    ...inParts(without(all, [...ESSENTIAL_TESTS, ...LONG_TESTS])).map((part) => ({
      containerd: 'own' as const,
      files: part,
      isOptional: true,
    })),
    { containerd: 'own', files: LONG_TESTS, isOptional: true },
    ...others.map((containerd) => ({
      containerd,
      files: without(SMOKE_TESTS, CORE_TESTS),
      isOptional: true,
    })),
  ];
}

/** Whether a run can still end in time, if its files take as long as those before it: seconds for each. */
export function fits(
  { files, isOptional = false }: EndToEndRun,
  secondsPerFile: number,
  secondsLeft: number,
): boolean {
  return !isOptional || files.length * secondsPerFile <= secondsLeft;
}

function inParts(files: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(files.length / FILES_AT_A_TIME);
  return Array.from({ length: count }, (_, index) =>
    files.slice(index * FILES_AT_A_TIME, (index + 1) * FILES_AT_A_TIME),
  );
}

function without(files: readonly string[], others: readonly string[]): readonly string[] {
  return files.filter((file) => !others.includes(file));
}
