/**
 * The v1 ConfigMap, Secret and PersistentVolumeClaim, each as a type that can be walked. What data
 * may hold is said in ../rules/objects.ts: messages about a Secret must not quote it.
 */
import { z } from 'zod';
import type { ObjectKind } from '../../pod/objects.ts';
import { honoured, inert, refused, required } from './field.ts';
import { listOf, mapOf } from './many.ts';
import { metadata } from './metadata.ts';
import { dnsLabel, dnsSubdomain, textMap } from './scalar.ts';

const objectMetadata = z.strictObject({
  ...metadata.shape,
  name: required(dnsSubdomain(), 'the name of the object, unique for its kind and namespace'),
  namespace: honoured(dnsLabel(), 'only pods of the same namespace see it; default "default"'),
  uid: inert(z.string(), 'it gets a new one when it is taken in'),
  labels: honoured(textMap(), 'shown again, selectable'),
  annotations: honoured(textMap(), 'shown again'),
});

const isImmutable = (): z.ZodOptional<z.ZodBoolean> =>
  honoured(z.boolean(), 'whether its data can never be changed again; default false');

/** Its values are looked at by a rule. */
const anyMap = (): z.ZodRecord<z.ZodString, z.ZodUnknown> => mapOf(z.unknown());

/** An empty value may be written as null. */
const textOrNullMap = (): z.ZodRecord<z.ZodString, z.ZodNullable<z.ZodString>> =>
  mapOf(z.string().nullable());

export const configMapSchema = z.strictObject({
  apiVersion: required(z.enum(['v1']), 'v1'),
  kind: required(z.enum(['ConfigMap']), 'ConfigMap'),
  metadata: required(objectMetadata, 'what names it'),
  data: honoured(textOrNullMap(), 'text by key'),
  binaryData: honoured(textOrNullMap(), 'anything by key, in base64; for volumes only'),
  immutable: isImmutable(),
});

export const secretSchema = z.strictObject({
  apiVersion: required(z.enum(['v1']), 'v1'),
  kind: required(z.enum(['Secret']), 'Secret'),
  metadata: required(objectMetadata, 'what names it'),
  type: honoured(z.string(), 'those of kubernetes.io ask for certain keys; default Opaque'),
  data: honoured(anyMap(), 'anything by key, in base64'),
  stringData: honoured(anyMap(), 'text by key, kept in data in base64; wins over data'),
  immutable: isImmutable(),
});

const oneNode = 'every pod of this node may use the folder';
const noProvisioner = 'a claim is always a folder of its own here; there is nothing to choose from';

export const claimSchema = z.strictObject({
  apiVersion: required(z.enum(['v1']), 'v1'),
  kind: required(z.enum(['PersistentVolumeClaim']), 'PersistentVolumeClaim'),
  metadata: required(objectMetadata, 'what names it, and its folder'),
  spec: required(
    z.strictObject({
      accessModes: inert(
        listOf(z.enum(['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'])),
        oneNode,
      ),
      resources: inert(z.looseObject({}), 'folders are neither measured nor limited'),
      storageClassName: inert(z.string(), noProvisioner),
      volumeAttributesClassName: inert(z.string(), noProvisioner),
      volumeMode: honoured(z.enum(['Filesystem']), 'there are no block volumes'),
      volumeName: refused('there are no PersistentVolumes'),
      selector: refused('there are no PersistentVolumes', {}),
      dataSource: refused('a claim begins as an empty folder'),
      dataSourceRef: refused('a claim begins as an empty folder'),
    }),
    'what is wanted of it',
  ),
  status: inert(z.looseObject({}), 'a claim is always bound'),
});

export const objectSchemas = {
  ConfigMap: configMapSchema,
  Secret: secretSchema,
  PersistentVolumeClaim: claimSchema,
} as const satisfies Record<ObjectKind, z.ZodType>;

export type RawConfigMap = z.output<typeof configMapSchema>;
export type RawSecret = z.output<typeof secretSchema>;
export type RawClaim = z.output<typeof claimSchema>;
