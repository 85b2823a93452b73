/**
 * Our definitions of the messages of containerd and of gRPC's health protocol, in proto/, and how they are turned into JavaScript.
 *
 * generate-types.ts makes the types in generated/ from the same files with the same options, so
 * that what the compiler believes is what arrives.
 */
import { fileURLToPath } from 'node:url';
import type { Options } from '@grpc/proto-loader';

/** The folder of the definitions: beside src/ in a checkout, beside dist/ in the package. */
export const protoDirectory = fileURLToPath(new URL('../../proto/', import.meta.url));

/** Every file there is, without those that others import. */
export const protoFiles = [
  'cri.proto',
  'containerd-events.proto',
  'containerd-task-events.proto',
  'containerd-image-events.proto',
  'containerd-content.proto',
  'containerd-tasks.proto',
  'containerd-containers.proto',
  'grpc-health.proto',
] as const;

/**
 * Field names in camelCase; nothing is left undefined; 64-bit numbers are strings, because
 * nanoseconds since 1970 do not fit a JavaScript number.
 */
export const protoOptions = {
  keepCase: false,
  longs: String,
  enums: String,
  defaults: true,
} as const satisfies Options;
