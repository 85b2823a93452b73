/**
 * The same pod by hand: CRI calls one after the other, as anybody would write them who has no agent.
 *
 * What its containers are made from is what ours are made from, so all that differs is who restarts
 * them, and how. The configs are ready before the clock runs. Read next: raw-contender.ts.
 */
import { lend, takeBack } from '../host/lend.ts';
import type { LendSettings } from '../host/lend.ts';
import { writeHostsFile } from '../host/hosts-file.ts';
import { readResolver } from '../host/resolver.ts';
import type { Loan } from '../pod/loan.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import type { Pod } from '../pod/pod.ts';
import { containersOf } from '../pod/pod.ts';
import { containerConfig, environmentFor } from '../runtime/container-config.ts';
import type { Cri } from '../runtime/cri.ts';
import { dnsOf } from '../runtime/dns.ts';
import type { ContainerConfig } from '../runtime/generated/runtime/v1/ContainerConfig.ts';
import type { PodSandboxConfig } from '../runtime/generated/runtime/v1/PodSandboxConfig.ts';
import type { ReadyImage } from '../runtime/images.ts';
import { ofPod } from '../runtime/labels.ts';
import { sandboxConfig } from '../runtime/sandbox-config.ts';
import type { ExitPoll } from './exit-poll.ts';
import { triggerContainer } from './scenario.ts';
import { allSettled } from './settled.ts';

/** What raw pods are made with. */
export interface RawMeans {
  readonly cri: Cri;
  readonly node: NodeFacts;
  readonly lending: LendSettings;
  readonly image: ReadyImage;
}

interface Created {
  readonly name: string;
  readonly id: string;
}

interface Configs {
  readonly sandbox: PodSandboxConfig;
  readonly containers: readonly { readonly waits: boolean; readonly config: ContainerConfig }[];
}

export class RawPod {
  readonly #pod: Pod;
  readonly #means: RawMeans;
  #loan: Loan | undefined;
  #sandboxId = '';
  #containers: readonly Created[] = [];
  /** Of the next run: attempts make the names in the runtime and of the logs unique. */
  #attempt = 0;
  #configs: Configs | undefined;

  constructor(pod: Pod, means: RawMeans) {
    this.#pod = pod;
    this.#means = means;
  }

  /** Runs it for the first time. */
  async start(exits: ExitPoll, signal: AbortSignal): Promise<void> {
    this.#loan = await lend(this.#pod, this.#means.lending);
    await writeHostsFile(this.#loan.hostsFile, this.#pod, [], this.#means.node);
    this.prepare();
    await this.#runSandbox(signal);
    await this.#startAll(exits, signal);
  }

  /** Makes ready what the next run is made from. */
  prepare(): void {
    const { node, image } = this.#means;
    const [pod, loan, attempt] = [this.#pod, this.#loan, this.#attempt];
    if (loan === undefined) throw new Error('nothing was lent to the pod yet');
    const run = { attempt, generation: attempt, sandboxAttempt: attempt };
    const sources = { podIPs: [], find: () => undefined };
    this.#configs = {
      sandbox: {
        ...sandboxConfig(pod, attempt, loan, node),
        dnsConfig: dnsOf(pod, readResolver().config).config,
      },
      containers: containersOf(pod).map(({ container, kind }) => ({
        waits: kind === 'init',
        config: containerConfig(
          pod,
          container,
          run,
          { image, environment: environmentFor(pod, container, sources, node) },
          loan,
          node,
        ),
      })),
    };
  }

  /** The least that can be done: the containers anew, in their sandbox. */
  async replaceContainers(exits: ExitPoll, signal: AbortSignal): Promise<void> {
    await this.#endContainers(exits, signal);
    await this.#startAll(exits, signal);
  }

  /** Full re-creation: the sandbox too. */
  async replaceSandbox(exits: ExitPoll, signal: AbortSignal): Promise<void> {
    const { cri } = this.#means;
    await this.#endContainers(exits, signal);
    await cri.stopPodSandbox(this.#sandboxId);
    await cri.removePodSandbox(this.#sandboxId);
    await this.#runSandbox(signal);
    await this.#startAll(exits, signal);
  }

  /** Removes all of it, however far it got. */
  async remove(): Promise<void> {
    const { cri, lending } = this.#means;
    const labelSelector = ofPod(this.#pod.metadata.uid);
    for (const { id } of await cri.listPodSandboxes({ labelSelector })) {
      await cri.stopPodSandbox(id);
      await cri.removePodSandbox(id);
    }
    await takeBack(this.#pod, lending);
  }

  // The signal is heeded between two calls: one that is cut off might make something after all
  // has been removed.

  async #endContainers(exits: ExitPoll, signal: AbortSignal): Promise<void> {
    const { cri } = this.#means;
    const trigger = this.#containers.find(({ name }) => name === triggerContainer);
    await exits.exitOf(trigger?.id ?? '');
    await allSettled(this.#containers.map(({ id }) => cri.stopContainer(id, 0)));
    signal.throwIfAborted();
    await allSettled(this.#containers.map(({ id }) => cri.removeContainer(id)));
    signal.throwIfAborted();
  }

  async #runSandbox(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#sandboxId = await this.#means.cri.runPodSandbox(this.#prepared().sandbox, '');
  }

  async #startAll(exits: ExitPoll, signal: AbortSignal): Promise<void> {
    const { cri } = this.#means;
    const { sandbox, containers } = this.#prepared();
    const created: Created[] = [];
    for (const { waits, config } of containers) {
      signal.throwIfAborted();
      const id = await cri.createContainer(this.#sandboxId, config, sandbox);
      created.push({ name: config.metadata?.name ?? '', id });
      await cri.startContainer(id);
      if (waits) await exits.exitOf(id);
    }
    this.#containers = created;
    this.#attempt += 1;
    this.#configs = undefined;
  }

  #prepared(): Configs {
    if (this.#configs === undefined) throw new Error('prepare() comes before every run');
    return this.#configs;
  }
}
