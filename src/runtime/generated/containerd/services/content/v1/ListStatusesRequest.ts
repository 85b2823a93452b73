// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-content.proto.


export interface ListStatusesRequest {
  'filters'?: (string)[];
}

export interface ListStatusesRequest__Output {
  'filters': (string)[];
}
