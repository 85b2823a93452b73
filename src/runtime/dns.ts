/**
 * What a pod finds in its /etc/resolv.conf, and what it should know about it.
 *
 * Source: the kubelet's network/dns/dns.go, whose messages these are.
 */
import { isIPv6 } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { PodEvent } from '../pod/decision.ts';
import type { ResolverConfig } from '../pod/node-facts.ts';
import type { Pod } from '../pod/pod.ts';
import type { DNSConfig } from './generated/runtime/v1/DNSConfig.ts';

/** The resolver's own limits; what is beyond them it would ignore. */
const maxServers = 3;
const maxSearches = 32;
const maxSearchesLength = 2048;
/** Some resolvers abort the program that meets a longer one. */
const maxSearchLength = 253;

/** A resolver, and what was left out of it or is not as the pod wants it. */
export interface PodResolver {
  readonly config: DNSConfig;
  readonly warnings: readonly PodEvent[];
}

/**
 * The node's resolver with the pod's `dnsConfig` on top, on a node with these addresses. There is no
 * cluster here, so that ClusterFirst means the same as Default.
 */
export function dnsOf(
  { spec }: Pod,
  node: ResolverConfig,
  hostIPs: readonly string[] = [],
): PodResolver {
  const isNone = spec.dnsPolicy === 'None';
  const base = isNone ? nothing : isDeepStrictEqual(node, nothing) ? themselves(hostIPs) : node;
  const own = spec.dnsConfig;
  const options = (own?.options ?? []).map(({ name, value }) =>
    value === undefined ? name : `${name}:${value}`,
  );
  const allServers = unique([...base.servers, ...(own?.nameservers ?? [])]);
  const allSearches = unique([...base.searches, ...(own?.searches ?? [])]);
  const servers = allServers.slice(0, maxServers);
  const searches = fitting(allSearches);
  return {
    config: { servers, searches, options: mergeOptions([...base.options, ...options]) },
    warnings: [
      ...missingCluster(spec.dnsPolicy),
      ...warningIf(
        searches.length < allSearches.length,
        'DNSConfigForming',
        `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`,
      ),
      ...warningIf(
        servers.length < allServers.length,
        'DNSConfigForming',
        `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`,
      ),
    ],
  };
}

const nothing: ResolverConfig = { servers: [], searches: [], options: [] };

/**
 * A resolver that says nothing asks its own machine (resolv.conf(5)). Said in so many words, for the
 * families of the node's addresses: for one that is empty containerd would give the pod the node's file.
 */
function themselves(hostIPs: readonly string[]): ResolverConfig {
  const servers = unique(hostIPs.map((ip) => (isIPv6(ip) ? '::1' : '127.0.0.1')));
  return { servers: servers.length > 0 ? servers : ['127.0.0.1'], searches: ['.'], options: [] };
}

/** ClusterFirst is what nearly every pod has, mostly without saying so: it would be told to all. */
function missingCluster(policy: Pod['spec']['dnsPolicy']): readonly PodEvent[] {
  return warningIf(
    policy === 'ClusterFirstWithHostNet',
    'MissingClusterDNS',
    `There is no cluster DNS here to create Pod using "${policy}" policy. Falling back to "Default" policy.`,
  );
}

function warningIf(is: boolean, reason: string, message: string): readonly PodEvent[] {
  return is ? [{ type: 'Warning', reason, message }] : [];
}

/** A later option of a name takes the place of an earlier one. */
function mergeOptions(options: readonly string[]): string[] {
  const byName = new Map(options.map((option) => [option.split(':', 1)[0], option]));
  return [...byName.values()];
}

function fitting(searches: readonly string[]): string[] {
  const kept = searches.slice(0, maxSearches).filter(({ length }) => length <= maxSearchLength);
  while (kept.join(' ').length > maxSearchesLength) kept.pop();
  return kept;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
