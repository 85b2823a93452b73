/**
 * One document -> a valid ConfigMap, Secret or PersistentVolumeClaim, or a ManifestError.
 *
 * Read next: schema/objects.ts, their fields; rules/objects.ts, what their data may hold.
 */
import type { ConfigMap, ManifestObject, ObjectKind, Secret, V1Object } from '../pod/objects.ts';
import { objectKinds } from '../pod/objects.ts';
import { forbidden } from './manifest-error.ts';
import type { Problem } from './manifest-error.ts';
import { inertNotesOn } from './notes.ts';
import { checkAnnotations, checkLabels } from './rules/names.ts';
import { bytesOf, checkConfigMap, checkSecret } from './rules/objects.ts';
import type { PartlyPod } from './rules/rule.ts';
import { objectSchemas } from './schema/objects.ts';
import type { RawClaim, RawConfigMap, RawSecret } from './schema/objects.ts';
import { isMap } from './schema/walk.ts';
import { judge, refuse } from './judge.ts';
import type { Source } from './judge.ts';

/** A valid object, and remarks on what has no effect. */
export interface ValidatedObject {
  readonly object: ManifestObject;
  readonly notes: readonly string[];
}

/** The kind of object that a document says it is; undefined if it is none of ours. */
export function objectKindOf(value: unknown): ObjectKind | undefined {
  if (!isMap(value)) return undefined;
  return objectKinds.find((kind) => kind === value['kind']);
}

/** The object that a document describes. */
export function validateObject(kind: ObjectKind, source: Source): ValidatedObject {
  switch (kind) {
    case 'ConfigMap': {
      const map = judge<RawConfigMap>(objectSchemas[kind], rulesWith(checkConfigMap), source);
      return {
        object: configMapOf(map, source),
        notes: inertNotesOn(objectSchemas[kind], map, source),
      };
    }
    case 'Secret': {
      const secret = judge<RawSecret>(objectSchemas[kind], rulesWith(checkSecret), source);
      return {
        object: secretOf(secret, source),
        notes: inertNotesOn(objectSchemas[kind], secret, source),
      };
    }
    case 'PersistentVolumeClaim': {
      const claim = judge<RawClaim>(objectSchemas[kind], rulesWith(), source);
      return {
        object: claimOf(claim, source),
        notes: inertNotesOn(objectSchemas[kind], claim, source),
      };
    }
    default:
      return kind satisfies never;
  }
}

/** Throws a ManifestError if an object may not become that other one. */
export function validateUpdate(before: V1Object, after: ManifestObject): void {
  const problems = [...updateProblems(before, after)];
  refuse(problems, { value: after, file: 'request body' });
}

function* updateProblems(before: V1Object, after: ManifestObject): Generator<Problem> {
  const hint = 'delete the object and make it again';
  if (before.kind === 'Secret' && after.kind === 'Secret' && before.type !== after.type) {
    yield { path: ['type'], message: forbidden('field is immutable'), hint };
  }
  if (before.kind === 'PersistentVolumeClaim' || before.immutable !== true) return;
  const next = after as ConfigMap | Secret;
  const message = forbidden('field is immutable when `immutable` is set');
  if (next.immutable !== true) yield { path: ['immutable'], message, hint };
  for (const field of ['data', 'binaryData'] as const) {
    if (textOf(before, field) !== textOf(next, field)) yield { path: [field], message, hint };
  }
}

function textOf(object: object, field: string): string {
  const value = Object.entries(object).find(([key]) => key === field)?.[1] as unknown;
  return JSON.stringify(isMap(value) ? Object.entries(value).toSorted() : []);
}

function rulesWith(own?: (object: never) => Iterable<Problem>) {
  return function* check(object: unknown): Generator<Problem> {
    // Labels and annotations are the same for everything.
    yield* checkLabels(object as PartlyPod);
    yield* checkAnnotations(object as PartlyPod);
    if (own) yield* own(object as never);
  };
}

function metadataOf(
  { name, namespace, labels, annotations }: RawConfigMap['metadata'],
  source: Source,
): ManifestObject['metadata'] {
  return {
    name,
    namespace: namespace ?? source.namespace ?? 'default',
    ...(labels && { labels }),
    ...(annotations && { annotations }),
  };
}

function configMapOf(map: RawConfigMap, source: Source): ManifestObject {
  const { data, binaryData, immutable } = map;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(map.metadata, source),
    ...(data && { data: mapValues(data, asText) }),
    ...(binaryData && { binaryData: mapValues(binaryData, (value) => plainBase64(asText(value))) }),
    ...(immutable !== undefined && { immutable }),
  };
}

function secretOf(secret: RawSecret, source: Source): ManifestObject {
  const { type = 'Opaque', immutable } = secret;
  const data = {
    ...mapValues(secret.data ?? {}, (value) => plainBase64(asText(value))),
    ...mapValues(secret.stringData ?? {}, (value) => Buffer.from(asText(value)).toString('base64')),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf(secret.metadata, source),
    type,
    ...(Object.keys(data).length > 0 && { data }),
    ...(immutable !== undefined && { immutable }),
  };
}

function claimOf(claim: RawClaim, source: Source): ManifestObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadataOf(claim.metadata, source),
    spec: claim.spec,
    status: { phase: 'Bound' },
  };
}

/** An empty value may be written as null. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function plainBase64(text: string): string {
  return bytesOf(text)?.toString('base64') ?? '';
}

function mapValues<T>(
  map: Readonly<Record<string, T>>,
  change: (value: T) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
