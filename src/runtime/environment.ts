/**
 * A container's environment, from all that variables can come from.
 *
 * Source: the kubelet's makeEnvironmentVariables (kubelet_pods.go), whose messages these are.
 *
 * Read next: expand.ts, the `$(VAR)` references in it; program-room.ts, how large it may be.
 */
import { fieldOf, resourceOf } from '../pod/downward.ts';
import type { NodeSize, Surroundings as Fields } from '../pod/downward.ts';
import type { FindObject, ObjectOf } from '../pod/objects.ts';
import { own } from '../pod/own.ts';
import type { Container, EnvFrom, EnvVar, FileKeyRef, KeyRef, Pod } from '../pod/pod.ts';
import { containersOf } from '../pod/pod.ts';
import { ContainerConfigError } from './config-error.ts';
import { envFileName, valueInFile } from './env-file.ts';
import type { EnvFiles } from './env-file.ts';
import { expand } from './expand.ts';
import type { Environment } from './expand.ts';
import { ProgramRoom } from './program-room.ts';

/** What variables may come from beside the pod itself. */
export interface Surroundings extends Fields {
  readonly size: NodeSize;
  /** Finds the ConfigMaps and Secrets that the pod may see. */
  readonly find: FindObject;
  /** Absent: there are none. */
  readonly files?: EnvFiles;
}

/**
 * Resolves a container's `envFrom`, then its `env`. Each value sees the variables before it; a later
 * one of a name wins. Throws a ContainerConfigError when something is missing that must not be, or too
 * large for a program to be started with.
 */
export function environmentOf(
  pod: Pod,
  container: Container,
  surroundings: Surroundings,
): Environment {
  const environment = new Map<string, string>();
  const room = new ProgramRoom();
  const set = (name: string, value: string): void => {
    room.takeVariable(name, value);
    environment.set(name, value);
  };
  for (const source of container.envFrom) {
    for (const [name, value] of variablesFrom(source, surroundings.find)) set(name, value);
  }
  for (const variable of container.env) {
    const { name, value } = variable;
    // An empty value counts as none, as it does for the kubelet.
    const resolved =
      value !== undefined && value !== ''
        ? expand(value, environment, `variable "${name}"`)
        : sourcedValue(pod, container, variable, surroundings);
    if (resolved !== undefined) set(name, resolved);
  }
  return environment;
}

/**
 * What a container takes from objects: the part of its environment that can change while the pod
 * stays the same. Empty if it takes nothing; throws as environmentOf does.
 */
export function takenFromObjects(
  pod: Pod,
  container: Container,
  find: FindObject,
): readonly (readonly [name: string, value: string | undefined])[] {
  const taken: (readonly [name: string, value: string | undefined])[] = [];
  const room = new ProgramRoom();
  const add = (name: string, value: string | undefined): void => {
    room.takeVariable(name, value ?? '');
    taken.push([name, value]);
  };
  for (const source of container.envFrom) {
    for (const [name, value] of variablesFrom(source, find)) add(name, value);
  }
  for (const { name, valueFrom } of container.env) {
    if (valueFrom?.configMapKeyRef === undefined && valueFrom?.secretKeyRef === undefined) continue;
    add(name, keyValue(pod, valueFrom, find));
  }
  return taken;
}

/** What a container takes from the node's addresses, which may change too. */
export function takenFromNode(
  pod: Pod,
  { env }: Container,
  hostIPs: readonly string[],
): readonly (readonly [name: string, value: string])[] {
  const isOfTheNode = (path: string) =>
    path.startsWith('status.hostIP') || (pod.spec.hostNetwork && path.startsWith('status.podIP'));
  return env.flatMap(({ name, valueFrom }) => {
    const path = valueFrom?.fieldRef?.fieldPath ?? '';
    if (!isOfTheNode(path)) return [];
    return [[name, fieldOf(pod, path, { nodeName: '', hostIPs, podIPs: hostIPs })]];
  });
}

