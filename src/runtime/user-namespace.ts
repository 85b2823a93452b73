/**
 * `hostUsers: false`: users of the pod's own, which are nobody on the node.
 *
 * A runtime that knows nothing of it would run the pod as the node's root without a word. So it is
 * asked for only where the runtime has said that it can.
 */
import { RepriseError } from '../errors.ts';
import type { Loan } from '../pod/loan.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import { own } from '../pod/own.ts';
import { podKey } from '../pod/pod.ts';
import type { Pod } from '../pod/pod.ts';
import type { IDMapping } from './generated/runtime/v1/IDMapping.ts';
import type { Mount } from './generated/runtime/v1/Mount.ts';
import type { UserNamespace } from './generated/runtime/v1/UserNamespace.ts';

/** The pod asks for something that this containerd cannot do. */
export class UnsupportedError extends RepriseError {}

/** The user namespace of the pod's sandbox and containers; absent: the node's. */
export function userNamespaceOf(
  pod: Pod,
  loan: Loan,
  { handlers }: NodeFacts,
): UserNamespace | undefined {
  if (pod.spec.hostUsers !== false) return undefined;
  if (own(handlers, pod.spec.runtimeClassName ?? '')?.userNamespaces !== true) {
    throw new UnsupportedError('the runtime cannot give a pod a user namespace', {
      where: `${podKey(pod)}, spec.hostUsers`,
      next: 'use containerd 2.0 or later with runc 1.2 or later, or leave "hostUsers: false" out',
    });
  }
  const mapping = mappingOf(loan);
  return { mode: 'POD', uids: [mapping], gids: [mapping] };
}

/** A mount whose files belong to the pod's users as they belong to the node's on disk. */
export function mappedMount(pod: Pod, loan: Loan, mount: Mount): Mount {
  if (pod.spec.hostUsers !== false) return mount;
  const mapping = mappingOf(loan);
  return { ...mount, uidMappings: [mapping], gidMappings: [mapping] };
}

function mappingOf({ userNamespace }: Loan): IDMapping {
  if (userNamespace === undefined) throw new Error('no users were lent to the pod');
  return { containerId: 0, hostId: userNamespace.first, length: userNamespace.count };
}
