// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/grpc-health.proto.


export interface HealthCheckRequest {
  'service'?: (string);
}

export interface HealthCheckRequest__Output {
  'service': (string);
}
