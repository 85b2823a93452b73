/**
 * The Pod: Kubernetes' own v1 shape, cut down to the fields that are honoured, every default filled in.
 *
 * It is what `get -o json` prints, so no second shape has to be kept in step with it. Where a pod
 * came from (a manifest, the API) leaves no trace here. Fields that are accepted without effect
 * are kept in `PodSpec.inert` so that they can be shown again.
 *
 * Read next: observed.ts, what can be seen of a pod; memory.ts, what must be remembered.
 */
import type { Lifecycle, Probe } from './handler.ts';
import type {
  ClaimVolume,
  ConfigMapVolume,
  DownwardVolume,
  FieldRef,
  ImageVolume,
  ProjectedVolume,
  ResourceFieldRef,
  SecretVolume,
} from './volume-sources.ts';

export interface Pod {
  readonly metadata: PodMetadata;
  readonly spec: PodSpec;
  /** From the annotation reprise.dev/in-place-backoff; absent: the node's setting counts; 0: none. */
  readonly inPlaceBackoffMaxMs?: number;
}

export interface PodMetadata {
  readonly name: string;
  readonly namespace: string;
  /** Set once when the pod is accepted; names its folder, its cgroup and its containers. */
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339; set once when the pod is accepted. */
  readonly creationTimestamp: string;
}

export interface PodSpec {
  /** Init containers and sidecars, in start order. */
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  /** Added while the pod runs, the last one at the end; never part of a manifest. Absent: none. */
  readonly ephemeralContainers?: readonly EphemeralContainer[];
  readonly volumes: readonly Volume[];
  readonly restartPolicy: RestartPolicy;
  readonly terminationGracePeriodSeconds: number;
  /** Counts from status.startTime; absent: no deadline. */
  readonly activeDeadlineSeconds?: number;
  readonly hostname?: string;
  /** Takes the place of name, hostname and domain. */
  readonly hostnameOverride?: string;
  /** Makes a domain out of namespace and cluster domain. */
  readonly subdomain?: string;
  readonly setHostnameAsFQDN?: boolean;
  readonly hostNetwork: boolean;
  readonly hostPID: boolean;
  readonly hostIPC: boolean;
  /** `false` gives the pod a user namespace of its own. Absent: the node's users are the pod's. */
  readonly hostUsers?: boolean;
  readonly shareProcessNamespace: boolean;
  readonly dnsPolicy: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';
  readonly dnsConfig?: DnsConfig;
  readonly hostAliases: readonly HostAlias[];
  readonly runtimeClassName?: string;
  /** Of all classes only nodeCriticalClass means something here. */
  readonly priorityClassName?: string;
  /** Secrets with credentials for registries. Absent: none. */
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  /** Conditions that others set, and that Ready waits for. Absent: none. */
  readonly readinessGates?: readonly { readonly conditionType: string }[];
  readonly securityContext: PodSecurityContext;
  /** What all containers have together, whatever each of them says. Absent: the sum of theirs. */
  readonly resources?: Resources;
  /** Fields without meaning on a single node (affinity, tolerations, ...), as they were written. */
  readonly inert: Readonly<Record<string, unknown>>;
}

/** The class of pods that a node cannot do without: none of theirs is to die for want of memory. */
export const nodeCriticalClass = 'system-node-critical';

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir?: string;
  readonly env: readonly EnvVar[];
  /** Come before `env`, which wins over them. */
  readonly envFrom: readonly EnvFrom[];
  readonly ports: readonly ContainerPort[];
  readonly resources: Resources;
  readonly volumeMounts: readonly VolumeMount[];
  readonly securityContext: ContainerSecurityContext;
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: Lifecycle;
  /** On an init container, `Always` makes it a sidecar (KEP-753). Absent: the pod's policy counts. */
  readonly restartPolicy?: RestartPolicy;
  readonly restartPolicyRules: readonly RestartRule[];
  /** Where in the container it may leave a message for its end. */
  readonly terminationMessagePath: string;
  /** FallbackToLogsOnError: without a message the end of the log is taken, if the exit is an error. */
  readonly terminationMessagePolicy: 'File' | 'FallbackToLogsOnError';
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
}

/** A guest in a running pod, to look into it: started once, and no part of the pod's own life. */
export interface EphemeralContainer extends Container {
  /** The container whose processes it sees as its own; absent: it sees none but its own. */
  readonly targetContainerName?: string;
}

/** One entry of restartPolicyRules (KEP-5307, KEP-5532); the first one that matches wins. */
export interface RestartRule {
  readonly action: 'Restart' | 'RestartAllContainers';
  readonly exitCodes: { readonly operator: 'In' | 'NotIn'; readonly values: readonly number[] };
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  /** Has exactly one source. */
  readonly valueFrom?: {
    readonly fieldRef?: FieldRef;
    readonly resourceFieldRef?: ResourceFieldRef;
    readonly configMapKeyRef?: KeyRef;
    readonly secretKeyRef?: KeyRef;
    readonly fileKeyRef?: FileKeyRef;
  };
}

/** One variable of a file that a container has written, in an emptyDir. */
export interface FileKeyRef {
  readonly volumeName: string;
  /** Relative to the volume, without `..`. */
  readonly path: string;
  readonly key: string;
  /** Whether file or key may be missing: then there is no such variable. */
  readonly optional?: boolean;
}

/** One key of a ConfigMap or a Secret. */
export interface KeyRef {
  readonly name: string;
  readonly key: string;
  /** Whether object or key may be missing: then there is no such variable. */
  readonly optional?: boolean;
}

