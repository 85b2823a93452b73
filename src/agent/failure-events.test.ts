import test from 'ava';
import type { Action } from '../pod/action.ts';
import { DeviceError } from '../host/devices/device-error.ts';
import { CgroupError } from '../host/cgroups.ts';
import { FolderError } from '../host/folder.ts';
import { VolumeError } from '../host/volumes/volume-error.ts';
import { RuntimeCallError } from '../runtime/call.ts';
import { ImageError } from '../runtime/images.ts';
import { NetworkNotReadyError } from '../runtime/network-ready.ts';
import { failureEvents } from './failure-events.ts';
import { SharedPullError } from './shared-pulls.ts';

const create: Action = { kind: 'create-container', name: 'main', attempt: 0, generation: 0 };
const next = 'look';

const cases: Record<string, readonly [Action, Error, readonly string[]]> = {
  'a pull that failed is told with what the registry said, then by its reason': [
    create,
    new ImageError('ErrImagePull', 'Failed to pull image "a": refused', 'a', {
      next,
      details: 'refused',
    }),
    ['Failed: Failed to pull image "a": refused', 'Failed: Error: ErrImagePull'],
  ],
  'a pull that failed for another container is not told again': [
    create,
    new SharedPullError('a', 'refused'),
    [],
  ],
  'an image that may not be pulled has a reason of its own': [
    create,
    new ImageError('ErrImageNeverPull', 'Container image "a" is not present', 'a', { next }),
    ['ErrImageNeverPull: Container image "a" is not present', 'Failed: Error: ErrImageNeverPull'],
  ],
  'a container that cannot be created is told in the words of the runtime': [
    create,
    new RuntimeCallError('CreateContainer', 'unknown', 'no space left', '/run/c.sock'),
    ['Failed: Error: no space left'],
  ],
  'devices that cannot be given are no fault of the runtime': [
    create,
    new DeviceError('device accel0 is gone', { next }),
    ['Failed: Internal PreCreateContainer hook failed: device accel0 is gone'],
  ],
  'nor are those that have changed since': [
    { kind: 'start-container', id: 'f00d', name: 'main' },
    new DeviceError('its devices have changed', { next }),
    ['Failed: Internal PreStartContainer hook failed: its devices have changed'],
  ],
  'a sandbox that cannot be made has its own event': [
    { kind: 'run-sandbox', attempt: 0 },
    new RuntimeCallError('RunPodSandbox', 'unknown', 'no bridge', '/run/c.sock'),
    ['FailedCreatePodSandBox: Failed to create pod sandbox: no bridge'],
  ],
  'a network that is not there is no fault of the sandbox': [
    { kind: 'run-sandbox', attempt: 0 },
    new NetworkNotReadyError('network is not ready: no plugin', { next }),
    ['NetworkNotReady: network is not ready: no plugin'],
  ],
  'volumes that cannot be had': [
    { kind: 'lend' },
    new VolumeError('no such folder', { next }),
    ['FailedMount: Unable to attach or mount volumes: no such folder'],
  ],
  'a cgroup that cannot be made': [
    { kind: 'lend' },
    new CgroupError('read-only', { next }),
    ['FailedCreatePodContainer: unable to ensure pod container exists: read-only'],
  ],
  "a pod's own folders that cannot be made": [
    { kind: 'lend' },
    new FolderError('mkdir: read-only', { next }),
    ['Failed: error making pod data directories: mkdir: read-only'],
  ],
  'what is left of a pod that cannot be ended': [
    { kind: 'stop-sandbox', id: 'f00d' },
    new RuntimeCallError('StopPodSandbox', 'unknown', 'no plugin', '/run/c.sock'),
    ['FailedKillPod: error killing pod: no plugin'],
  ],
};
for (const [title, [action, error, told]] of Object.entries(cases)) {
  test(title, (t) => {
    const events = failureEvents(action, error);
    t.deepEqual(
      events.map(({ reason, message }) => `${reason}: ${message}`),
      told,
    );
    t.true(events.every(({ type }) => type === 'Warning'));
  });
}
