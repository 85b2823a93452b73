/**
 * How a sandbox or container carries its pod's identity: labels to find it by and to know its
 * generation after a crash, and the annotations that tools for the kubelet read.
 *
 * The labels of Kubernetes are the kubelet's own, so that crictl shows our pods. Ours tell the
 * agents on one containerd apart: an agent touches only what carries its own id.
 */
import type { Container, Pod } from '../pod/pod.ts';
import { containerHash } from './container-hash.ts';

const podName = 'io.kubernetes.pod.name';
const podNamespace = 'io.kubernetes.pod.namespace';
const podUid = 'io.kubernetes.pod.uid';
const containerName = 'io.kubernetes.container.name';
const agent = 'reprise.dev/agent';
const generation = 'reprise.dev/generation';
const sandboxAttempt = 'reprise.dev/sandbox-attempt';
const specHash = 'reprise.dev/spec-hash';
const surroundings = 'reprise.dev/surroundings-hash';
const inputs = 'reprise.dev/inputs-hash';
const target = 'reprise.dev/target-id';

type Labels = Readonly<Record<string, string>>;

/** What a container's labels say, next to its name and attempt. */
export interface ContainerIdentity {
  readonly podUid: string;
  readonly name: string;
  readonly generation: number;
  readonly sandboxAttempt: number;
  readonly specHash: string;
  /** Hash of what it found on the machine; absent if that did not matter. */
  readonly surroundings?: string;
  /** Hash of what it took from ConfigMaps, Secrets and the node's addresses; absent if nothing. */
  readonly inputs?: string;
  /** Id of the container whose processes it sees; absent: none. */
  readonly target?: string;
}

/** The labels of a pod's sandbox: the pod's own ones too, but never in the place of ours. */
export function sandboxLabels(pod: Pod, agentId: string): Labels {
  return { ...pod.metadata.labels, ...podLabels(pod, agentId) };
}

/** The labels of a container. */
export function containerLabels(pod: Pod, identity: ContainerIdentity, agentId: string): Labels {
  return {
    ...podLabels(pod, agentId),
    [containerName]: identity.name,
    [generation]: String(identity.generation),
    [sandboxAttempt]: String(identity.sandboxAttempt),
    [specHash]: identity.specHash,
    ...(identity.surroundings !== undefined && { [surroundings]: identity.surroundings }),
    ...(identity.inputs !== undefined && { [inputs]: identity.inputs }),
    ...(identity.target !== undefined && { [target]: identity.target }),
  };
}

function podLabels(pod: Pod, agentId: string): Labels {
  return {
    [podName]: pod.metadata.name,
    [podNamespace]: pod.metadata.namespace,
    [podUid]: pod.metadata.uid,
    [agent]: agentId,
  };
}

/** Reads containerLabels back; `undefined` for what is not one of our containers. */
export function readContainerLabels(labels: Labels): ContainerIdentity | undefined {
  const { [podUid]: uid, [containerName]: name, [specHash]: hash } = labels;
  const numbers = [labels[generation], labels[sandboxAttempt]].map(readCount);
  const [generationRead, attemptRead] = numbers;
  if (uid === undefined || name === undefined || hash === undefined) return undefined;
  if (generationRead === undefined || attemptRead === undefined) return undefined;
  return {
    podUid: uid,
    name,
    generation: generationRead,
    sandboxAttempt: attemptRead,
    specHash: hash,
    ...(labels[surroundings] !== undefined && { surroundings: labels[surroundings] }),
    ...(labels[inputs] !== undefined && { inputs: labels[inputs] }),
    ...(labels[target] !== undefined && { target: labels[target] }),
  };
}

function readCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** The pod that a sandbox or container belongs to. */
export function podUidOf(labels: Labels): string | undefined {
  return labels[podUid];
}

/** Finds everything of one pod. */
export function ofPod(uid: string): Record<string, string> {
  return { [podUid]: uid };
}

/** Finds everything of one agent. */
export function ofAgent(agentId: string): Record<string, string> {
  return { [agent]: agentId };
}

/**
 * What the kubelet writes on a container for its own use and for others to read. Its deletionGracePeriod
 * is of containers that are made for a pod which is being deleted; none are here.
 */
export function containerAnnotations(pod: Pod, container: Container, attempt: number): Labels {
  const { ports, lifecycle } = container;
  const { preStop } = lifecycle ?? {};
  return {
    'io.kubernetes.container.hash': containerHash(container),
    'io.kubernetes.container.restartCount': String(attempt),
    'io.kubernetes.container.terminationMessagePath': container.terminationMessagePath,
    'io.kubernetes.container.terminationMessagePolicy': container.terminationMessagePolicy,
    'io.kubernetes.pod.terminationGracePeriod': String(pod.spec.terminationGracePeriodSeconds),
    ...(preStop && { 'io.kubernetes.container.preStopHandler': JSON.stringify(preStop) }),
    ...(ports.length > 0 && { 'io.kubernetes.container.ports': JSON.stringify(ports) }),
  };
}
