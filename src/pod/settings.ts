/** What the node's owner may set about the life of pods. */
export interface Settings {
  /** Longest delay between two in-place restarts of a pod; 0 turns that back-off off. */
  readonly inPlaceBackoffMaxMs: number;
  /** Longest delay between two restarts of one container (the kubelet's maxContainerRestartPeriod). */
  readonly containerBackoffMaxMs: number;
  /** Whether the next generation's containers are created ahead. */
  readonly standbys: boolean;
  /** What becomes of an in-place restart with a device that is unhealthy: tried all the same, or held. */
  readonly unhealthyDevices: 'restart' | 'wait';
}

/** The kubelet's defaults (kubelet.go, KEP-5593) and design.md's. */
export const defaultSettings: Settings = {
  inPlaceBackoffMaxMs: 60_000,
  containerBackoffMaxMs: 300_000,
  standbys: true,
  unhealthyDevices: 'restart',
};
