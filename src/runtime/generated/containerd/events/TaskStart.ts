// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-task-events.proto.


export interface TaskStart {
  'containerId'?: (string);
  'pid'?: (number);
}

export interface TaskStart__Output {
  'containerId': (string);
  'pid': (number);
}
