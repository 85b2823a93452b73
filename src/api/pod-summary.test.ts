import test from 'ava';
import { aShownPod, running, status, terminated, waiting } from '../testing/v1-pods.ts';
import type { ShownPod } from '../testing/v1-pods.ts';
import { summarize } from './pod-summary.ts';

const initialized = { type: 'Initialized', status: 'True', lastTransitionTime: '' } as const;
const ready = { type: 'Ready', status: 'True', lastTransitionTime: '' } as const;

const cases: Record<string, ShownPod & { shows: string }> = {
  'a pod that runs': { main: [status('a', running())], shows: '1/1 Running 0' },
  'a pod that just came': {
    main: [status('a', waiting('ContainerCreating'))],
    status: { phase: 'Pending' },
    shows: '0/1 ContainerCreating 0',
  },
  'the first of two init containers runs': {
    init: [status('i1', running()), status('i2', waiting('PodInitializing'))],
    main: [status('a', waiting('PodInitializing'))],
    status: { phase: 'Pending' },
    shows: '0/1 Init:0/2 0',
  },
  'the second init container is due': {
    init: [status('i1', terminated(0)), status('i2', waiting('PodInitializing'))],
    main: [status('a', waiting('PodInitializing'))],
    status: { phase: 'Pending' },
    shows: '0/1 Init:1/2 0',
  },
  'an init container has failed': {
    init: [status('i1', terminated(3))],
    main: [status('a', waiting('PodInitializing'))],
    status: { phase: 'Failed' },
    shows: '0/1 Init:Error 0',
  },
  'an init container has failed without a reason': {
    init: [status('i1', { terminated: { exitCode: 3 } })],
    main: [status('a', waiting('PodInitializing'))],
    status: { phase: 'Failed' },
    shows: '0/1 Init:ExitCode:3 0',
  },
  'an init container was killed by a signal': {
    init: [status('i1', { terminated: { exitCode: 0x89, signal: 9 } })],
    main: [status('a', waiting('PodInitializing'))],
    shows: '0/1 Init:Signal:9 0',
  },
  'an init container in back-off counts its own restarts': {
    init: [status('i1', waiting('CrashLoopBackOff'), { restartCount: 4 })],
    main: [status('a', waiting('PodInitializing'), { restartCount: 9 })],
    status: { phase: 'Pending' },
    shows: '0/1 Init:CrashLoopBackOff 4',
  },
  'a sidecar that runs is one of the ready ones': {
    init: [status('s', running(), { restartCount: 2 }), status('i', terminated(0))],
    sidecars: ['s'],
    main: [status('a', running(), { restartCount: 1 })],
    shows: '2/2 Running 3',
  },
  'a sidecar that has not started yet holds the pod up': {
    init: [status('s', running(), { started: false, ready: false })],
    sidecars: ['s'],
    main: [status('a', waiting('PodInitializing'))],
    status: { phase: 'Pending' },
    shows: '0/2 Init:0/1 0',
  },
  'a sidecar that runs before an init container is due': {
    init: [status('s', running()), status('i', waiting('PodInitializing'))],
    sidecars: ['s'],
    main: [status('a', waiting('PodInitializing'))],
    status: { phase: 'Pending' },
    shows: '1/2 Init:1/2 0',
  },
  'a container in back-off': {
    main: [
      status('a', waiting('CrashLoopBackOff'), { restartCount: 3 }),
      status('b', running(), { restartCount: 1 }),
    ],
    shows: '1/2 CrashLoopBackOff 4',
  },
  'the first container with a reason gives it': {
    main: [status('a', terminated(1)), status('b', waiting('ImagePullBackOff'))],
    shows: '0/2 Error 0',
  },
  'all containers of an in-place restart wait': {
    init: [status('i', waiting('RestartingAllContainers'), { restartCount: 1 })],
    main: [status('a', waiting('RestartingAllContainers'), { restartCount: 1 })],
    status: { conditions: [initialized] },
    shows: '0/1 RestartingAllContainers 1',
  },
  'the same for a pod that was never initialized': {
    init: [status('i', waiting('RestartingAllContainers'), { restartCount: 1 })],
    main: [status('a', waiting('RestartingAllContainers'), { restartCount: 1 })],
    status: { phase: 'Pending' },
    shows: '0/1 Init:RestartingAllContainers 1',
  },
  'a finished pod': {
    main: [status('a', terminated(0))],
    status: { phase: 'Succeeded' },
    shows: '0/1 Completed 0',
  },
  'one container is done, the other runs': {
    main: [status('a', terminated(0)), status('b', running())],
    status: { conditions: [ready] },
    shows: '1/2 Running 0',
  },
  'one container is done, the other runs, and the pod is not ready': {
    main: [status('a', terminated(0)), status('b', running())],
    shows: '1/2 NotReady 0',
  },
  'killed by the kernel': {
    main: [status('a', terminated(137, 'OOMKilled'))],
    status: { phase: 'Failed' },
    shows: '0/1 OOMKilled 0',
  },
  'the reason of the pod itself': {
    main: [status('a', waiting(''))],
    status: { phase: 'Failed', reason: 'DeadlineExceeded' },
    shows: '0/1 DeadlineExceeded 0',
  },
  'a pod being deleted': {
    main: [status('a', running())],
    metadata: { deletionTimestamp: '2026-01-01T00:00:09Z' },
    shows: '1/1 Terminating 0',
  },
  'a pod being deleted that has ended': {
    main: [status('a', terminated(0))],
    status: { phase: 'Succeeded' },
    metadata: { deletionTimestamp: '2026-01-01T00:00:09Z' },
    shows: '0/1 Completed 0',
  },
};

for (const [title, { shows, ...pod }] of Object.entries(cases)) {
  test(title, (t) => {
    const { ready, total, status, restarts } = summarize(aShownPod(pod));
    t.is(`${ready}/${total} ${status} ${restarts}`, shows);
  });
}

test('the last restart is the latest end of a run before this one', (t) => {
  const ended = (at: string) => ({ restartCount: 1, lastState: terminated(1, 'Error', at) });
  const { lastRestartAt } = summarize(
    aShownPod({
      main: [
        status('a', running(), ended('2026-01-01T00:00:05Z')),
        status('b', running(), ended('2026-01-01T00:00:07Z')),
        status('c', running()),
      ],
    }),
  );
  t.is(lastRestartAt, '2026-01-01T00:00:07Z');
});
