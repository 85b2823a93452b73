// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-tasks.proto.


export interface KillRequest {
  'containerId'?: (string);
  'execId'?: (string);
  'signal'?: (number);
  'all'?: (boolean);
}

export interface KillRequest__Output {
  'containerId': (string);
  'execId': (string);
  'signal': (number);
  'all': (boolean);
}
