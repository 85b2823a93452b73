// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-version.proto.


export interface VersionResponse {
  'version'?: (string);
  'revision'?: (string);
}

export interface VersionResponse__Output {
  'version': (string);
  'revision': (string);
}
