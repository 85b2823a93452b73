/**
 * The CPU shares of the cgroups that pods are in by their QoS class, as the kubelet gives them
 * (cm/qos_container_manager_linux.go): Burstable pods together have what they request together,
 * BestEffort pods together next to nothing, and all pods what the machine has.
 *
 * Only cgroups that reprise has made are touched: on a machine with a kubelet they are the kubelet's.
 * With the systemd driver they are slices, which systemd changes when it is asked to.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Pod } from '../pod/pod.ts';
import { podResources, qosClassOf } from '../pod/pod-resources.ts';
import { isMadeHere } from './cgroup-parents.ts';
import { directoriesOf, qosCgroup } from './cgroups.ts';
import type { Hierarchy } from './cgroups.ts';
import { cpuWeightOf, sharesOf } from '../pod/cpu-shares.ts';
import { parentNotes } from './lend.ts';
import type { LendSettings } from './lend.ts';
import { setSliceShares } from './pod-slice.ts';

/** Gives a slice of systemd its shares. */
type SetSliceShares = typeof setSliceShares;

export interface QosSharesOptions {
  /** Hears of what systemd refuses. */
  readonly report?: (error: unknown) => void;
  /** Asks systemd; another one in tests. */
  readonly setSlice?: SetSliceShares;
}

export class QosShares {
  readonly #settings: LendSettings;
  readonly #hierarchy: Hierarchy;
  readonly #options: QosSharesOptions;
  /** Thousandths of a CPU that each Burstable pod requests, by its uid. */
  readonly #burstable = new Map<string, number>();
  /** What systemd has been told last, by slice. */
  readonly #told = new Map<string, number>();
  /** One call after the other, so that the last one is the latest. */
  #calls = Promise.resolve();

  constructor(settings: LendSettings, hierarchy: Hierarchy, options: QosSharesOptions = {}) {
    this.#settings = settings;
    this.#hierarchy = hierarchy;
    this.#options = options;
  }

  /** To be called when a pod has its cgroup, and again whenever. */
  add(pod: Pod): void {
    const qosClass = qosClassOf(pod);
    this.#write(undefined, sharesOf(os.cpus().length * 1000));
    if (qosClass === 'BestEffort') this.#write('besteffort', 2);
    if (qosClass !== 'Burstable') return;
    this.#burstable.set(pod.metadata.uid, podResources(pod).cpuRequestMilli);
    this.#writeBurstable();
  }

  /** A pod needs nothing any more; its cgroup may still be there. */
  remove(pod: Pod): void {
    if (this.#burstable.delete(pod.metadata.uid)) this.#writeBurstable();
  }

  /** Resolves when systemd has answered all that it was asked so far. */
  async settled(): Promise<void> {
    await this.#calls;
  }

  #writeBurstable(): void {
    const milli = [...this.#burstable.values()].reduce((sum, each) => sum + each, 0);
    this.#write('burstable', sharesOf(milli));
  }

  #write(qosClass: 'burstable' | 'besteffort' | undefined, shares: number): void {
    const { cgroupRoot, cgroupDriver: driver } = this.#settings;
    const cgroup = qosCgroup(qosClass, { cgroupRoot, driver });
    // The root of all is the machine's.
    if (cgroup === '/' || !isMadeHere(cgroup, parentNotes(this.#settings))) return;
    if (driver === 'systemd') this.#tell(cgroup, shares);
    else this.#writeFiles(cgroup, shares);
  }

  #writeFiles(cgroup: string, shares: number): void {
    const [name, value] =
      this.#hierarchy.version === 2 ? ['cpu.weight', cpuWeightOf(shares)] : ['cpu.shares', shares];
    const mounts =
      this.#hierarchy.version === 2
        ? directoriesOf(cgroup, this.#hierarchy)
        : [path.join(this.#hierarchy.controllers['cpu'] ?? '', cgroup)];
    for (const directory of mounts) {
      const file = path.join(directory, name);
      // Absent: removed with its last pod, or a kernel without this controller.
      if (fs.existsSync(file)) fs.writeFileSync(file, String(value));
    }
  }

  /** Beside what the pod is waiting for: no pod starts later for it. */
  #tell(slice: string, shares: number): void {
    if (this.#told.get(slice) === shares) return;
    this.#told.set(slice, shares);
    const { setSlice = setSliceShares, report } = this.#options;
    this.#calls = this.#calls
      .then(() => setSlice(slice, shares, this.#hierarchy.version))
      .catch((error: unknown) => {
        this.#told.delete(slice);
        report?.(error);
      });
  }
}
