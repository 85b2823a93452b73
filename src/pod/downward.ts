/**
 * The downward API: what a pod can be told of itself, in its environment and in volumes.
 *
 * Source: the kubelet's fieldpath.ExtractFieldPathAsString and resource.ExtractContainerResourceValue.
 */
import type { NodeFacts } from './node-facts.ts';
import { own } from './own.ts';
import type { Container, Pod } from './pod.ts';
import { bytes, milliCpu } from './quantity.ts';
import type { ResourceFieldRef } from './volume-sources.ts';

/** What a field may say beside the pod itself. */
export interface Surroundings {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  /** The node's own ones with the host's network. Primary address first. */
  readonly podIPs: readonly string[];
}

/** What a container without a limit may use: all that the node has. */
export type NodeSize = Pick<NodeFacts, 'cpus' | 'memoryBytes' | 'storageBytes'>;

/** The value of a field; empty for a label or annotation that the pod does not have. */
export function fieldOf(pod: Pod, path: string, surroundings: Surroundings): string {
  const { metadata } = pod;
  const [, table, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (key !== undefined) {
    return own(table === 'labels' ? metadata.labels : metadata.annotations, key) ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return metadata.uid;
    case 'metadata.labels':
      return linesOf(metadata.labels);
    case 'metadata.annotations':
      return linesOf(metadata.annotations);
    case 'spec.nodeName':
      return surroundings.nodeName;
    case 'spec.serviceAccountName':
      return serviceAccountOf(pod);
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

/** The account itself means nothing here, but programs may go by its name. */
function serviceAccountOf({ spec }: Pod): string {
  const { serviceAccountName, serviceAccount } = spec.inert;
  const name = serviceAccountName ?? serviceAccount;
  return typeof name === 'string' ? name : '';
}

/**
 * What a container asks for or may use, in units of the divisor, rounded up. A limit that it does not
 * have is that of the pod, or what the node has.
 */
export function resourceOf(
  { spec }: Pod,
  container: Container,
  { resource, divisor = '1' }: ResourceFieldRef,
  node: NodeSize,
): string {
  const [list, name = ''] = resource.split(/\.(.*)/);
  const { requests, limits } = container.resources;
  const measure = name === 'cpu' ? milliCpu : bytes;
  // A limit of 0 is none, as everywhere.
  const amount =
    list === 'limits'
      ? measure(limits[name] ?? '0') ||
        measure(spec.resources?.limits[name] ?? '0') ||
        sizeOf(name, node)
      : measure(requests[name] ?? '0');
  // A divisor of 0 is none.
  return String(Math.ceil(amount / (measure(divisor) || measure('1'))));
}

function sizeOf(name: string, node: NodeSize): number {
  if (name === 'cpu') return node.cpus * 1000;
  if (name === 'memory') return node.memoryBytes;
  return name === 'ephemeral-storage' ? node.storageBytes : 0;
}

/** `key="value"` on a line each, in the order of the keys. */
function linesOf(table: Readonly<Record<string, string>>): string {
  return Object.entries(table)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${quoted(value)}`)
    .join('\n');
}

/** A text as a literal of Go, which is what readers of these files know how to take apart. */
function quoted(text: string): string {
  return `"${Array.from(text, quotedCharacter).join('')}"`;
}

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

function quotedCharacter(character: string): string {
  const escape = escapes[character];
  if (escape !== undefined) return escape;
  if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}
