/**
 * The spec as `get -o json` prints it: inert fields back in their place, and nothing that is empty,
 * as Kubernetes leaves it out too.
 */
import type { Container, EphemeralContainer, PodSpec } from './pod.ts';
import type { V1EphemeralContainer, V1PodSpec } from './pod-status.ts';

/** The spec of a pod as Kubernetes would show it, running on the named node. */
export function v1Spec(spec: PodSpec, nodeName: string): V1PodSpec {
  const { inert, containers, initContainers, ephemeralContainers = [], ...rest } = spec;
  return {
    ...inert,
    ...withoutEmpty(rest, ['securityContext']),
    containers: containers.map(v1Container),
    ...(initContainers.length > 0 && { initContainers: initContainers.map(v1Container) }),
    ...(ephemeralContainers.length > 0 && {
      ephemeralContainers: ephemeralContainers.map(v1Container),
    }),
    nodeName,
  };
}

/** One container as it is shown. */
export function v1Container(container: EphemeralContainer): V1EphemeralContainer {
  const { name, image, volumeMounts, ...rest } = container;
  return {
    name,
    image,
    // Kubernetes keeps `resources: {}` of a container, the one empty value it prints.
    ...withoutEmpty(rest, ['resources']),
    ...(volumeMounts.length > 0 && {
      volumeMounts: volumeMounts.map(({ readOnly, ...mount }) => ({
        ...mount,
        ...(readOnly && { readOnly: true }),
      })) as unknown as Container['volumeMounts'],
    }),
  };
}

/** Where `false` says something else than nothing at all. */
const falseMatters: ReadonlySet<string> = new Set([
  'allowPrivilegeEscalation',
  'hostUsers',
  'runAsNonRoot',
]);

/** Without fields that are absent, false, an empty text, list or object, at any depth of objects. */
function withoutEmpty<T extends object>(value: T, keep: readonly (keyof T)[]): Partial<T> {
  const entries = Object.entries(value).flatMap(([key, field]: [string, unknown]) => {
    const lean = isPlainObject(field) ? withoutEmpty(field, []) : field;
    if (lean === false && falseMatters.has(key)) return [[key, lean] as const];
    return isEmpty(lean) && !keep.includes(key as keyof T) ? [] : [[key, lean] as const];
  });
  return Object.fromEntries(entries) as Partial<T>;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === false || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isPlainObject(value) && Object.keys(value).length === 0;
}
