// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-task-events.proto.


export interface TaskOOM {
  'containerId'?: (string);
}

export interface TaskOOM__Output {
  'containerId': (string);
}
