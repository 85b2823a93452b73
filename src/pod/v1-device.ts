/**
 * A device as it is shown. Kubernetes has no such object; this has the shape of one.
 */
export interface V1Device {
  readonly apiVersion: 'reprise.dev/v1';
  readonly kind: 'Device';
  readonly metadata: {
    /** The full name that lasts: `nvidia.com/gpu=GPU-...`. */
    readonly name: string;
    readonly resourceVersion: string;
  };
  readonly spec: {
    /** What containers ask for in their limits. */
    readonly resource: string;
    /** All of its full names. */
    readonly names: readonly string[];
    /** Host paths of its nodes, without those that come with every device of its kind. */
    readonly nodes: readonly string[];
    /** The CDI specification that defines it; absent: made from what the driver tells. */
    readonly file?: string;
    /** It stands for several others, and is given only by its name. */
    readonly isGroup: boolean;
    readonly model?: string;
    /** PCI address. */
    readonly busId?: string;
  };
  readonly status: {
    readonly health: 'Healthy' | 'Unhealthy';
    readonly message?: string;
    readonly users: readonly {
      /** `namespace/name` */
      readonly pod: string;
      readonly containers: readonly string[];
    }[];
  };
}
