// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/cri.proto.


export interface Capability {
  'addCapabilities'?: (string)[];
  'dropCapabilities'?: (string)[];
}

export interface Capability__Output {
  'addCapabilities': (string)[];
  'dropCapabilities': (string)[];
}
