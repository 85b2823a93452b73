/**
 * The pod as it is shown: Kubernetes' own v1 Pod with its full PodStatus, as plain JSON.
 *
 * Field names, values and absence are those of `kubectl get pod -o json`. Times are RFC 3339.
 *
 * Read next: v1-spec.ts, the spec as it is shown; status.ts, which fills the status in.
 */
import type { Phase } from './memory.ts';
import type { Container, ContainerPort, EphemeralContainer, PodSpec, Resources } from './pod.ts';

export interface V1Pod {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: V1ObjectMeta;
  readonly spec: V1PodSpec;
  readonly status: V1PodStatus;
}

/** Annotation that carries the pod's generation, the number of its in-place restarts, as text. */
export const generationAnnotation = 'reprise.dev/generation';

export interface V1ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Grows with every change of any pod; only comparable by the agent itself. */
  readonly resourceVersion: string;
  /** Of the spec, which only ephemeral containers are added to. */
  readonly generation: number;
  readonly creationTimestamp: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** When the pod must be gone: time of the delete request plus the grace period. */
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
}

/** The honoured fields, and the inert ones as they were written; empty lists are left out. */
export type V1PodSpec = Partial<
  Omit<PodSpec, 'inert' | 'containers' | 'initContainers' | 'ephemeralContainers'>
> & {
  readonly containers: readonly V1Container[];
  readonly initContainers?: readonly V1Container[];
  readonly ephemeralContainers?: readonly V1EphemeralContainer[];
  readonly nodeName: string;
};

/** A container of the spec; empty lists are left out. */
export type V1Container = Partial<Omit<Container, 'name' | 'image' | 'ports'>> &
  Pick<Container, 'name' | 'image'> & { readonly ports?: readonly ContainerPort[] };

export type V1EphemeralContainer = V1Container & Pick<EphemeralContainer, 'targetContainerName'>;

export interface V1PodStatus {
  readonly phase: Phase | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
  readonly conditions: readonly V1PodCondition[];
  readonly hostIP?: string;
  readonly hostIPs?: readonly V1PodIP[];
  readonly podIP?: string;
  readonly podIPs?: readonly V1PodIP[];
  /** Set once; stays through in-place restarts and restarts of the agent. */
  readonly startTime?: string;
  readonly qosClass: 'Guaranteed' | 'Burstable' | 'BestEffort';
  /** In spec order. */
  readonly initContainerStatuses?: readonly V1ContainerStatus[];
  /** Sorted by name. */
  readonly containerStatuses?: readonly V1ContainerStatus[];
  /** Sorted by name. */
  readonly ephemeralContainerStatuses?: readonly V1ContainerStatus[];
}

export interface V1PodIP {
  readonly ip: string;
}

export interface V1PodCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number;
  readonly lastProbeTime?: string | null;
  /** Moves only when `status` changes. */
  readonly lastTransitionTime: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface V1ContainerStatus {
  readonly name: string;
  readonly image: string;
  /** Digest reference; empty while the image is not known. */
  readonly imageID: string;
  /** `containerd://<id>`; absent while there is no container. */
  readonly containerID?: string;
  readonly restartCount: number;
  readonly ready: boolean;
  /** Absent for ephemeral containers, as under the kubelet. */
  readonly started?: boolean;
  readonly state: V1ContainerState;
  readonly lastState: V1ContainerState;
  readonly resources?: Partial<Resources>;
  readonly allocatedResources?: Readonly<Record<string, string>>;
  readonly allocatedResourcesStatus?: readonly V1ResourceStatus[];
  readonly volumeMounts?: readonly V1VolumeMountStatus[];
  /** As whom it runs; absent where the runtime does not tell. */
  readonly user?: { readonly linux: V1LinuxUser };
}

/** How the devices of a container are (KEP-4680), by what was asked for. */
export interface V1ResourceStatus {
  readonly name: string;
  readonly resources: readonly {
    /** Full name of the device. */
    readonly resourceID: string;
    readonly health: 'Healthy' | 'Unhealthy';
    readonly message?: string;
  }[];
}

export interface V1LinuxUser {
  readonly uid: number;
  readonly gid: number;
  readonly supplementalGroups?: readonly number[];
}

export interface V1VolumeMountStatus {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly recursiveReadOnly?: string;
}

/** At most one of the three is set; none for a `lastState` without a past. */
export interface V1ContainerState {
  readonly waiting?: V1ContainerWaiting;
  readonly running?: V1ContainerRunning;
  readonly terminated?: V1ContainerTerminated;
}

export interface V1ContainerWaiting {
  readonly reason?: string;
  readonly message?: string;
}

export interface V1ContainerRunning {
  readonly startedAt: string;
}

export interface V1ContainerTerminated {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt?: string | null;
  readonly finishedAt?: string | null;
  readonly containerID?: string;
}
