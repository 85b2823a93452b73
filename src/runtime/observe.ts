/**
 * A full look at one pod: what CRI answers, as the plain data that decisions are made from.
 *
 * The list comes in one call; only what it does not tell (addresses, start times, exits) costs a
 * call more per sandbox or container, all at once. What vanishes meanwhile is left out.
 */
import type { Exit, Instance, InstanceState, ObservedSandbox } from '../pod/observed.ts';
import type { LinuxUser } from '../pod/origin.ts';
import { unlessGone } from './call.ts';
import type { Cri } from './cri.ts';
import type { Container__Output } from './generated/runtime/v1/Container.ts';
import type { ContainerState__Output } from './generated/runtime/v1/ContainerState.ts';
import type { ContainerStatus__Output } from './generated/runtime/v1/ContainerStatus.ts';
import type { PodSandbox__Output } from './generated/runtime/v1/PodSandbox.ts';
import type { PodSandboxNetworkStatus__Output } from './generated/runtime/v1/PodSandboxNetworkStatus.ts';
import { ofAgent, ofPod, podUidOf, readContainerLabels } from './labels.ts';
import { fromNanos } from './time.ts';

/** What the runtime knows of one pod. */
export interface PodLook {
  /** Newest attempt first. */
  readonly sandboxes: readonly ObservedSandbox[];
  /** In the order of their creation. */
  readonly instances: readonly Instance[];
}

/** Looks at one pod. Whether an exited container's processes are all gone is for others to prove. */
export async function lookAtPod(cri: Cri, uid: string, signal: AbortSignal): Promise<PodLook> {
  const filter = { labelSelector: ofPod(uid) };
  const [sandboxes, containers] = await Promise.all([
    cri.listPodSandboxes(filter, signal),
    cri.listContainers(filter, signal),
  ]);
  const [seenSandboxes, seenInstances] = await Promise.all([
    Promise.all(sandboxes.map((sandbox) => lookAtSandbox(cri, sandbox, signal))),
    Promise.all(containers.map((container) => lookAtContainer(cri, container, signal))),
  ]);
  return {
    sandboxes: seenSandboxes.filter(isThere).sort((a, b) => b.attempt - a.attempt),
    instances: seenInstances
      .filter(isThere)
      .sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0)),
  };
}

/** The uids of all pods of this agent that the runtime knows, in no particular order. */
export async function listPodUids(
  cri: Cri,
  agentId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const sandboxes = await cri.listPodSandboxes({ labelSelector: ofAgent(agentId) }, signal);
  return [...new Set(sandboxes.map(({ labels }) => podUidOf(labels)).filter(isThere))];
}

async function lookAtSandbox(
  cri: Cri,
  listed: PodSandbox__Output,
  signal: AbortSignal,
): Promise<ObservedSandbox | undefined> {
  const { id, state } = listed;
  const attempt = listed.metadata?.attempt ?? 0;
  // A sandbox that is not ready has lost its network: it has no addresses to ask for.
  if (state !== 'SANDBOX_READY') return { id, attempt, ready: false, ips: [] };
  const status = await unlessGone(cri.podSandboxStatus(id, signal));
  if (status === undefined) return undefined;
  return { id, attempt, ready: status.state === 'SANDBOX_READY', ips: addressesOf(status.network) };
}

function addressesOf(network: PodSandboxNetworkStatus__Output | null): readonly string[] {
  if (network === null || network.ip === '') return [];
  return [network.ip, ...network.additionalIps.map(({ ip }) => ip)];
}

async function lookAtContainer(
  cri: Cri,
  listed: Container__Output,
  signal: AbortSignal,
): Promise<Instance | undefined> {
  const identity = readContainerLabels(listed.labels);
  if (identity === undefined || listed.metadata === null) return undefined;
  const status = await unlessGone(cri.containerStatus(listed.id, signal));
  if (status === undefined) return undefined;
  const { name, generation, sandboxAttempt, specHash, surroundings, inputs, target } = identity;
  const user = userOf(status);
  const common = {
    id: listed.id,
    name,
    attempt: listed.metadata.attempt,
    generation,
    sandboxAttempt,
    specHash,
    ...(surroundings !== undefined && { surroundings }),
    ...(inputs !== undefined && { inputs }),
    ...(target !== undefined && { target }),
    createdAt: fromNanos(listed.createdAt),
    // The list has the image's bare id here, whatever it was pulled as.
    imageId: listed.imageRef,
    imageRef: status.imageRef,
    image: status.image?.image,
    ...(user !== undefined && { user }),
    gone: false,
  };
  const state = states[status.state];
  if (state === 'created') return { ...common, state };
  if (state === 'exited' && isAborted(status)) return { ...common, state: 'aborted' };
  const startedAt = fromNanos(status.startedAt);
  if (state !== 'exited') return { ...common, state, startedAt };
  return { ...common, state, startedAt, exit: exitOf(status) };
}

/** As whom a container runs; undefined before containerd 2.0, which does not tell. */
export function userOf({ user }: ContainerStatus__Output): LinuxUser | undefined {
  const linux = user?.linux ?? undefined;
  if (linux === undefined) return undefined;
  return {
    uid: Number(linux.uid),
    gid: Number(linux.gid),
    supplementalGroups: linux.supplementalGroups.map(Number),
  };
}

const states: Readonly<Record<ContainerState__Output, InstanceState>> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
};

/**
 * What containerd tells as a failed start though the container is not to blame:
 *
 * - A start that its caller did not wait for to the end (it died, or its deadline passed) is given up.
 *   Seen on 1.6.20 after kill -9 of the caller, while runc was at work.
 * - containerd had no shim to ask: then nothing of the container was even read. All of a pod share a
 *   socket, and a shim that does not answer a connection within 100 ms counts as dead: the next start
 *   takes the socket away from it. Seen on 1.6.20 on an overloaded machine, of starts side by side
 *   ("bind: address already in use") and of one beside an exit ("connect: no such file or directory"). The
 *   second shim ends with its last container, and a start that has just reached it with it ("ttrpc: closed";
 *   not seen).
 * - A container that is created while the sandbox's shim takes more than 2 s to tell its process is to
 *   join the namespaces of process 0, of which there is none. Seen on 1.7.24 on an overloaded machine.
 *
 * The same words may be those of a container that never starts: ../pod/aborted.ts has an eye on that.
 */
function isAborted({ reason, message }: ContainerStatus__Output): boolean {
  if (reason !== 'StartError') return false;
  return notToBlame.some((words) => words.test(message));
}

const notToBlame = [
  /context (canceled|deadline exceeded)/,
  /failed to start shim: /,
  /failed to create shim task: ttrpc: closed/,
  /\/proc\/0\/ns\//,
];

function exitOf(status: ContainerStatus__Output): Exit {
  const { exitCode: code, reason, message, createdAt } = status;
  // A failed start is an exit without an end time in some versions: then it never ran at all.
  const finishedAt = fromNanos(status.finishedAt) ?? fromNanos(createdAt) ?? 0;
  return { code, finishedAt, reason, ...(message !== '' && { message }) };
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
