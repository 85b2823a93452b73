/**
 * The node as it is now. What is known of it stays the same, but for its addresses: DHCP, a VPN or
 * another network may change them while pods run, and the kernel does not tell Node.js.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { findHostIPs } from '../host/node-facts.ts';
import type { NodeFacts } from '../pod/node-facts.ts';

/** The kubelet's own interval. */
const EVERY_MS = 10_000;

export class CurrentNode {
  #facts: NodeFacts;
  readonly #findHostIPs: typeof findHostIPs;

  /** Another way to find the addresses, given those it had, is for tests. */
  constructor(facts: NodeFacts, find = findHostIPs) {
    this.#facts = facts;
    this.#findHostIPs = find;
  }

  get facts(): NodeFacts {
    return this.#facts;
  }

  /** Looks for its addresses; whether they are others than before. */
  lookAgain(): boolean {
    const known = this.#facts.hostIPs;
    const hostIPs = this.#findHostIPs(known);
    // Without any it is between two networks: the old ones are as good as none, and often come back.
    if (hostIPs.length === 0 || isDeepStrictEqual(hostIPs, known)) return false;
    this.#facts = { ...this.#facts, hostIPs };
    return true;
  }
}

/** What a watch looks with, and whom it tells. */
export interface AddressWatch {
  readonly lookAgain: () => boolean;
  readonly onChange: () => void;
  /** It is tried again the next time. */
  readonly onFailure: (error: unknown) => void;
  /** Absent: as often as the kubelet. */
  readonly everyMs?: number;
}

/** Looks now and then until the signal comes, and tells when the addresses are others. */
export async function watchAddresses(watch: AddressWatch, signal: AbortSignal): Promise<void> {
  const { lookAgain, onChange, onFailure, everyMs = EVERY_MS } = watch;
  for (;;) {
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      if (lookAgain()) onChange();
    } catch (error) {
      onFailure(error);
    }
  }
}
