/**
 * Pods of an earlier life that could not be taken up: a defect of ours, or of what was kept on disk.
 *
 * They have no worker, so nothing happens to their containers. They are shown, keep their names and
 * what they have asked for, and say what can be done.
 */
import { ConflictError, messageOf } from '../errors.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { podKey } from '../pod/pod.ts';
import type { Pod } from '../pod/pod.ts';

/** Where a pod is kept, and how it is shown. */
export interface Circumstances {
  readonly folder: string;
  readonly node: string;
  readonly version: string;
}

export class SetAside {
  readonly #pods = new Map<string, { readonly pod: Pod; readonly shown: V1Pod }>();

  /** Answers with the pod as it is shown from now on. */
  add(pod: Pod, error: unknown, circumstances: Circumstances): V1Pod {
    const shown = showSetAside(pod, error, circumstances);
    this.#pods.set(podKey(pod), { pod, shown });
    return shown;
  }

  pods(): readonly Pod[] {
    return [...this.#pods.values()].map(({ pod }) => pod);
  }

  list(): readonly V1Pod[] {
    return [...this.#pods.values()].map(({ shown }) => shown);
  }

  get(key: string): V1Pod | undefined {
    return this.#pods.get(key)?.shown;
  }

  /** Nothing can be done to one of them while the agent runs, nor made in its place. */
  assertNone(key: string, uid?: string): void {
    const found = this.get(key) ?? this.list().find(({ metadata }) => metadata.uid === uid);
    if (found === undefined) return;
    const name = podKey(found);
    throw new ConflictError(`pod ${name} could not be taken up when the agent started`, {
      where: `pod ${name}`,
      next: found.status.message,
    });
  }
}

/** No more of it than is certain to be there: the rest may be what is wrong. */
function showSetAside(pod: Pod, error: unknown, { folder, node, version }: Circumstances): V1Pod {
  const { name, namespace, uid, creationTimestamp } = pod.metadata;
  const names = pod.spec.containers.map(({ name, image }) => ({ name, image }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid, creationTimestamp, resourceVersion: version, generation: 1 },
    spec: { containers: names, nodeName: node },
    status: {
      phase: 'Unknown',
      reason: 'NotTakenUp',
      message:
        `what is kept of the pod cannot be used: ${messageOf(error)}. Its containers are left alone. ` +
        `Restart the agent to try again; to give the pod up, stop the agent, remove ${folder}/pod.json ` +
        'and start it again: it removes the containers and all that the pod was lent',
      conditions: [],
      qosClass: 'BestEffort',
    },
  };
}
