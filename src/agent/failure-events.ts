/**
 * The events of an action that failed, in the kubelet's words.
 *
 * An image that cannot be had makes two, as kuberuntime_container.go tells the failure once more
 * after image_manager.go has: the second one with nothing but the reason.
 */
import type { Action } from '../pod/action.ts';
import type { PodEvent } from '../pod/decision.ts';
import { ImageError } from '../runtime/images.ts';
import type { ImageReason } from '../runtime/images.ts';
import { explain } from './explain.ts';
import { SharedPullError } from './shared-pulls.ts';

export function failureEvents(action: Action, error: unknown): readonly PodEvent[] {
  const container = 'name' in action ? action.name : undefined;
  const warning = (reason: string, message: string): PodEvent => ({
    type: 'Warning',
    reason,
    message,
    container,
  });
  // Its wait is told when it is seen: pull-backoff.ts.
  if (error instanceof SharedPullError) return [];
  if (error instanceof ImageError) {
    return [
      warning(imageEvents[error.reason], error.message),
      warning('Failed', `Error: ${error.reason}`),
    ];
  }
  const { reason: own, message } = explain(action, error);
  // A kubelet has one reason for all of it.
  const reason = own === 'FailedKillContainer' ? 'FailedKillPod' : own;
  const hasOwnEvent = reason.startsWith('Failed') || reason === 'NetworkNotReady';
  return [
    hasOwnEvent
      ? warning(reason, `${beginnings[reason] ?? ''}${message}`)
      : warning('Failed', `${beginnings[reason] ?? 'Error: '}${message}`),
  ];
}

/** What comes before the cause, by the reason. */
const beginnings: Readonly<Record<string, string>> = {
  PreCreateHookError: 'Internal PreCreateContainer hook failed: ',
  PreStartHookError: 'Internal PreStartContainer hook failed: ',
  Failed: 'error making pod data directories: ',
  FailedCreatePodContainer: 'unable to ensure pod container exists: ',
  FailedMount: 'Unable to attach or mount volumes: ',
  FailedCreatePodSandBox: 'Failed to create pod sandbox: ',
  FailedKillPod: 'error killing pod: ',
};

const imageEvents: Readonly<Record<ImageReason, string>> = {
  InvalidImageName: 'InspectFailed',
  ImageInspectError: 'InspectFailed',
  ErrImageNeverPull: 'ErrImageNeverPull',
  ErrImagePull: 'Failed',
};
