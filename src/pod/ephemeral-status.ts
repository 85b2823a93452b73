/**
 * How ephemeral containers are shown. They are never started again, so there is no state before the
 * last one, nothing to count, and an end is an end. They are neither ready nor unready.
 */
import type { Scene } from './container-state.ts';
import { seconds, terminated, waiting } from './container-state.ts';
import { lackOfTarget } from './ephemeral.ts';
import { madeWith } from './made-with.ts';
import type { ContainerMemory } from './memory.ts';
import type { NodeFacts } from './node-facts.ts';
import { own } from './own.ts';
import type { EphemeralContainer } from './pod.ts';
import type { V1ContainerState, V1ContainerStatus } from './pod-status.ts';

/** Sorted by name; absent if there are none. */
export function ephemeralStatuses(
  scene: Scene,
  node: Pick<NodeFacts, 'handlers'>,
): readonly V1ContainerStatus[] | undefined {
  return scene.pod.spec.ephemeralContainers
    ?.map((container) => ({
      ...statusOf(scene, container),
      ...madeWith(scene.pod, container, own(scene.memory.containers, container.name), node),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function statusOf(scene: Scene, container: EphemeralContainer): V1ContainerStatus {
  const known = own(scene.memory.containers, container.name);
  return {
    name: container.name,
    image: known?.image ?? container.image,
    imageID: known?.imageRef ?? '',
    containerID: known?.containerId === undefined ? undefined : `containerd://${known.containerId}`,
    restartCount: 0,
    ready: false,
    state: stateOf(scene, container, known),
    lastState: {},
  };
}

function stateOf(
  scene: Scene,
  container: EphemeralContainer,
  known: ContainerMemory | undefined,
): V1ContainerState {
  if (known?.exit !== undefined) return { terminated: terminated(known.exit) };
  if (known?.startedAt !== undefined) return { running: { startedAt: seconds(known.startedAt) } };
  const lack = lackOfTarget(scene, scene.memory, container);
  return { waiting: lack ?? waiting(scene, container, known !== undefined) };
}
