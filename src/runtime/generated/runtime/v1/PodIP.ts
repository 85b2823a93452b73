// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/cri.proto.


export interface PodIP {
  'ip'?: (string);
}

export interface PodIP__Output {
  'ip': (string);
}
