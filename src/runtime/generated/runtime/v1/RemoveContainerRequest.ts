// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/cri.proto.


export interface RemoveContainerRequest {
  'containerId'?: (string);
}

export interface RemoveContainerRequest__Output {
  'containerId': (string);
}
