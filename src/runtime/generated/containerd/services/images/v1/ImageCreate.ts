// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-image-events.proto.


export interface ImageCreate {
  'name'?: (string);
}

export interface ImageCreate__Output {
  'name': (string);
}
