/** Volumes and where they are mounted. */
import { didYouMean } from '../issues.ts';
import { duplicateValue, forbidden, quoted } from '../manifest-error.ts';
import type { Problem } from '../manifest-error.ts';
import { placed, placedContainers, repeated } from './rule.ts';
import type { PartlyPod, RuleProblem } from './rule.ts';

/** Volumes have names of their own, and one source. */
export function* checkVolumes({ spec }: PartlyPod): Generator<Problem> {
  const volumes = placed(spec?.volumes, ['spec', 'volumes']);
  for (const { value, path } of repeated(volumes, (each) => each.value.name)) {
    yield { path: [...path, 'name'], message: duplicateValue(value.name) };
  }
  for (const { value, path } of volumes) {
    const [, ...more] = Object.keys(value).filter((key) => key !== 'name');
    for (const source of more) {
      yield {
        path: [...path, source],
        message: forbidden('a volume may not have more than one source'),
        hint: 'make it two volumes',
      };
    }
  }
}

/** Mounts name a volume that exists, and no two are at the same place. */
export function* checkMounts(pod: PartlyPod): Generator<RuleProblem> {
  const volumes = placed(pod.spec?.volumes, []).flatMap(({ value }) => value.name ?? []);
  const known = new Set(volumes);
  // A volume whose name is faulty may be the one that is meant.
  const areAllNamed = volumes.length === (pod.spec?.volumes?.length ?? 0);
  for (const { container, path } of placedContainers(pod)) {
    const mounts = placed(container.volumeMounts, [...path, 'volumeMounts']);
    for (const { value, path: at } of mounts) {
      if (value.name === undefined || known.has(value.name) || !areAllNamed) continue;
      yield {
        path: [...at, 'name'],
        dependsOn: ['spec', 'volumes'],
        message: `Not found: ${quoted(value.name)}`,
        hint: didYouMean(value.name, volumes) ?? 'add a volume of this name to spec.volumes',
      };
    }
    for (const { value, path: at } of repeated(mounts, (each) => each.value.mountPath)) {
      yield {
        path: [...at, 'mountPath'],
        message: duplicateValue(value.mountPath),
        hint: 'mount each volume at a path of its own',
      };
    }
  }
}
