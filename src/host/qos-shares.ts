/**
 * The CPU shares of the cgroups that pods are in by their QoS class, as the kubelet gives them
 * (cm/qos_container_manager_linux.go): Burstable pods together have what they request together,
 * BestEffort pods together next to nothing, and all pods what the machine has.
 *
 * Only cgroups that reprise has made are touched: on a machine with a kubelet they are the kubelet's.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Pod } from '../pod/pod.ts';
import { podResources, qosClassOf } from '../pod/pod-resources.ts';
import { isMadeHere } from './cgroup-parents.ts';
import { directoriesOf } from './cgroups.ts';
import type { Hierarchy } from './cgroups.ts';
import { cpuWeightOf, sharesOf } from '../pod/cpu-shares.ts';
import { parentNotes } from './lend.ts';
import type { LendSettings } from './lend.ts';

export class QosShares {
  readonly #settings: LendSettings;
  readonly #hierarchy: Hierarchy;
  /** Thousandths of a CPU that each Burstable pod requests, by its uid. */
  readonly #burstable = new Map<string, number>();

  constructor(settings: LendSettings, hierarchy: Hierarchy) {
    this.#settings = settings;
    this.#hierarchy = hierarchy;
  }

  /** To be called when a pod has its cgroup, and again whenever. */
  add(pod: Pod): void {
    const { cgroupRoot } = this.#settings;
    const qosClass = qosClassOf(pod);
    this.#write(cgroupRoot, sharesOf(os.cpus().length * 1000));
    if (qosClass === 'BestEffort') this.#write(path.posix.join(cgroupRoot, 'besteffort'), 2);
    if (qosClass !== 'Burstable') return;
    this.#burstable.set(pod.metadata.uid, podResources(pod).cpuRequestMilli);
    this.#writeBurstable();
  }

  /** A pod needs nothing any more; its cgroup may still be there. */
  remove(pod: Pod): void {
    if (this.#burstable.delete(pod.metadata.uid)) this.#writeBurstable();
  }

  #writeBurstable(): void {
    const milli = [...this.#burstable.values()].reduce((sum, each) => sum + each, 0);
    this.#write(path.posix.join(this.#settings.cgroupRoot, 'burstable'), sharesOf(milli));
  }

  #write(parent: string, shares: number): void {
    const cgroup = path.posix.join('/', parent);
    // systemd's cgroups are systemd's, and the root of all is the machine's.
    if (this.#settings.cgroupDriver === 'systemd' || cgroup === '/') return;
    if (!isMadeHere(cgroup, parentNotes(this.#settings))) return;
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
}
