import test from 'ava';
import type { V1Event } from '../api/backend.ts';
import { aShownPod, running, status, terminated, waiting } from '../testing/v1-pods.ts';
import type { ShownPod } from '../testing/v1-pods.ts';
import { tellEvent, tellPod } from './story.ts';
import type { StoryLine } from './story.ts';

const inWords = ({ container = 'pod', text }: StoryLine): string => `${container}: ${text}`;

const killed = terminated(137, 'RestartingAllContainers');
const id = (name: string) => ({ containerID: `containerd://${name}` });

interface Case {
  readonly before?: ShownPod;
  readonly after: ShownPod;
  readonly tells: readonly string[];
}

const cases: Record<string, Case> = {
  'a pod that is new': {
    after: { main: [status('a', waiting('ContainerCreating'))], status: { phase: 'Pending' } },
    tells: ['pod: default/web, uid uid-of-web', 'pod: Pending'],
  },
  'a container starts, and the pod runs': {
    before: { main: [status('a', waiting('ContainerCreating'))], status: { phase: 'Pending' } },
    after: { main: [status('a', running())] },
    tells: ['a: started', 'pod: Running'],
  },
  'nothing new': {
    before: { main: [status('a', running())] },
    after: { main: [status('a', running(), { ready: false })] },
    tells: [],
  },
  'a container exits': {
    before: { main: [status('a', running())] },
    after: { main: [status('a', terminated(88))] },
    tells: ['a: exited with code 88 (Error) after 4s'],
  },
  'a container exits with a message': {
    before: { main: [status('a', running())] },
    after: {
      main: [
        status('a', {
          terminated: { exitCode: 128, reason: 'StartError', message: 'no such file' },
        }),
      ],
    },
    tells: ['a: exited with code 128 (StartError): no such file'],
  },
  'a start that failed is told as the end that it was': {
    before: { main: [status('a', waiting('ContainerCreating'))] },
    after: {
      main: [
        status('a', waiting('RunContainerError', 'no such file'), {
          lastState: {
            terminated: { exitCode: 128, reason: 'StartError', message: 'no such file' },
          },
        }),
      ],
    },
    tells: ['a: exited with code 128 (StartError): no such file'],
  },
  'a start that could not even be tried': {
    before: { main: [status('a', waiting('ContainerCreating'))] },
    after: { main: [status('a', waiting('RunContainerError', 'containerd is away'))] },
    tells: ['a: RunContainerError: containerd is away'],
  },
  'a pull goes on': {
    before: { main: [status('a', waiting('ContainerCreating', 'Pulling image "x": 3s'))] },
    after: { main: [status('a', waiting('ContainerCreating', 'Pulling image "x": 6s'))] },
    tells: ['a: Pulling image "x": 6s'],
  },
  'a pull that has no news': {
    before: { main: [status('a', waiting('PodInitializing', 'Pulling image "x": 3s'))] },
    after: { main: [status('a', waiting('PodInitializing', 'Pulling image "x": 3s'))] },
    tells: [],
  },
  'a pull failed, and waits for its next try': {
    before: { main: [status('a', waiting('ErrImagePull', 'refused'))] },
    after: { main: [status('a', waiting('ImagePullBackOff', 'Back-off: refused'))] },
    tells: [],
  },
  'an exit that became the last state is not told twice': {
    before: { main: [status('a', terminated(1))] },
    after: {
      main: [
        status('a', waiting('CrashLoopBackOff', 'back-off 10s'), {
          restartCount: 1,
          lastState: terminated(1),
        }),
      ],
    },
    tells: ['a: CrashLoopBackOff: back-off 10s'],
  },
  'killed for an in-place restart, and waiting at once': {
    before: { main: [status('a', running())] },
    after: {
      main: [status('a', waiting('RestartingAllContainers'), { lastState: killed })],
      status: { phase: 'Pending' },
    },
    tells: ['a: exited with code 137 (RestartingAllContainers) after 4s', 'pod: Pending'],
  },
  'an exit is told once, though its time is known later': {
    before: {
      main: [
        status('a', waiting('RestartingAllContainers'), {
          lastState: {
            terminated: { exitCode: 137, reason: 'RestartingAllContainers', ...id('1') },
          },
        }),
      ],
    },
    after: {
      main: [
        status('a', waiting('PodInitializing'), {
          lastState: { terminated: { ...killed.terminated, exitCode: 137, ...id('1') } },
        }),
      ],
    },
    tells: [],
  },
  'the same container fails again at once': {
    before: { main: [status('a', { terminated: { exitCode: 3, ...id('1') } })] },
    after: { main: [status('a', { terminated: { exitCode: 3, ...id('2') } })] },
    tells: ['a: exited with code 3'],
  },
  'back up after a restart': {
    before: { main: [status('a', waiting('PodInitializing'), { lastState: killed })] },
    after: { main: [status('a', running(), { restartCount: 1, lastState: killed, ...id('2') })] },
    tells: ['a: started (restart 1)'],
  },
  'another run in the same state is a start': {
    before: { main: [status('a', running(), id('1'))] },
    after: {
      main: [status('a', running(), { restartCount: 1, lastState: terminated(3), ...id('2') })],
    },
    tells: ['a: exited with code 3 (Error) after 4s', 'a: started (restart 1)'],
  },
  'a pod that fails says why': {
    before: { main: [] },
    after: {
      main: [],
      status: { phase: 'Failed', reason: 'DeadlineExceeded', message: 'too long' },
    },
    tells: ['pod: Failed (DeadlineExceeded: too long)'],
  },
  'a pod that is being deleted': {
    before: { main: [] },
    after: {
      main: [],
      metadata: { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 },
    },
    tells: ['pod: is being deleted, within 30s'],
  },
  'a pod that is cleared away after its end is no news': {
    before: { main: [], status: { phase: 'Succeeded' } },
    after: {
      main: [],
      status: { phase: 'Succeeded' },
      metadata: { deletionTimestamp: '2026-01-01T00:00:30Z' },
    },
    tells: [],
  },
};

