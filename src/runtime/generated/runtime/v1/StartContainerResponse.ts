// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/cri.proto.


export interface StartContainerResponse {
}

export interface StartContainerResponse__Output {
}
