/**
 * Whether this node can run a pod at all: judged once, when the pod is first seen, as the kubelet
 * does it. A pod that is rejected has Failed, and says why.
 *
 * Sources: the kubelet's sysctl/allowlist.go and lifecycle/handlers.go.
 */
import { blankMemory } from './memory.ts';
import type { Memory } from './memory.ts';
import type { NodeFacts } from './node-facts.ts';
import { containersOf, podKey } from './pod.ts';
import type { ContainerPort, Pod } from './pod.ts';
import { hugePagesOf, podResources } from './pod-resources.ts';
import { bytes } from './quantity.ts';

/** What an admission is judged by. */
export interface AdmissionRules {
  /** Names of kernel parameters beyond the safe ones, or beginnings of names that end in `*`. */
  readonly allowedUnsafeSysctls: readonly string[];
  /** The other pods that are not over. */
  readonly others?: readonly Pod[];
  readonly node: Pick<
    NodeFacts,
    'appArmor' | 'strictSupplementalGroups' | 'cpus' | 'memoryBytes' | 'handlers'
  > & {
    /** How many huge pages there are now, by their size in CRI's words. */
    readonly hugePageCounts: Readonly<Record<string, number>>;
  };
}

/** Kubernetes' reason and message. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

/** Why a pod cannot run here, if so. */
export function findRejection(pod: Pod, rules: AdmissionRules): Rejection | undefined {
  const sysctl = pod.spec.securityContext.sysctls
    .map(({ name }) => name.replaceAll('/', '.'))
    .find((name) => !isAllowedSysctl(name, rules.allowedUnsafeSysctls));
  if (sysctl !== undefined) {
    return rejection('SysctlForbidden', `forbidden sysctl: "${sysctl}" not allowlisted`);
  }
  if (needsAppArmor(pod) && !rules.node.appArmor) {
    return rejection('AppArmor', 'Cannot enforce AppArmor: AppArmor is not enabled on the host');
  }
  const isStrict = pod.spec.securityContext.supplementalGroupsPolicy === 'Strict';
  if (isStrict && !rules.node.strictSupplementalGroups) {
    return rejection(
      'SupplementalGroupsPolicyNotSupported',
      'SupplementalGroupsPolicy=Strict is not supported in this node',
    );
  }
  return (
    findUnknownHandler(pod, rules.node.handlers) ??
    findShortage(pod, rules.others ?? [], rules.node) ??
    findTakenPort(pod, rules.others ?? [])
  );
}

/** With a runtime that does not tell which handlers it has, the first sandbox shows it. */
function findUnknownHandler({ spec }: Pod, handlers: NodeFacts['handlers']): Rejection | undefined {
  const { runtimeClassName: name } = spec;
  const known = Object.keys(handlers).filter((each) => each !== '');
  if (name === undefined || known.length === 0 || known.includes(name)) return undefined;
  return rejection(
    'UnknownRuntimeHandler',
    `the runtime has no handler "${name}" for runtimeClassName, but ${known.join(', ')}`,
  );
}

/** Two mappings of one port would both be accepted by the CNI plugin, and one of them would win. */
function findTakenPort(pod: Pod, others: readonly Pod[]): Rejection | undefined {
  const wanted = hostPortsOf(pod);
  for (const other of others) {
    const taken = hostPortsOf(other).find((one) => wanted.some((each) => isSamePort(one, each)));
    if (taken === undefined) continue;
    const { protocol, hostPort } = taken;
    return rejection(
      'NodePorts',
      `Predicate NodePorts failed: ${protocol} port ${hostPort} of the node is taken by pod ${podKey(other)}`,
    );
  }
  return undefined;
}

/** With the node's network, hostPort has been filled in; only app containers have ports there. */
function hostPortsOf({ spec }: Pod): readonly ContainerPort[] {
  return spec.containers
    .flatMap(({ ports }) => ports)
    .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0);
}

function isSamePort(one: ContainerPort, other: ContainerPort): boolean {
  const [a, b] = [one, other].map(({ hostIP = '' }) => (isEveryAddress(hostIP) ? '' : hostIP));
  const isSameAddress = a === '' || b === '' || a === b;
  return one.protocol === other.protocol && one.hostPort === other.hostPort && isSameAddress;
}

function isEveryAddress(address: string): boolean {
  return ['', '0.0.0.0', '::'].includes(address);
}

/**
 * What pods request has to fit into the machine beside what the others do: nothing is set aside for
 * the node itself, so all that it has may be requested. What is not requested is never short.
 */
function findShortage(
  pod: Pod,
  others: readonly Pod[],
  node: AdmissionRules['node'],
): Rejection | undefined {
  for (const [name, requested] of requestsOf(pod)) {
    const used = others.reduce((sum, other) => sum + (requestsOf(other).get(name) ?? 0), 0);
    const capacity = capacityOf(name, node);
    if (requested === 0 || used + requested <= capacity) continue;
    return rejection(
      `OutOf${name}`,
      `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
    );
  }
  return undefined;
}

/** By the name of the resource: thousandths of a CPU, bytes of memory and of huge pages. */
function requestsOf(pod: Pod): ReadonlyMap<string, number> {
  const { cpuRequestMilli, memoryRequestBytes } = podResources(pod);
  return new Map([['cpu', cpuRequestMilli], ['memory', memoryRequestBytes], ...hugePagesOf(pod)]);
}

function capacityOf(name: string, node: AdmissionRules['node']): number {
  if (name === 'cpu') return node.cpus * 1000;
  if (name === 'memory') return node.memoryBytes;
  const pageBytes = bytes(name.slice('hugepages-'.length));
  const found = Object.entries(node.hugePageCounts).find(
    ([size]) => bytes(size.replace('B', 'i')) === pageBytes,
  );
  return (found?.[1] ?? 0) * pageBytes;
}

/** The memory of a pod that was rejected: it is over before it began. */
export function rejectedMemory({ reason, message }: Rejection, now: number): Memory {
  const ending = { cause: 'rejected' as const, at: now, graceSeconds: 0, force: true };
  return { ...blankMemory, startTime: now, ending: { ...ending, reason, message } };
}

/**
 * Parameters of a namespace that harm nobody outside of it. The kubelet lists the newer ones only for
 * newer kernels; all those that this agent runs on are new enough.
 */
const safeSysctls: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

function isAllowedSysctl(name: string, allowed: readonly string[]): boolean {
  return (
    safeSysctls.has(name) ||
    allowed.some((entry) =>
      entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry,
    )
  );
}

/** Beginnings of the names of parameters that each pod has its own of. */
const namespacedSysctls = ['kernel.shm', 'kernel.msg', 'kernel.sem', 'fs.mqueue.', 'net.'];

/** Whether a parameter, or all that begin like it, can be set for one pod alone. */
export function isNamespacedSysctl(name: string): boolean {
  return namespacedSysctls.some((start) => name.startsWith(start));
}

function needsAppArmor(pod: Pod): boolean {
  const own = containersOf(pod).map(({ container }) => container.securityContext);
  return [pod.spec.securityContext, ...own].some(
    ({ appArmorProfile: profile }) => profile !== undefined && profile.type !== 'Unconfined',
  );
}

function rejection(reason: string, message: string): Rejection {
  return { reason, message: `Pod was rejected: ${message}` };
}
