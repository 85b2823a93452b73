// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/cri.proto.


export interface ReopenContainerLogResponse {
}

export interface ReopenContainerLogResponse__Output {
}
