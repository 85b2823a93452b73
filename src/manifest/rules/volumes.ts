/** Volumes and where they are mounted. */
import { didYouMean } from '../issues.ts';
import { duplicateValue, forbidden, invalidValue, quoted } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import { placed, placedContainers, repeated } from './rule.ts';
import type { PartlyContainer, PartlyPod, RuleProblem } from './rule.ts';

type PartlyMount = NonNullable<NonNullable<PartlyContainer['volumeMounts']>[number]>;

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

/** What a mount says of itself holds together. */
export function* checkMountOptions(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    for (const { value: mount, path: at } of placed(container.volumeMounts, [
      ...path,
      'volumeMounts',
    ])) {
      if (mount.subPath !== undefined && mount.subPathExpr !== undefined) {
        yield {
          path: [...at, 'subPathExpr'],
          message: invalidValue(
            mount.subPathExpr,
            'subPathExpr and subPath are mutually exclusive',
          ),
          hint: 'keep one of the two',
        };
      }
      if (mount.mountPropagation === 'Bidirectional' && !container.securityContext?.privileged) {
        yield {
          path: [...at, 'mountPropagation'],
          message: forbidden('Bidirectional mount propagation is for privileged containers only'),
          hint: 'use HostToContainer, or make the container privileged',
        };
      }
      yield* checkRecursion(mount, [...at, 'recursiveReadOnly']);
    }
  }
}

function* checkRecursion(mount: PartlyMount, path: Path): Generator<Problem> {
  const { recursiveReadOnly, readOnly, mountPropagation = 'None' } = mount;
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return;
  if (readOnly !== true) {
    yield {
      path,
      message: forbidden('may only be specified when readOnly is true'),
      hint: 'add "readOnly: true" to the mount',
    };
  }
  if (mountPropagation !== 'None') {
    yield { path, message: forbidden('may only be specified when mountPropagation is None') };
  }
}
