/** Environment variables. */
import { forbidden, requiredValue } from '../manifest-error.ts';
import type { Problem } from '../manifest-error.ts';
import { placed, placedContainers } from './rule.ts';
import type { PartlyPod } from './rule.ts';

/** A variable has a value or a source, and a source is one thing. */
export function* checkEnvironment(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    for (const { value, path: at } of placed(container.env, [...path, 'env'])) {
      if (value.valueFrom === undefined) continue;
      if (value.value !== undefined) {
        yield {
          path: [...at, 'valueFrom'],
          message: forbidden('may not be used together with a value'),
          hint: 'keep one of the two',
        };
      } else if (Object.keys(value.valueFrom).length === 0) {
        yield {
          path: [...at, 'valueFrom'],
          message: requiredValue('it needs a source, such as fieldRef'),
        };
      }
    }
  }
}
