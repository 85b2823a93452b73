/** The /etc/hosts that a pod's containers share, in the words the kubelet uses. */
import fs, { constants } from 'node:fs';
import writeFileAtomic from 'write-file-atomic';
import { namesOf } from '../pod/hostname.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import type { Pod } from '../pod/pod.ts';
import { isErrno } from './errno.ts';

const { O_RDONLY, O_NOFOLLOW } = constants;

/**
 * Writes the pod's hosts file for its present addresses, before each start of a container (kubelet_pods.go).
 * When nothing has changed that takes no time: it is looked at on the way of every restart. Else it is
 * renamed into place, so that nobody reads half of it.
 */
export async function writeHostsFile(
  file: string,
  pod: Pod,
  podIPs: readonly string[],
  { clusterDomain }: Pick<NodeFacts, 'clusterDomain'>,
): Promise<void> {
  const nodeHosts = pod.spec.hostNetwork ? nodesOwn() : '';
  const content = hostsFileContent(pod, podIPs, { nodeHosts, clusterDomain });
  if (holds(file, Buffer.from(content))) return;
  // Containers are created side by side, and each writes it: under a temporary name of its own.
  await writeFileAtomic(file, content, { mode: 0o644, fsync: false });
}

/** The file's text. With the host's network it is the node's own, and the pod's addresses are not. */
export function hostsFileContent(
  pod: Pod,
  podIPs: readonly string[],
  { nodeHosts, clusterDomain }: { readonly nodeHosts: string; readonly clusterDomain: string },
): string {
  const { hostname, domain } = namesOf(pod, clusterDomain);
  const names = domain === undefined ? hostname : `${hostname}.${domain}\t${hostname}`;
  const head = pod.spec.hostNetwork
    ? `# Kubernetes-managed hosts file (host network).\n${nodeHosts}`
    : [...podNetworkHead, ...podIPs.map((ip) => `${ip}\t${names}`), ''].join('\n');
  const aliases = pod.spec.hostAliases.map(({ ip, hostnames }) => [ip, ...hostnames].join('\t'));
  if (aliases.length === 0) return head;
  return `${head}\n# Entries added by HostAliases.\n${aliases.join('\n')}\n`;
}

const podNetworkHead = [
  '# Kubernetes-managed hosts file.',
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];

function nodesOwn(): string {
  try {
    return fs.readFileSync('/etc/hosts', 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

/** Reads no more than is expected: containers may write to the file, and make it as large as they like. */
function holds(file: string, expected: Buffer): boolean {
  let descriptor;
  try {
    descriptor = fs.openSync(file, O_RDONLY | O_NOFOLLOW);
    if (fs.fstatSync(descriptor).size !== expected.length) return false;
    const found = Buffer.alloc(expected.length);
    return fs.readSync(descriptor, found) === expected.length && found.equals(expected);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}
