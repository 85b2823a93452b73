// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-task-events.proto.


export interface TaskCreate {
  'containerId'?: (string);
  'pid'?: (number);
}

export interface TaskCreate__Output {
  'containerId': (string);
  'pid': (number);
}
