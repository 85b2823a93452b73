/** Environment variables, and what in a pod refers to its containers. */
import { didYouMean } from '../did-you-mean.ts';
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

/** What a container asks for can only be told of one that there is. */
export function* checkResourceFields(pod: PartlyPod): Generator<RuleProblem> {
  const containers = placedContainers(pod);
  const names = containers.flatMap(({ container }) => container.name ?? []);
  // A container whose name is faulty may be the one that is meant.
  if (names.length < containers.length) return;
  for (const { name, path } of [...namesInEnvironments(pod), ...namesInVolumes(pod)]) {
    if (name === undefined || names.includes(name)) continue;
    yield {
      path: [...path, 'resourceFieldRef', 'containerName'],
      message: `Not found: ${quoted(name)}`,
      hint: didYouMean(name, names) ?? 'name a container of this pod',
    };
  }
}

/** A file of variables is in an emptyDir of the pod, where its containers can write it. */
export function* checkFileKeys(pod: PartlyPod): Generator<RuleProblem> {
  const volumes = placed(pod.spec?.volumes, []).map(({ value }) => value);
  const isEmptyDir = (volume: object): boolean => {
    const [source = 'emptyDir'] = Object.keys(volume).filter((key) => key !== 'name');
    return source === 'emptyDir';
  };
  for (const { container, path } of placedContainers(pod)) {
    for (const { value, path: at } of placed(container.env, [...path, 'env'])) {
      const name = value.valueFrom?.fileKeyRef?.volumeName;
      const volume = volumes.find((one) => one.name === name);
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

interface NamedContainer {
  readonly name: string | undefined;
  readonly path: Path;
}

function namesInEnvironments(pod: PartlyPod): readonly NamedContainer[] {
  return placedContainers(pod).flatMap(({ container, path }) =>
    placed(container.env, [...path, 'env']).map(({ value, path: at }) => ({
      name: value.valueFrom?.resourceFieldRef?.containerName,
      path: [...at, 'valueFrom'],
    })),
  );
}

function namesInVolumes({ spec }: PartlyPod): readonly NamedContainer[] {
  return placed(spec?.volumes, ['spec', 'volumes']).flatMap(({ value, path }) => {
    const sources = placed(value.projected?.sources, [...path, 'projected', 'sources']);
    const lists = [
      { items: value.downwardAPI?.items, path: [...path, 'downwardAPI'] },
      ...sources.map((source) => ({
        items: source.value.downwardAPI?.items,
        path: [...source.path, 'downwardAPI'],
      })),
    ];
    return lists.flatMap((list) =>
      placed(list.items, [...list.path, 'items']).map((item) => ({
        name: item.value.resourceFieldRef?.containerName,
        path: item.path,
      })),
    );
  });
}
