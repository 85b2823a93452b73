// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/cri.proto.


export interface PullImageResponse {
  'imageRef'?: (string);
}

export interface PullImageResponse__Output {
  'imageRef': (string);
}
