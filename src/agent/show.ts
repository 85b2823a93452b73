/** A pod as the API shows it: the v1 Pod with its status of now. */
import { generationAnnotation } from '../pod/pod-status.ts';
import type { V1ObjectMeta, V1Pod, V1PodSpec } from '../pod/pod-status.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import { specGenerationOf } from '../pod/pod.ts';
import type { Pod, PodSpec } from '../pod/pod.ts';
import type { Settings } from '../pod/settings.ts';
import { seconds } from '../pod/container-state.ts';
import { podStatus } from '../pod/status.ts';
import { v1Spec } from '../pod/v1-spec.ts';
import type { Picture } from './worker.ts';

export function show(
  pod: Pod,
  { observed, memory }: Picture,
  settings: Settings,
  node: NodeFacts,
  resourceVersion: string,
): V1Pod {
  const { ending } = memory;
  const { metadata } = pod;
  const annotations = {
    ...metadata.annotations,
    ...(memory.generation > 0 && { [generationAnnotation]: String(memory.generation) }),
  };
  const shown: V1ObjectMeta = {
    ...metadata,
    resourceVersion,
    generation: specGenerationOf(pod),
    labels: unlessEmpty(metadata.labels),
    annotations: unlessEmpty(annotations),
    ...(ending?.deletedAt !== undefined && {
      deletionTimestamp: seconds(ending.at + ending.graceSeconds * 1000),
      deletionGracePeriodSeconds: ending.graceSeconds,
    }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: shown,
    spec: specOf(pod.spec, node.name),
    status: podStatus(pod, observed, memory, settings, node),
  };
}

interface ShownSpec {
  readonly nodeName: string;
  readonly spec: V1PodSpec;
}

/** Specs as they were shown last: a pod is shown much more often than its spec changes. */
const shownSpecs = new WeakMap<PodSpec, ShownSpec>();

function specOf(spec: PodSpec, nodeName: string): V1PodSpec {
  const known = shownSpecs.get(spec);
  if (known?.nodeName === nodeName) return known.spec;
  const shown = v1Spec(spec, nodeName);
  shownSpecs.set(spec, { nodeName, spec: shown });
  return shown;
}

/** Kubernetes leaves out what is empty. */
function unlessEmpty(map: Readonly<Record<string, string>>): typeof map | undefined {
  return Object.keys(map).length > 0 ? map : undefined;
}
