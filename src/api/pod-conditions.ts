/**
 * The subresource `status` of pods: how others set the conditions that `spec.readinessGates` names.
 *
 * It is the pod, of which nothing but these conditions can be changed; whatever else an update says of
 * what is ours to tell is passed over.
 */
import { z } from 'zod';
import { own } from '../pod/own.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { gatesOf, ownConditions } from '../pod/readiness-gates.ts';
import type { GateChanges, GateCondition } from '../pod/readiness-gates.ts';
import { ApiError } from './api-status.ts';
import { sendJson } from './call.ts';
import type { ApiContext, Call } from './call.ts';
import { readUpdate } from './pod-update.ts';

/** PUT and PATCH .../pods/NAME/status. */
export async function updateStatus(call: Call, context: ApiContext): Promise<void> {
  const { pod, status } = await readUpdate(call, context);
  const { namespace, name } = pod.metadata;
  const changes = gateChanges(pod, gateConditions(pod, status['conditions'] ?? []));
  sendJson(call, 200, await context.backend.setGates(namespace, name, changes));
}

/** Only what differs from what its sender has seen: two that set different ones do not undo each other's. */
function gateChanges(pod: V1Pod, wanted: Readonly<Record<string, GateCondition>>): GateChanges {
  const changes = gatesOf(pod.spec).flatMap((type) => {
    const known = pod.status.conditions.find((one) => one.type === type);
    const next = own(wanted, type);
    const isSame =
      known?.status === next?.status &&
      known?.reason === next?.reason &&
      known?.message === next?.message;
    return isSame ? [] : [[type, next] as const];
  });
  return Object.fromEntries(changes);
}

const condition = z.looseObject({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().max(1024).optional(),
  message: z.string().max(32_768).optional(),
});

function gateConditions(pod: V1Pod, given: unknown): Readonly<Record<string, GateCondition>> {
  if (!Array.isArray(given)) throw invalid('status.conditions', 'must be a list');
  const settable = gatesOf(pod.spec);
  const entries = given.flatMap((one: unknown, index) => {
    const field = `status.conditions[${index}]`;
    const { data, error } = condition.safeParse(one);
    if (data === undefined) {
      const [issue] = error.issues;
      throw invalid([field, ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is not valid');
    }
    const { type, status, reason, message } = data;
    if (ownConditions.has(type)) return [];
    if (!settable.includes(type)) {
      throw invalid(`${field}.type`, `"${type}" is not among spec.readinessGates of the pod`);
    }
    const told = {
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
    };
    return [[type, { status, ...told }] as const];
  });
  return Object.fromEntries(entries);
}

function invalid(field: string, message: string): ApiError {
  return new ApiError('Invalid', `${field}: ${message}`, {
    where: field,
    next: 'give conditions that the pod has as a readiness gate, with a status of True, False or Unknown',
  });
}
