/**
 * gRPC's health protocol, from the asking side. It is here because this folder is the one that
 * speaks gRPC; containerd has no part in it.
 */
import { Client, credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { messageOf } from '../errors.ts';
import { LONGEST_TIMER_MS } from '../timers.ts';
import type { ProtoGrpcType } from './generated/grpc-health.ts';
import { protoDirectory, protoOptions } from './protos.ts';

export interface HealthQuestion {
  /** `address:port`, with an IPv6 address in brackets. */
  readonly target: string;
  /** Empty: the server as a whole. */
  readonly service: string;
  readonly userAgent: string;
  /** For connecting and asking together. */
  readonly timeoutMs: number;
}

/** Why it is not serving; absent: it is. */
export type HealthComplaint = string | undefined;

/** Resolves to what is wrong, and never rejects: whoever does not answer is not healthy. */
export type CheckHealth = (
  question: HealthQuestion,
  signal: AbortSignal,
) => Promise<HealthComplaint>;

/** Reads the protocol's definition once; each check is a connection of its own, as in a new client. */
export function healthChecker(): CheckHealth {
  const definition = loadSync('grpc-health.proto', {
    ...protoOptions,
    includeDirs: [protoDirectory],
  });
  // The types are generated from the very file that is loaded here.
  const protos = loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  const { Check } = protos.grpc.health.v1.Health.service;

  return ({ target, service, userAgent, timeoutMs }, signal) =>
    new Promise((resolve) => {
      const client = new Client(target, credentials.createInsecure(), {
        'grpc.primary_user_agent': userAgent,
        'grpc.enable_http_proxy': 0,
        'grpc.use_local_subchannel_pool': 1,
        'grpc.enable_retries': 0,
      });
      const answer = (complaint: HealthComplaint) => {
        signal.removeEventListener('abort', cancel);
        client.close();
        resolve(complaint);
      };
      const call = client.makeUnaryRequest(
        Check.path,
        Check.requestSerialize,
        Check.responseDeserialize,
        { service },
        // Of a deadline that is further away than a timer goes, nobody on this side takes care.
        { deadline: Date.now() + Math.min(timeoutMs, LONGEST_TIMER_MS) },
        (error, response) => {
          if (error) answer(inWords(error, timeoutMs));
          else if (response?.status === 'SERVING') answer(undefined);
          else answer(`service unhealthy (responded with "${response?.status ?? 'nothing'}")`);
        },
      );
      const cancel = () => {
        call.cancel();
      };
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
    });
}

function inWords(error: ServiceError, timeoutMs: number): string {
  if (error.code === status.DEADLINE_EXCEEDED) {
    return `timeout: health rpc did not complete within ${timeoutMs / 1000}s`;
  }
  return error.code === status.UNIMPLEMENTED
    ? 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)'
    : `error: health rpc failed: ${messageOf(error)}`;
}
