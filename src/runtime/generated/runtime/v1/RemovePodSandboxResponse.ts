// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/cri.proto.


export interface RemovePodSandboxResponse {
}

export interface RemovePodSandboxResponse__Output {
}
