// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck
// From proto/containerd-containers.proto.

import type { Any as _google_protobuf_Any, Any__Output as _google_protobuf_Any__Output } from '../../../../google/protobuf/Any.ts';

export interface Container {
  'id'?: (string);
  'spec'?: (_google_protobuf_Any | null);
}

export interface Container__Output {
  'id': (string);
  'spec': (_google_protobuf_Any__Output | null);
}
