// Every field of the v1 Pod that Kubernetes knows is in the schema, and no other.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import ts from 'typescript';
import type { z } from 'zod';
import { objectKinds } from '../../pod/objects.ts';
import { ephemeralContainer } from './ephemeral-container.ts';
import { objectSchemas } from './objects.ts';
import { podSchema } from './pod.ts';
import { fieldsOf, objectIn } from './walk.ts';

/** kubernetes-models 5.1 has the API of Kubernetes 1.36. */
const models = fileURLToPath(new URL('.', import.meta.resolve('kubernetes-models/v1/Pod')));

interface Known {
  readonly name: string;
  /** Name of the model that describes it, as in `Container`; absent for plain values. */
  readonly model?: string;
}

/** The fields of a model, from the interface in its type declarations. */
function fieldsOfModel(model: string): readonly Known[] {
  const file = model === 'ObjectMeta' ? metadataFile() : `${models}${model}.d.ts`;
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext);
  const found = source.statements.filter(ts.isInterfaceDeclaration);
  return found
    .filter(({ name }) => name.text === `I${model}`)
    .flatMap(({ members }) => members.filter(ts.isPropertySignature))
    .map(({ name, type }) => ({
      name: ts.isStringLiteral(name) || ts.isIdentifier(name) ? name.text : '',
      model: /IIoK8s(?:ApiCoreV1|ApimachineryPkgApisMetaV1)(\w+)/.exec(
        type?.getText(source) ?? '',
      )?.[1],
    }));
}

function metadataFile(): string {
  const index = import.meta.resolve('@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta');
  return fileURLToPath(index).replace(/\.js$/, '.d.ts');
}

interface Compared {
  readonly path: string;
  readonly known: readonly string[];
  readonly inSchema: readonly string[];
}

/**
 * The fields of one model and of all below it that are honoured. Where a schema describes several
 * places, as that of a container does, it is compared once; a model with several schemas, as
 * ResourceRequirements has, is compared with each.
 */
function compare(
  path: string,
  model: string,
  type: z.core.$ZodType,
  seen = new Map<unknown, readonly string[]>(),
): readonly Compared[] {
  const schema = objectIn(type);
  const models = seen.get(schema) ?? [];
  if (models.includes(model)) return [];
  seen.set(schema, [...models, model]);
  const known = fieldsOfModel(model);
  const fields = fieldsOf(type);
  return [
    {
      path,
      known: known.map(({ name }) => name).toSorted(),
      inSchema: fields.map(({ name }) => name).toSorted(),
    },
    ...fields.flatMap((field) => {
      const next = known.find(({ name }) => name === field.name)?.model;
      const isFollowed =
        next !== undefined &&
        field.treatment?.kind === 'honoured' &&
        fieldsOf(field.type).length > 0;
      return isFollowed ? compare(`${path}.${field.name}`, next, field.type, seen) : [];
    }),
  ];
}

const compared = compare('Pod', 'Pod', podSchema);
const comparedGuests = compare('EphemeralContainer', 'EphemeralContainer', ephemeralContainer);
const comparedObjects = objectKinds.flatMap((kind) => compare(kind, kind, objectSchemas[kind]));

for (const { path, known, inSchema } of [...compared, ...comparedGuests, ...comparedObjects]) {
  test(`${path} has the fields that Kubernetes knows`, (t) => t.deepEqual(inSchema, known));
}

test('the walk reaches every kind of object that is honoured', (t) => {
  t.deepEqual(
    compared.map(({ path, known }) => `${path} ${known.length > 0 ? 'read' : 'not read'}`),
    [
      'Pod',
      'Pod.metadata',
      'Pod.spec',
      'Pod.spec.containers',
      'Pod.spec.containers.env',
      'Pod.spec.containers.env.valueFrom',
      'Pod.spec.containers.env.valueFrom.fieldRef',
      'Pod.spec.containers.env.valueFrom.resourceFieldRef',
      'Pod.spec.containers.env.valueFrom.configMapKeyRef',
      'Pod.spec.containers.env.valueFrom.secretKeyRef',
      'Pod.spec.containers.env.valueFrom.fileKeyRef',
      'Pod.spec.containers.envFrom',
      'Pod.spec.containers.envFrom.configMapRef',
      'Pod.spec.containers.envFrom.secretRef',
      'Pod.spec.containers.ports',
      'Pod.spec.containers.resources',
      'Pod.spec.containers.restartPolicyRules',
      'Pod.spec.containers.restartPolicyRules.exitCodes',
      'Pod.spec.containers.volumeMounts',
      'Pod.spec.containers.livenessProbe',
      'Pod.spec.containers.livenessProbe.exec',
      'Pod.spec.containers.livenessProbe.httpGet',
      'Pod.spec.containers.livenessProbe.httpGet.httpHeaders',
      'Pod.spec.containers.livenessProbe.tcpSocket',
      'Pod.spec.containers.livenessProbe.grpc',
      'Pod.spec.containers.lifecycle',
      'Pod.spec.containers.lifecycle.postStart',
      'Pod.spec.containers.lifecycle.postStart.sleep',
      'Pod.spec.containers.securityContext',
      'Pod.spec.containers.securityContext.capabilities',
      'Pod.spec.containers.securityContext.seccompProfile',
      'Pod.spec.containers.securityContext.seLinuxOptions',
      'Pod.spec.containers.securityContext.appArmorProfile',
      'Pod.spec.volumes',
      'Pod.spec.volumes.emptyDir',
      'Pod.spec.volumes.hostPath',
      'Pod.spec.volumes.configMap',
      'Pod.spec.volumes.configMap.items',
      'Pod.spec.volumes.secret',
      'Pod.spec.volumes.downwardAPI',
      'Pod.spec.volumes.downwardAPI.items',
      'Pod.spec.volumes.downwardAPI.items.fieldRef',
      'Pod.spec.volumes.downwardAPI.items.resourceFieldRef',
      'Pod.spec.volumes.projected',
      'Pod.spec.volumes.projected.sources',
      'Pod.spec.volumes.projected.sources.configMap',
      'Pod.spec.volumes.projected.sources.secret',
      'Pod.spec.volumes.projected.sources.downwardAPI',
      'Pod.spec.volumes.persistentVolumeClaim',
      'Pod.spec.volumes.image',
      'Pod.spec.hostAliases',
      'Pod.spec.dnsConfig',
      'Pod.spec.dnsConfig.options',
      'Pod.spec.securityContext',
      'Pod.spec.securityContext.sysctls',
      'Pod.spec.resources',
      'Pod.spec.imagePullSecrets',
      'Pod.spec.os',
      'Pod.spec.readinessGates',
    ].map((path) => `${path} read`),
  );
});

test('Kubernetes 1.36 is what it is compared with', (t) => {
  // schedulingGroup came with 1.36, hostnameOverride with 1.34.
  const spec = fieldsOfModel('PodSpec').map(({ name }) => name);
  t.true(spec.includes('schedulingGroup'));
  t.true(spec.includes('hostnameOverride'));
});

test('every field says how it is treated and why', (t) => {
  const silent = (path: string, type: z.core.$ZodType): readonly string[] =>
    fieldsOf(type).flatMap(({ name, type: own, treatment }) =>
      treatment === undefined || treatment.why === ''
        ? [`${path}.${name}`]
        : treatment.kind === 'honoured'
          ? silent(`${path}.${name}`, own)
          : [],
    );
  t.deepEqual(silent('Pod', podSchema), []);
  t.deepEqual(silent('EphemeralContainer', ephemeralContainer), []);
  for (const kind of objectKinds) t.deepEqual(silent(kind, objectSchemas[kind]), []);
});
