// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-events.proto.


export interface SubscribeRequest {
  'filters'?: (string)[];
}

export interface SubscribeRequest__Output {
  'filters': (string)[];
}
