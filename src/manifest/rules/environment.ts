/** Environment variables. */
import { forbidden } from '../manifest-error.ts';
import type { Problem } from '../manifest-error.ts';
import { placed, placedContainers } from './rule.ts';
import type { PartlyPod } from './rule.ts';

/** A variable has a value or a source. */
export function* checkEnvironment(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    for (const { value, path: at } of placed(container.env, [...path, 'env'])) {
      if (value.valueFrom === undefined || value.value === undefined) continue;
      yield {
        path: [...at, 'valueFrom'],
        message: forbidden('may not be used together with a value'),
        hint: 'keep one of the two',
      };
    }
  }
}
