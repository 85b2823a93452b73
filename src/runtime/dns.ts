/**
 * What a pod finds in its /etc/resolv.conf, and what it should know about it.
 *
 * Source: the kubelet's network/dns/dns.go, whose messages these are.
 */
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
 * The node's resolver with the pod's `dnsConfig` on top. There is no cluster here, so that
 * ClusterFirst means the same as Default.
 */
export function dnsOf({ spec }: Pod, node: ResolverConfig): PodResolver {
  const base = spec.dnsPolicy === 'None' ? { servers: [], searches: [], options: [] } : node;
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
