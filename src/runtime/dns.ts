/**
 * What a pod finds in its /etc/resolv.conf.
 */
import type { ResolverConfig } from '../pod/node-facts.ts';
import type { Pod } from '../pod/pod.ts';
import type { DNSConfig } from './generated/runtime/v1/DNSConfig.ts';

/** The resolver's own limits; what is beyond them it would ignore. */
const maxServers = 3;
const maxSearches = 32;
const maxSearchesLength = 2048;

/**
 * The node's resolver with the pod's `dnsConfig` on top. There is no cluster here, so that
 * ClusterFirst means the same as Default.
 */
export function dnsOf({ spec }: Pod, node: ResolverConfig): DNSConfig {
  const base = spec.dnsPolicy === 'None' ? { servers: [], searches: [], options: [] } : node;
  const own = spec.dnsConfig;
  const options = (own?.options ?? []).map(({ name, value }) =>
    value === undefined ? name : `${name}:${value}`,
  );
  return {
    servers: unique([...base.servers, ...(own?.nameservers ?? [])]).slice(0, maxServers),
    searches: fitting(unique([...base.searches, ...(own?.searches ?? [])])),
    options: mergeOptions([...base.options, ...options]),
  };
}

/** A later option of a name takes the place of an earlier one. */
function mergeOptions(options: readonly string[]): string[] {
  const byName = new Map(options.map((option) => [option.split(':', 1)[0], option]));
  return [...byName.values()];
}

function fitting(searches: readonly string[]): string[] {
  const kept = searches.slice(0, maxSearches);
  while (kept.join(' ').length > maxSearchesLength) kept.pop();
  return kept;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
