// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/cri.proto.


export interface StopContainerResponse {
}

export interface StopContainerResponse__Output {
}