/** The value of a variable that is not written out; undefined if there is no such variable then. */
function sourcedValue(
  pod: Pod,
  container: Container,
  { valueFrom }: EnvVar,
  surroundings: Surroundings,
): string | undefined {
  if (valueFrom === undefined) return '';
  const { fieldRef, resourceFieldRef, fileKeyRef } = valueFrom;
  if (fileKeyRef !== undefined) return fileValue(fileKeyRef, surroundings.files);
  if (fieldRef !== undefined) return fieldOf(pod, fieldRef.fieldPath, surroundings);
  if (resourceFieldRef === undefined) return keyValue(pod, valueFrom, surroundings.find);
  const { containerName = container.name } = resourceFieldRef;
  const named = containersOf(pod).find((one) => one.container.name === containerName);
  return resourceOf(pod, named?.container ?? container, resourceFieldRef, surroundings.size);
}

/** Every key is a variable: Kubernetes has no names any more that it would skip. */
function variablesFrom(
  { prefix = '', configMapRef, secretRef }: EnvFrom,
  find: FindObject,
): readonly (readonly [name: string, value: string])[] {
  const map = configMapRef && found('ConfigMap', configMapRef, find);
  const secret = secretRef && found('Secret', secretRef, find);
  const texts = Object.entries(map?.data ?? {});
  const secrets = Object.entries(secret?.data ?? {}).map(
    ([key, base64]) => [key, textOf(base64, key)] as const,
  );
  return [...texts, ...secrets].map(([key, value]) => [`${prefix}${key}`, value]);
}

function keyValue(
  pod: Pod,
  { configMapKeyRef, secretKeyRef }: NonNullable<EnvVar['valueFrom']>,
  find: FindObject,
): string | undefined {
  if (configMapKeyRef !== undefined) {
    const value = own(found('ConfigMap', configMapKeyRef, find)?.data, configMapKeyRef.key);
    if (value !== undefined) return value;
    assertOptional(pod, 'ConfigMap', configMapKeyRef);
    return undefined;
  }
  if (secretKeyRef === undefined) return '';
  const base64 = own(found('Secret', secretKeyRef, find)?.data, secretKeyRef.key);
  if (base64 !== undefined) return textOf(base64, secretKeyRef.key);
  assertOptional(pod, 'Secret', secretKeyRef);
  return undefined;
}

function fileValue(from: FileKeyRef, files: EnvFiles = new Map()): string | undefined {
  const { key, path, volumeName, optional } = from;
  const file = files.get(envFileName(from));
  const value = file === undefined ? undefined : valueInFile(file, key);
  if (value !== undefined || optional === true) return value;
  throw new ContainerConfigError(
    file === undefined
      ? `environment variable file "${path}" not found in volume "${volumeName}"`
      : `environment variable key "${key}" not found in file "${path}" of volume "${volumeName}"`,
    { next: 'let an init container write it' },
  );
}

function found<Kind extends 'ConfigMap' | 'Secret'>(
  kind: Kind,
  { name, optional }: { readonly name: string; readonly optional?: boolean },
  find: FindObject,
): ObjectOf<Kind> | undefined {
  const object = find(kind, name);
  if (object !== undefined || optional === true) return object;
  throw new ContainerConfigError(`${kind.toLowerCase()} "${name}" not found`, {
    next: 'apply it: the container is started as soon as it is there',
  });
}

function assertOptional(pod: Pod, kind: string, { name, key, optional }: KeyRef): void {
  if (optional === true) return;
  const { namespace } = pod.metadata;
  throw new ContainerConfigError(`couldn't find key ${key} in ${kind} ${namespace}/${name}`, {
    next: 'add it and apply the object: the container is started as soon as it is there',
  });
}

/** Without a word of what it is: it comes from a Secret. */
function textOf(base64: string, key: string): string {
  const bytes = Buffer.from(base64, 'base64');
  const text = bytes.toString('utf8');
  if (!text.includes('\0') && Buffer.from(text).equals(bytes)) return text;
  throw new ContainerConfigError(`key ${key} of a Secret is no text, and cannot be a variable`, {
    next: 'mount the Secret as a volume instead',
  });
}
