/**
 * Hands the news of the runtime to the workers that they are for: starts, exits with their reason and
 * the container's last words, images that have moved, and that news may have been missed.
 */
import { oomGroupKillsIn, oomKillsIn } from '../host/oom-kills.ts';
import type { Logger } from '../log.ts';
import type { Exit } from '../pod/observed.ts';
import { hasRestartAllRule } from '../pod/restart-rules.ts';
import type { RuntimeEvent } from '../runtime/events.ts';
import { cgroupOf, podCgroupOf } from './kill-instances.ts';
import type { Means } from './means.ts';
import { tellExit } from './last-words.ts';
import type { Sources } from './last-words.ts';
import { isMadeAheadFrom } from './moved-images.ts';
import type { OomKills } from './out-of-memory.ts';
import { StrayExits } from './stray-exits.ts';
import type { Worker } from './worker.ts';

export interface NewsParts {
  readonly means: Sources & Pick<Means, 'hierarchy' | 'outOfMemory' | 'cleanup'>;
  readonly log: Logger;
  /** All that there are now. */
  readonly workers: () => readonly Worker[];
  /** Takes what goes on after the news has been handed over. */
  readonly keep: (underWay: Promise<void>) => void;
  readonly signal: AbortSignal;
}

export class RuntimeNews {
  readonly #parts: NewsParts;
  /** Exits of containers that no worker knows yet. */
  readonly strays = new StrayExits();

  constructor(parts: NewsParts) {
    this.#parts = parts;
  }

  /** News that cannot be handled is told, and made up for by a look: there is more of it to come. */
  took(event: RuntimeEvent): void {
    const { log, workers } = this.#parts;
    try {
      this.#take(event);
    } catch (error) {
      const id = 'containerId' in event ? event.containerId : undefined;
      if (id !== undefined) this.#parts.means.cleanup.letGo(id);
      log.error({ err: error, news: event.kind, id }, 'could not handle news; looking instead');
      const owner = id === undefined ? undefined : this.#ownerOf(id);
      for (const worker of owner === undefined ? workers() : [owner]) worker.lookAgain();
    }
  }

  #take(event: RuntimeEvent): void {
    const { log, workers } = this.#parts;
    switch (event.kind) {
      case 'exit':
        this.#tookExit(event);
        return;
      case 'create':
        this.#tookCreate(event);
        return;
      case 'start':
        this.#ownerOf(event.containerId)?.sawStart(event.containerId, event);
        return;
      case 'oom': {
        const { containerId } = event;
        const owner = this.#ownerOf(containerId);
        if (owner?.sawOutOfMemory(containerId) === false)
          this.#parts.means.outOfMemory.saw(containerId);
        return;
      }
      case 'image':
        for (const worker of workers())
          if (isMadeAheadFrom(event.name, worker.pod, worker.picture.observed)) worker.imageMoved();
        return;
      case 'connected':
        if (!event.gap) return;
        log.info('containerd is back; looking at every pod');
        this.#parts.means.cleanup.letAllGo();
        for (const worker of workers()) worker.lookAgain();
        return;
      case 'lost':
        log.warn({ err: event.error }, 'lost containerd; its containers go on');
        this.#parts.means.cleanup.letAllGo();
        return;
      default:
        event satisfies never;
    }
  }

  /** Only a pod that has a rule for it is likely to restart in place. */
  #tookCreate({ containerId, pid }: RuntimeEvent & { kind: 'create' }): void {
    const { means, signal } = this.#parts;
    const pod = this.#ownerOf(containerId)?.pod;
    if (signal.aborted || pod === undefined || !hasRestartAllRule(pod)) return;
    means.cleanup.hold(pod.metadata.uid, { pid, containerId });
  }

  #tookExit({ containerId, exitCode, exitedAt, seenAt }: RuntimeEvent & { kind: 'exit' }): void {
    this.#parts.means.cleanup.ended(containerId);
    const worker = this.#ownerOf(containerId);
    const kills = worker && this.#oomKillsIn(worker, containerId);
    const reason = this.#parts.means.outOfMemory.reasonOf(containerId, exitCode, kills);
    const exit = { code: exitCode, finishedAt: exitedAt, reason, seenAt };
    if (worker === undefined) this.strays.add(containerId, exit);
    else this.#parts.keep(this.#tellExit(worker, containerId, exit));
  }

  async #tellExit(worker: Worker, id: string, exit: Exit): Promise<void> {
    const { means, log, signal } = this.#parts;
    try {
      await tellExit(means, worker, id, exit, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error, id }, 'could not read what a container said at its end');
    }
  }

  #ownerOf(id: string): Worker | undefined {
    return this.#parts.workers().find((worker) => worker.owns(id));
  }

  #oomKillsIn({ pod }: Worker, id: string): OomKills {
    const { means } = this.#parts;
    return {
      podUid: pod.metadata.uid,
      inContainer: oomKillsIn(cgroupOf(means, pod, id), means.hierarchy),
      inPod: oomGroupKillsIn(podCgroupOf(means, pod), means.hierarchy),
    };
  }
}
