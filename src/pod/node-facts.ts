/**
 * What containers are made from that belongs to the machine and not to the pod. Read when the agent
 * starts, its addresses every few seconds after that; plain data.
 */
export interface NodeFacts extends RuntimeFeatures {
  /** The node's name, as pods and events show it. */
  readonly name: string;
  /** Tells the pods of one agent from those of another on the same containerd. */
  readonly agentId: string;
  readonly memoryBytes: number;
  /** How many CPUs it has. */
  readonly cpus: number;
  /** Size of the file system that the data directory is on. */
  readonly storageBytes: number;
  /** Primary address first. */
  readonly hostIPs: readonly string[];
  /** What the domains of pods with a subdomain end with. */
  readonly clusterDomain: string;
  readonly cgroupVersion: 1 | 2;
  /** Whether cgroups can limit swap (memory.swap.max, memory.memsw.limit_in_bytes). */
  readonly swapLimits: boolean;
  /** Huge page sizes of the kernel in CRI's words, e.g. `2MB`, `1GB`. */
  readonly hugePageSizes: readonly string[];
  /** Every existing /sys/devices/system/cpu/cpu<N>/thermal_throttle, to be hidden from containers. */
  readonly thermalThrottlePaths: readonly string[];
  /** Whether the kernel enforces AppArmor profiles. */
  readonly appArmor: boolean;
  /** Folder of the seccomp profiles that pods may name (`type: Localhost`). */
  readonly seccompDirectory: string;
}

/** What some versions of the runtime can do and others cannot. */
export interface RuntimeFeatures {
  /** Whether it can leave out the groups that an image has for its user. */
  readonly strictSupplementalGroups: boolean;
  /** By handler, as runtimeClassName names it; "" is the default one. */
  readonly handlers: Readonly<Record<string, HandlerFeatures>>;
}

export interface HandlerFeatures {
  /** Whether pods can have user namespaces, with mounts that are mapped to match. */
  readonly userNamespaces: boolean;
  /** Whether a read-only mount can be made so with everything mounted below it. */
  readonly recursiveReadOnlyMounts: boolean;
}

/** The three parts of a resolv.conf; an option is `name` or `name:value`. */
export interface ResolverConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}