for (const [title, { before, after, tells }] of Object.entries(cases)) {
  test(title, (t) => {
    const lines = tellPod(before && aShownPod(before), aShownPod(after));
    t.deepEqual(lines.map(inWords), tells);
  });
}

const events: Record<string, [Partial<V1Event> & { of?: string }, readonly string[]]> = {
  'an in-place restart begins': [
    { reason: 'RestartingAllContainers', type: 'Warning', message: 'watcher exited' },
    ['pod: watcher exited'],
  ],
  'an in-place restart is over': [
    { reason: 'RestartedAllContainers', message: 'in 120 ms' },
    ['pod: in 120 ms'],
  ],
  'a pull that takes its time': [
    { reason: 'Pulling', message: 'Pulling image "a:1"', of: 'main' },
    ['main: Pulling: Pulling image "a:1"'],
  ],
  'an image that was there already is no news': [
    { reason: 'Pulled', message: 'Container image "a:1" already present', of: 'main' },
    [],
  ],
  'something is wrong with the pod': [
    { reason: 'FailedMount', type: 'Warning', message: 'no such folder' },
    ['pod: FailedMount: no such folder'],
  ],
  'what the state of the container says, too': [
    { reason: 'Failed', type: 'Warning', message: 'Error: x', of: 'main' },
    [],
  ],
};

for (const [title, [{ of, ...event }, tells]] of Object.entries(events)) {
  test(title, (t) => {
    const involvedObject = { ...(of !== undefined && { fieldPath: `spec.containers{${of}}` }) };
    const lines = tellEvent({ type: 'Normal', involvedObject, ...event } as V1Event);
    t.deepEqual(lines.map(inWords), tells);
  });
}
