/**
 * Ephemeral containers that a running pod is to have -> those with their defaults, or a ManifestError.
 *
 * They are judged as a part of their pod, by the rules that its other containers were judged by.
 *
 * Source: Kubernetes' ValidatePodEphemeralContainersUpdate and validateEphemeralContainers.
 *
 * Read next: schema/ephemeral-container.ts, their fields; rules/ephemeral.ts, what is theirs alone.
 */
import type { EphemeralContainer } from '../pod/pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { withContainerDefaults } from './defaults.ts';
import { judge, refuse } from './judge.ts';
import { rules } from './rules/all.ts';
import { checkTargets, checkUnchanged } from './rules/ephemeral.ts';
import type { PartlyPod, RuleProblem } from './rules/rule.ts';
import { visitedPodSchema } from './schema/ephemeral-container.ts';
import type { RawEphemeralContainer, RawVisitedPod } from './schema/ephemeral-container.ts';
import type { RawContainer } from './schema/pod.ts';

/** All that the pod has from now on, those that it had before among them. */
export function validateEphemeralContainers(
  { metadata, spec }: V1Pod,
  wanted: unknown,
  file = 'request body',
): readonly EphemeralContainer[] {
  const { name, namespace } = metadata;
  const value = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { ...spec, ephemeralContainers: wanted },
  };
  const source = { value, file };
  const pod = judge<RawVisitedPod>(visitedPodSchema, allRules, source);
  const containers = (pod.spec.ephemeralContainers ?? []).map(withDefaults);
  // They were shown as they are kept, without what is empty.
  const known = (spec.ephemeralContainers ?? []) as unknown as readonly RawEphemeralContainer[];
  refuse([...checkUnchanged(known.map(withDefaults), containers)], source);
  return containers;
}

function withDefaults(container: RawEphemeralContainer): EphemeralContainer {
  const { targetContainerName } = container;
  return {
    ...withContainerDefaults(container as RawContainer, false),
    ...(targetContainerName !== undefined && { targetContainerName }),
  };
}

function* allRules(pod: unknown): Generator<RuleProblem> {
  for (const rule of [...rules, checkTargets]) yield* rule(pod as PartlyPod);
}
