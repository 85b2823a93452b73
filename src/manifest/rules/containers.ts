/** Names of containers, and what goes with the ways they are restarted. */
import { duplicateValue, forbidden, invalidValue, requiredValue } from '../manifest-error.ts';
import type { Problem } from '../manifest-error.ts';
import { placed, placedContainers, repeated } from './rule.ts';
import type { PartlyPod } from './rule.ts';

/** A pod has at least one app container. */
export function* checkSomeContainer({ spec }: PartlyPod): Generator<Problem> {
  if (spec?.containers?.length !== 0) return;
  yield {
    path: ['spec', 'containers'],
    message: requiredValue('a pod has at least one container'),
    hint: 'add one with a name and an image',
  };
}

/** Names are unique among containers of all kinds. */
export function* checkContainerNames(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of repeated(
    placedContainers(pod),
    (each) => each.container.name,
  )) {
    yield {
      path: [...path, 'name'],
      message: duplicateValue(container.name),
      hint: 'give every container, init containers included, a name of its own',
    };
  }
}

/** KEP-5307: rules refine a restartPolicy of the same container, so there must be one. */
export function* checkRestartRules(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    const rules = container.restartPolicyRules ?? [];
    if (rules.length === 0 || container.restartPolicy !== undefined) continue;
    yield {
      path: [...path, 'restartPolicy'],
      near: [...path, 'restartPolicyRules'],
      message: requiredValue('restartPolicyRules needs a restartPolicy on the same container'),
      hint: `add "restartPolicy: ${pod.spec?.restartPolicy ?? 'Always'}" to the container`,
    };
  }
}

/** What a resize would lead to has to fit how the container is restarted. */
export function* checkResizePolicies(pod: PartlyPod): Generator<Problem> {
  for (const { container, path, isInit } of placedContainers(pod)) {
    for (const { value, path: at } of placed(container.resizePolicy, [...path, 'resizePolicy'])) {
      if (value.restartPolicy !== 'RestartContainer') continue;
      const field = [...at, 'restartPolicy'];
      if (isInit && container.restartPolicy !== 'Always') {
        yield {
          path: field,
          message: forbidden('an init container is not restarted for a resize'),
          hint: 'use NotRequired, or leave resizePolicy out',
        };
      } else if (pod.spec?.restartPolicy === 'Never') {
        const message = invalidValue(
          value.restartPolicy,
          'must be NotRequired in a pod whose restartPolicy is Never',
        );
        yield { path: field, message, hint: 'use NotRequired, or leave resizePolicy out' };
      }
    }
  }
}
