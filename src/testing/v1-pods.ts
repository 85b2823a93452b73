/** Short ways to write down pods as they are shown. */
import type {
  V1Container,
  V1ContainerState,
  V1ContainerStatus,
  V1Pod,
  V1PodStatus,
} from '../pod/pod-status.ts';

export interface ShownPod {
  readonly name?: string;
  readonly init?: readonly V1ContainerStatus[];
  readonly sidecars?: readonly string[];
  readonly main?: readonly V1ContainerStatus[];
  readonly status?: Partial<V1PodStatus>;
  readonly metadata?: Partial<V1Pod['metadata']>;
}

/** A pod whose containers are those of its statuses; init containers in `sidecars` are sidecars. */
export function aShownPod(more: ShownPod = {}): V1Pod {
  const { name = 'web', init = [], sidecars = [], main = [status('main', running())] } = more;
  const container = ({ name }: V1ContainerStatus): V1Container => ({
    name,
    image: 'localhost/test:1',
    ...(sidecars.includes(name) && { restartPolicy: 'Always' }),
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-of-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...more.metadata,
    },
    spec: {
      restartPolicy: 'Always',
      ...(init.length > 0 && { initContainers: init.map(container) }),
      containers: main.map(container),
      nodeName: 'test-node',
    },
    status: {
      phase: 'Running',
      conditions: [],
      qosClass: 'BestEffort',
      ...(init.length > 0 && { initContainerStatuses: init }),
      containerStatuses: main,
      ...more.status,
    },
  };
}

/** A container's status; running ones are started and ready unless said otherwise. */
export function status(
  name: string,
  state: V1ContainerState,
  more: Partial<V1ContainerStatus> = {},
): V1ContainerStatus {
  const isUp = state.running !== undefined;
  return {
    name,
    image: 'localhost/test:1',
    imageID: '',
    restartCount: 0,
    ready: isUp,
    started: isUp,
    state,
    lastState: {},
    ...more,
  };
}

export function running(startedAt = '2026-01-01T00:00:01Z'): V1ContainerState {
  return { running: { startedAt } };
}

export function waiting(reason: string, message?: string): V1ContainerState {
  return { waiting: { reason, ...(message !== undefined && { message }) } };
}

export function terminated(
  exitCode: number,
  reason: string | undefined = exitCode === 0 ? 'Completed' : 'Error',
  finishedAt = '2026-01-01T00:00:05Z',
): V1ContainerState {
  return {
    terminated: { exitCode, reason, startedAt: '2026-01-01T00:00:01Z', finishedAt },
  };
}
