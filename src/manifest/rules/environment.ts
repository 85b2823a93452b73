/** Environment variables and where their values come from. */
import { forbidden, invalidValue, quoted } from '../manifest-error.ts';
import type { Path } from '../manifest-error.ts';
import { placed, placedContainers } from './rule.ts';
import type { PartlyPod, RuleProblem } from './rule.ts';

/** A variable has a value or a source, and no more than one. */
export function* checkEnvironment(pod: PartlyPod): Generator<RuleProblem> {
  for (const { container, path } of placedContainers(pod)) {
    for (const { value, path: at } of placed(container.env, [...path, 'env'])) {
      yield* checkSources(value.valueFrom, [...at, 'valueFrom']);
      if (value.valueFrom === undefined || value.value === undefined) continue;
      yield {
        path: [...at, 'valueFrom'],
        message: forbidden('may not be used together with a value'),
        hint: 'keep one of the two',
      };
    }
    for (const { value, path: at } of placed(container.envFrom, [...path, 'envFrom'])) {
      const { prefix: _, ...sources } = value;
      yield* checkSources(sources, at);
    }
  }
}

function* checkSources(sources: object | undefined, path: Path): Generator<RuleProblem> {
  const [, ...more] = Object.keys(sources ?? {});
  for (const source of more) {
    yield {
      path: [...path, source],
      message: forbidden('may not have more than one source'),
      hint: 'make it two entries',
    };
  }
}

/** A file of variables is in an emptyDir of the pod, where its containers can write it. */
export function* checkFileKeys(pod: PartlyPod): Generator<RuleProblem> {
  const volumes = new Map(placed(pod.spec?.volumes, []).map(({ value }) => [value.name, value]));
  const isEmptyDir = (volume: object): boolean => {
    const [source = 'emptyDir'] = Object.keys(volume).filter((key) => key !== 'name');
    return source === 'emptyDir';
  };
  for (const { container, path } of placedContainers(pod)) {
    for (const { value, path: at } of placed(container.env, [...path, 'env'])) {
      const name = value.valueFrom?.fileKeyRef?.volumeName;
      const volume = volumes.get(name);
      if (name === undefined || (volume !== undefined && isEmptyDir(volume))) continue;
      yield {
        path: [...at, 'valueFrom', 'fileKeyRef', 'volumeName'],
        dependsOn: ['spec', 'volumes'],
        message:
          volume === undefined
            ? `Not found: ${quoted(name)}`
            : invalidValue(name, 'a file of variables must be in an emptyDir'),
        hint: 'name an emptyDir of the pod',
      };
    }
  }
}
