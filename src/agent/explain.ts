/** Why an action failed, in the words of Kubernetes. */
import { messageOf } from '../errors.ts';
import { DeviceError } from '../host/devices/device-error.ts';
import { CgroupError } from '../host/cgroups.ts';
import { FolderError } from '../host/folder.ts';
import { VolumeError } from '../host/volumes/volume-error.ts';
import type { Action } from '../pod/action.ts';
import { ContainerConfigError } from '../runtime/config-error.ts';
import { RuntimeCallError } from '../runtime/call.ts';
import { ImageError } from '../runtime/images.ts';
import { NetworkNotReadyError } from '../runtime/network-ready.ts';
import { SharedPullError } from './shared-pulls.ts';
import type { Reported } from './view.ts';

/** The reason, for the status, and a message. */
export function explain(action: Action, error: unknown): Reported {
  if (error instanceof ImageError) {
    const { reason, details, image } = error;
    const earlier = error instanceof SharedPullError ? error.earlier : undefined;
    return { reason, message: details, image, ...earlier };
  }
  const message = error instanceof RuntimeCallError ? error.details : messageOf(error);
  if (error instanceof ContainerConfigError || isVolumeFault(action, error)) {
    return { reason: 'CreateContainerConfigError', message };
  }
  switch (action.kind) {
    case 'create-container': {
      const isBefore = error instanceof DeviceError;
      return { reason: isBefore ? 'PreCreateHookError' : 'CreateContainerError', message };
    }
    case 'start-container': {
      const isBefore = error instanceof DeviceError;
      return { reason: isBefore ? 'PreStartHookError' : 'RunContainerError', message };
    }
    case 'run-sandbox': {
      const hasNetwork = !(error instanceof NetworkNotReadyError);
      return { reason: hasNetwork ? 'FailedCreatePodSandBox' : 'NetworkNotReady', message };
    }
    case 'lend':
      if (error instanceof FolderError) return { reason: 'Failed', message };
      if (error instanceof CgroupError) return { reason: 'FailedCreatePodContainer', message };
      return { reason: 'FailedMount', message };
    case 'run-hook':
      return {
        reason: action.hook === 'preStop' ? 'FailedPreStopHook' : 'FailedPostStartHook',
        message,
      };
    case 'probe-container':
      return { reason: 'FailedProbe', message };
    case 'free-devices':
      return { reason: 'FailedFreeDevices', message };
    case 'prove-gone':
      return { reason: 'FailedKillContainer', message };
    case 'stop-container':
    case 'kill-containers':
    case 'remove-container':
    case 'stop-sandbox':
    case 'remove-sandbox':
    case 'forget':
      return { reason: 'FailedKillPod', message };
    default:
      return action satisfies never;
  }
}

/** A sub-path of a volume cannot be had; as a whole, volumes are provided before any container. */
function isVolumeFault({ kind }: Action, error: unknown): boolean {
  const isOfContainer = kind === 'create-container' || kind === 'start-container';
  return isOfContainer && error instanceof VolumeError;
}
