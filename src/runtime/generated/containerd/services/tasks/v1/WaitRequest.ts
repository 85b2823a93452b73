// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-tasks.proto.


export interface WaitRequest {
  'containerId'?: (string);
  'execId'?: (string);
}

export interface WaitRequest__Output {
  'containerId': (string);
  'execId': (string);
}
