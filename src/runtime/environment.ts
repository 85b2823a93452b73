/**
 * A container's environment, and the `$(VAR)` references in it, in its command and in its args.
 */
import type { Container, Pod } from '../pod/pod.ts';
import { ContainerConfigError } from './config-error.ts';

/** What a `fieldRef` may ask for beside the pod itself. */
export interface Surroundings {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  /** The node's own ones with the host's network. Primary address first. */
  readonly podIPs: readonly string[];
}

/** Environment variables by name, in the order of their first mention. */
export type Environment = ReadonlyMap<string, string>;

/** Resolves a container's `env`. Each value sees the variables before it; a later one of a name wins. */
export function environmentOf(
  pod: Pod,
  container: Container,
  surroundings: Surroundings,
): Environment {
  const environment = new Map<string, string>();
  for (const { name, value, valueFrom } of container.env) {
    // An empty value counts as none, as it does for the kubelet.
    if (value !== undefined && value !== '') environment.set(name, expand(value, environment));
    else if (!valueFrom) environment.set(name, '');
    else environment.set(name, fieldOf(pod, valueFrom.fieldRef.fieldPath, surroundings));
  }
  return environment;
}

/**
 * Replaces `$(NAME)` by the variable's value. What is not defined stays as it is written, `$$` is a
 * literal `$`, and nothing is expanded twice.
 */
export function expand(text: string, environment: Environment): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (reference, name: string | undefined) =>
    name === undefined ? '$' : (environment.get(name) ?? reference),
  );
}

/** The same, but what is not defined, or is empty, is an error. */
export function expandStrictly(text: string, environment: Environment): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (_, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = environment.get(name);
    if (value) return value;
    throw new ContainerConfigError(`missing value for "${name}"`, {
      next: 'define the variable in env before it is used in subPathExpr',
    });
  });
}

/** The value of a downward API field; empty for a label or annotation that the pod does not have. */
function fieldOf(pod: Pod, path: string, surroundings: Surroundings): string {
  const { metadata } = pod;
  const [, table, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (key !== undefined) {
    return (table === 'labels' ? metadata.labels : metadata.annotations)[key] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return metadata.uid;
    case 'spec.nodeName':
      return surroundings.nodeName;
    case 'spec.serviceAccountName':
      return '';
    case 'status.hostIP':
      return surroundings.hostIPs[0] ?? '';
    case 'status.hostIPs':
      return surroundings.hostIPs.join(',');
    case 'status.podIP':
      return surroundings.podIPs[0] ?? '';
    case 'status.podIPs':
      return surroundings.podIPs.join(',');
    default:
      throw new Error(`fieldPath "${path}" was accepted but has no value`);
  }
}
