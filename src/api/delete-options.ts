/**
 * What a DELETE asks for besides, in its body or its query: v1 DeleteOptions, as far as they mean something.
 *
 * Source: BeforeDelete of Kubernetes' apiserver (registry/rest/delete.go).
 */
import { ConflictError } from '../errors.ts';
import { maxGraceSeconds } from '../pod/stop.ts';
import { ApiError } from './api-status.ts';
import { readBody } from './call.ts';
import type { Call } from './call.ts';
import { dryRunRefused, refuseDryRun } from './dry-run.ts';

export interface ReadDeleteOptions {
  /** Absent: the object's own. */
  readonly graceSeconds?: number;
  readonly preconditions: Preconditions;
}

/** What the object that is meant is like; absent: it may be like anything. */
interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Reads all of the body, which has to be done before anything is looked up; refuses a dry run. */
export async function readDeleteOptions(call: Call): Promise<ReadDeleteOptions> {
  refuseDryRun(call);
  const text = await readBody(call);
  const body = text.trim() === '' ? {} : objectIn(text);
  // kubectl asks here for a dry run of a deletion, and in the query for every other one.
  const { dryRun } = body;
  if (Array.isArray(dryRun) && dryRun.length > 0) throw dryRunRefused();
  const inQuery = call.query.get('gracePeriodSeconds');
  const grace = inQuery === null ? (body['gracePeriodSeconds'] ?? undefined) : numberIn(inQuery);
  return {
    graceSeconds: grace === undefined ? undefined : graceOf(grace),
    preconditions: preconditionsOf(body['preconditions'] ?? {}),
  };
}

/** Refuses to delete an object that is not the one, or not in the state, that is meant. */
export function assertPreconditions(
  kind: string,
  { name, uid, resourceVersion }: { readonly name: string } & Required<Preconditions>,
  meant: Preconditions,
): void {
  const cannot = `Operation cannot be fulfilled on ${kind} "${name}":`;
  if (meant.uid !== undefined && meant.uid !== uid) {
    throw new ConflictError(
      `${cannot} the UID in the precondition (${meant.uid}) does not match the UID in record (${uid}). ` +
        'The object might have been deleted and then recreated',
    );
  }
  if (meant.resourceVersion !== undefined && meant.resourceVersion !== resourceVersion) {
    throw new ConflictError(
      `${cannot} the ResourceVersion in the precondition (${meant.resourceVersion}) does not match ` +
        `the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
  }
}

function preconditionsOf(value: unknown): Preconditions {
  if (typeof value !== 'object' || value === null) {
    throw new ApiError('BadRequest', 'preconditions must be an object');
  }
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const text = (field: 'uid' | 'resourceVersion'): string | undefined => {
    const one = fields[field] ?? undefined;
    if (one === undefined || typeof one === 'string') return one;
    throw new ApiError('BadRequest', `preconditions.${field} must be a string`);
  };
  return { uid: text('uid'), resourceVersion: text('resourceVersion') };
}

/** The seconds that are asked for; Kubernetes takes what is negative for 1. */
function graceOf(asked: unknown): number {
  if (typeof asked === 'number' && Number.isInteger(asked) && asked <= maxGraceSeconds) {
    return asked < 0 ? 1 : asked;
  }
  throw new ApiError(
    'BadRequest',
    `gracePeriodSeconds must be a whole number of at most ${maxGraceSeconds}`,
  );
}

function numberIn(text: string): number {
  return /^-?\d+$/.test(text) ? Number(text) : NaN;
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new ApiError('BadRequest', 'the body is not valid JSON', { cause: error });
  }
  throw new ApiError('BadRequest', 'the body is not a JSON object');
}
