// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-image-events.proto.


export interface ImageUpdate {
  'name'?: (string);
}

export interface ImageUpdate__Output {
  'name': (string);
}
