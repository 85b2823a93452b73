/** Removes what containerd has of a pod, whatever state it is in, for an agent that does not know the pod. */
import type { Cri } from './cri.ts';
import { ofAgent, ofPod } from './labels.ts';

/** What is gone is fine. Of another agent's pod with the same uid nothing is touched. */
export async function removePod(
  cri: Cri,
  { uid, agentId }: { readonly uid: string; readonly agentId: string },
  signal: AbortSignal,
): Promise<void> {
  const filter = { labelSelector: { ...ofPod(uid), ...ofAgent(agentId) } };
  // Only listed, not looked at: what cannot tell its state can be removed all the same.
  for (const { id } of await cri.listPodSandboxes(filter, signal)) {
    await cri.stopPodSandbox(id, signal);
    await cri.removePodSandbox(id, signal);
  }
  // Most went with their sandbox; these had lost theirs.
  for (const { id } of await cri.listContainers(filter, signal)) {
    await cri.removeContainer(id, signal);
  }
}
