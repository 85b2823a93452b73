// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-containers.proto.


export interface GetContainerRequest {
  'id'?: (string);
}

export interface GetContainerRequest__Output {
  'id': (string);
}