/** Every key of a ConfigMap or a Secret as a variable; has exactly one of the two. */
export interface EnvFrom {
  /** Comes before each name. */
  readonly prefix?: string;
  readonly configMapRef?: { readonly name: string; readonly optional?: boolean };
  readonly secretRef?: { readonly name: string; readonly optional?: boolean };
}

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly hostPort?: number;
  readonly hostIP?: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

/** Quantities as they were written ("500m", "1Gi"); manifest/quantity.ts turns them into numbers. */
export interface Resources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  /** Also for what is mounted below it; absent: Disabled. */
  readonly recursiveReadOnly?: 'Disabled' | 'IfPossible' | 'Enabled';
  /** Whether later mounts get in (or out again); absent: None. */
  readonly mountPropagation?: 'None' | 'HostToContainer' | 'Bidirectional';
  /** A path inside the volume; absent: the whole volume. */
  readonly subPath?: string;
  /** The same with `$(NAME)` standing for the container's variables. */
  readonly subPathExpr?: string;
}

/** A volume has exactly one source. */
export interface Volume {
  readonly name: string;
  readonly emptyDir?: {
    readonly medium: '' | 'Memory' | 'HugePages' | `HugePages-${string}`;
    readonly sizeLimit?: string;
  };
  readonly hostPath?: { readonly path: string; readonly type: HostPathType };
  readonly configMap?: ConfigMapVolume;
  readonly secret?: SecretVolume;
  readonly downwardAPI?: DownwardVolume;
  readonly projected?: ProjectedVolume;
  readonly persistentVolumeClaim?: ClaimVolume;
  readonly image?: ImageVolume;
}

export type HostPathType =
  | ''
  | 'DirectoryOrCreate'
  | 'Directory'
  | 'FileOrCreate'
  | 'File'
  | 'Socket'
  | 'CharDevice'
  | 'BlockDevice';

export interface DnsConfig {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly { readonly name: string; readonly value?: string }[];
}

export interface HostAlias {
  readonly ip: string;
  readonly hostnames: readonly string[];
}

export interface PodSecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
  readonly fsGroup?: number;
  /** Whether a claim is given to the group only if its own folder is not the group's. Absent: always. */
  readonly fsGroupChangePolicy?: 'OnRootMismatch' | 'Always';
  readonly supplementalGroups: readonly number[];
  /** `Strict` leaves out the groups that the image has for the user. Absent: they are added. */
  readonly supplementalGroupsPolicy?: 'Merge' | 'Strict';
  readonly seccompProfile?: SeccompProfile;
  readonly appArmorProfile?: AppArmorProfile;
  readonly seLinuxOptions?: SeLinuxOptions;
  readonly sysctls: readonly { readonly name: string; readonly value: string }[];
}

export interface ContainerSecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
  readonly privileged: boolean;
  readonly readOnlyRootFilesystem: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
  readonly seccompProfile?: SeccompProfile;
  readonly appArmorProfile?: AppArmorProfile;
  readonly seLinuxOptions?: SeLinuxOptions;
  /** `Unmasked` shows all of /proc; only with `hostUsers: false`. */
  readonly procMount?: 'Default' | 'Unmasked';
}

/** What a process may do: as the runtime thinks fit, everything, or as a profile of the node says. */
export interface SeccompProfile {
  readonly type: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  /** Only with Localhost: for seccomp a path below the node's folder of profiles, else a name. */
  readonly localhostProfile?: string;
}

export type AppArmorProfile = SeccompProfile;

/** The parts of an SELinux label; what is absent is for the runtime to choose. */
export interface SeLinuxOptions {
  readonly user?: string;
  readonly role?: string;
  readonly type?: string;
  readonly level?: string;
}

export type ContainerKind = 'init' | 'sidecar' | 'app';

/** All containers that take part in the life of a pod, in start order, each with its kind. */
export function containersOf(
  pod: Pick<Pod, 'spec'>,
): readonly { container: Container; kind: ContainerKind }[] {
  return [
    ...pod.spec.initContainers.map((container) => ({
      container,
      kind: isSidecar(container) ? ('sidecar' as const) : ('init' as const),
    })),
    ...pod.spec.containers.map((container) => ({ container, kind: 'app' as const })),
  ];
}

/**
 * Which version of its spec a pod has, from 1 on, as `metadata.generation` counts them. All that is ever
 * changed of a spec is that an ephemeral container is added.
 */
export function specGenerationOf({ spec }: Pick<Pod, 'spec'>): number {
  return 1 + (spec.ephemeralContainers?.length ?? 0);
}

/** The same and the ephemeral ones, which come last. */
export function everyContainerOf(
  pod: Pick<Pod, 'spec'>,
): readonly { container: Container; kind: ContainerKind | 'ephemeral' }[] {
  const { ephemeralContainers = [] } = pod.spec;
  return [
    ...containersOf(pod),
    ...ephemeralContainers.map((container) => ({ container, kind: 'ephemeral' as const })),
  ];
}

/** The container of that name, of whatever kind. */
export function findContainer(pod: Pick<Pod, 'spec'>, name: string): Container | undefined {
  return everyContainerOf(pod).find(({ container }) => container.name === name)?.container;
}

/** Whether an init container is a sidecar (KEP-753). Only meaningful for entries of initContainers. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** How people and messages name a pod: `namespace/name`. */
export function podKey(pod: { readonly metadata: { namespace: string; name: string } }): string {
  return `${pod.metadata.namespace}/${pod.metadata.name}`;
}
