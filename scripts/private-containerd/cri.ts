/**
 * The few questions that are put to a containerd itself: would you run a pod, how many have you, remove them.
 */
import { messageOf } from '../../src/errors.ts';
import { connectContainerd } from '../../src/runtime/connect.ts';
import { criOver } from '../../src/runtime/cri.ts';

/** A machine that is busy enough takes its time for the simplest answer. */
const ANSWER_MS = 60_000;
/** What is not removed by then is removed in another way. */
const REMOVE_MS = 30_000;

/** Later lines of containerd add conditions that only warn. */
const MUST_BE_TRUE = new Set(['RuntimeReady', 'NetworkReady']);

/** What stands in the way of running pods; undefined when nothing does. */
export async function whatIsNotReady(socket: string): Promise<string | undefined> {
  try {
    using containerd = connectContainerd(socket);
    const { status } = await criOver(containerd).status(AbortSignal.timeout(ANSWER_MS));
    return status?.conditions.find(({ type, status }) => MUST_BE_TRUE.has(type) && !status)
      ?.message;
  } catch (error) {
    return messageOf(error);
  }
}

/** How many sandboxes and containers there are, running or not. */
export async function countPods(socket: string): Promise<{ pods: number; containers: number }> {
  using containerd = connectContainerd(socket);
  const cri = criOver(containerd);
  const signal = AbortSignal.timeout(ANSWER_MS);
  const [pods, containers] = await Promise.all([
    cri.listPodSandboxes({}, signal),
    cri.listContainers({}, signal),
  ]);
  return { pods: pods.length, containers: containers.length };
}

/** Kills and removes all pods and forgets them; fails if one resists. */
export async function removePods(socket: string): Promise<void> {
  using containerd = connectContainerd(socket);
  const cri = criOver(containerd);
  const signal = AbortSignal.timeout(REMOVE_MS);
  const pods = await cri.listPodSandboxes({}, signal);
  await Promise.all(pods.map(({ id }) => cri.removePodSandbox(id, signal)));
}
