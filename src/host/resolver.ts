/** The resolver of the node, which its pods get. */
import type { ResolverConfig } from '../pod/node-facts.ts';
import { readOr } from './cgroups.ts';

/** Where a resolver is looked for; the second one has what systemd-resolved asks itself. */
const places = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/** A resolver, and the file that it is from. */
export interface NodeResolver {
  readonly file: string;
  readonly config: ResolverConfig;
}

/**
 * The node's resolver as it is now: DHCP and VPNs write the file anew. An empty name is none.
 *
 * A server on the loopback, such as the one of systemd-resolved, is out of reach for a pod with a
 * network of its own: without a file that is named, the first is taken that has another one.
 */
export function readResolver(given?: string, candidates: readonly string[] = places): NodeResolver {
  const [first, ...others] = (given === undefined ? candidates : [given]).map(readFrom);
  if (first === undefined) throw new Error('there is always a place to look at');
  if (!isOutOfReach(first)) return first;
  return others.find((one) => one.config.servers.length > 0 && !isOutOfReach(one)) ?? first;
}

/** Whether there are name servers, and all of them on the loopback. */
export function isOutOfReach({ config: { servers } }: NodeResolver): boolean {
  return servers.length > 0 && servers.every((server) => /^(127\.|::1$)/.test(server));
}

function readFrom(file: string): NodeResolver {
  return { file, config: parseResolvConf(file === '' ? '' : readOr('', file)) };
}

/** Name servers, search domains and options of a resolv.conf, read as the kubelet reads it. */
export function parseResolvConf(text: string): ResolverConfig {
  const servers: string[] = [];
  let searches: readonly string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0]);
    // The last search line wins. A search of "." alone says "none".
    if (keyword === 'search') {
      searches = values
        .map((domain) => domain.replace(/\.$/, ''))
        .filter((domain) => domain !== '');
    }
    if (keyword === 'options') {
      for (const option of values) options.set(option.split(':')[0] ?? option, option);
    }
  }
  return { servers, searches, options: [...options.values()] };
}
