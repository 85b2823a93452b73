/**
 * The words and numbers that the text and the page share. Pure.
 */
import type { BenchResult } from './bench.ts';
import type { Method } from './contender.ts';
import type { Machine } from './machine.ts';
import type { Scenario } from './scenario.ts';

/** Names of the methods in a report. */
export const methodNames: Readonly<Record<Method, string>> = {
  'in-place': 'in-place restart',
  naive: 'naive floor',
  're-creation': 're-creation',
};

/** What each method does, in a sentence. */
export function methodTexts({ pods }: Pick<Scenario, 'pods'>): Readonly<Record<Method, string>> {
  const polled =
    pods === 1
      ? "poll the trigger's status every 2 ms until it has exited"
      : 'all pods side by side: list what has exited every 2 ms, or as fast as containerd answers, ' +
        'once for all that are waited for, until the trigger is in the list';
  return {
    'in-place': 'reprise, on its own: all containers anew in the same sandbox.',
    naive:
      `The same by hand with CRI calls: ${polled}; ` +
      'StopContainer with timeout 0 for all at once; RemoveContainer for all at once; then for each ' +
      'container in order CreateContainer and StartContainer, and poll init containers until exited.',
    're-creation':
      'As the naive floor, with StopPodSandbox, RemovePodSandbox and RunPodSandbox in between.',
  };
}

/** What the clock measures. */
export const clockText =
  "The clock runs from the trigger's last act (a sidecar makes a file, then exits with 88) to the " +
  'first act of the app container that comes last (it makes a file), by the times of these files; ' +
  'they are as fine as the tick of the kernel, a few milliseconds.';

/** `3 pods together, each with 1 init container, 1 sidecar, 2 app containers`. */
export function scenarioText({ pods, inits, containers }: Scenario): string {
  const each = [
    ...(inits > 0 ? [counted(inits, 'init container')] : []),
    counted(1, 'sidecar'),
    counted(containers, 'app container'),
  ].join(', ');
  return pods === 1 ? `1 pod with ${each}` : `${pods} pods together, each with ${each}`;
}

/** How the rounds were run. */
export function roundsText({ rounds, standbys, deferredCleanup }: BenchResult): string {
  const { iterations, warmUps, asked } = rounds;
  const askedText = asked === undefined ? '' : ` of ${asked}, then interrupted,`;
  const standbysText = standbys ? '' : '; without standbys';
  const cleanupText = deferredCleanup ? '' : '; without deferred clean-up';
  return `${counted(iterations, 'round')}${askedText} after ${counted(warmUps, 'round')} to warm up, methods in turns${standbysText}${cleanupText}`;
}

/** The machine as a list of names and values. */
export function machineFacts(
  machine: Machine,
): readonly (readonly [name: string, value: string])[] {
  const { cpu, cpus, memoryBytes, load } = machine;
  return [
    ['CPU', `${cpus} x ${cpu}`],
    ['memory', `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ['load at the start', load.toFixed(2)],
    [
      'system',
      `${machine.distribution}, Linux ${machine.kernel}, cgroup v${machine.cgroupVersion}`,
    ],
    ['containerd', `${machine.containerd}, snapshotter ${machine.snapshotter}`],
    ['OCI runtime', machine.ociRuntime],
    ['file system', machine.fileSystem],
    ['reprise', `${machine.reprise} on Node.js ${machine.node}`],
  ];
}

/** Numbers with a unit that a person can compare: three digits, or tenths when small. */
export function inMs(ms: number): string {
  return `${Math.abs(ms) < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
