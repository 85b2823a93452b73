/**
 * Chooses the pods' addresses of a private containerd: derived from its folder, free on this machine.
 */
import { createHash } from 'node:crypto';

/** A /24 for pods, the bridge's own address in it, and a /64 for those that have two addresses. */
export interface Subnet {
  readonly cidr: string;
  readonly gateway: string;
  readonly cidr6: string;
}

/** An IPv4 range as it stands in addresses and routes: `10.0.0.0/8`. */
export type Range = string;

/** The subnet to try in the given round: the same for the same folder, rarely the same for two. */
export function candidateSubnet(dir: string, round: number): Subnet {
  const [a = 0, b = 0] = createHash('sha256').update(`${dir}#${round}`).digest();
  // 10.208.0.0/12: away from the usual ranges of Docker, Podman, Kubernetes and home routers.
  const prefix = `10.${208 + (a % 16)}.${b}`;
  return subnetAt(`${prefix}.1`);
}

/** The subnet of a bridge with that address. */
export function subnetAt(gateway: string): Subnet {
  const [a, b, c] = gateway.split('.').map(Number);
  // Of the unique local ones, as unlike others' as the IPv4 range is.
  return { cidr: `${a}.${b}.${c}.0/24`, gateway, cidr6: `fd72:6570:${b}:${c}::/64` };
}

/** True if the two ranges share an address. A default route shares nothing: it is no claim. */
export function overlaps(one: Range, other: Range): boolean {
  const [first, second] = [parseRange(one), parseRange(other)];
  const length = Math.min(first.length, second.length);
  if (length === 0) return false;
  const shift = 2 ** (32 - length);
  return Math.floor(first.address / shift) === Math.floor(second.address / shift);
}

function parseRange(range: Range): { address: number; length: number } {
  const [address = '', length = '32'] = range.split('/');
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return { address: value, length: Number(length) };
}
