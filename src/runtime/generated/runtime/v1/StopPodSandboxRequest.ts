// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/cri.proto.


export interface StopPodSandboxRequest {
  'podSandboxId'?: (string);
}

export interface StopPodSandboxRequest__Output {
  'podSandboxId': (string);
}
