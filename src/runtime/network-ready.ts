/**
 * Whether the runtime could connect a pod to a network now. Asked before a sandbox is made: it says what is
 * missing in one sentence, and nothing has to be cleared away.
 *
 * Source: the kubelet's runtimeState.networkErrors, and syncPod, which does not begin without (kubelet.go).
 */
import { RepriseError } from '../errors.ts';
import type { Cri } from './cri.ts';

/** Pods of the node's own network are not concerned. */
export class NetworkNotReadyError extends RepriseError {}

/** Throws NetworkNotReadyError with the runtime's reason. */
export async function assertNetworkReady(cri: Cri, signal: AbortSignal): Promise<void> {
  const { status } = await cri.status(signal);
  const network = status?.conditions.find(({ type }) => type === 'NetworkReady');
  if (network === undefined || network.status) return;
  const { reason, message } = network;
  throw new NetworkNotReadyError(
    `network is not ready: container runtime network not ready: NetworkReady=false reason:${reason} message:${message}`,
    { next: 'install CNI plugins and a network in /etc/cni/net.d; see reprise doctor' },
  );
}
