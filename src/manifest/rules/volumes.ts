/** Volumes and where they are mounted. */
import { posix } from 'node:path';
import { didYouMean } from '../did-you-mean.ts';
import { duplicateValue, forbidden, invalidValue, quoted } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import { placed, placedContainers, repeated } from './rule.ts';
import type { PartlyContainer, PartlyPod, PartlySpec, RuleProblem } from './rule.ts';

type PartlyVolume = NonNullable<NonNullable<PartlySpec['volumes']>[number]>;
type PartlyMount = NonNullable<NonNullable<PartlyContainer['volumeMounts']>[number]>;

/** Volumes have names of their own, and one source. */
export function* checkVolumes({ spec }: PartlyPod): Generator<Problem> {
  const volumes = placed(spec?.volumes, ['spec', 'volumes']);
  for (const { value, path } of repeated(volumes, (each) => each.value.name)) {
    yield {
      path: [...path, 'name'],
      message: duplicateValue(value.name),
      hint: 'give every volume a name of its own',
    };
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

/**
 * No two files of a projected volume have the same path; in a volume with one source the last one wins.
 * A path may be a folder of another in neither: such files could not be written.
 */
export function* checkFilePaths({ spec }: PartlyPod): Generator<Problem> {
  for (const { value, path } of placed(spec?.volumes, ['spec', 'volumes'])) {
    const files = filesOf(value, path);
    const mayRepeat = value.projected === undefined;
    for (const file of mayRepeat ? [] : repeated(files, (each) => each.file)) {
      yield {
        path: file.path,
        message: duplicateValue(file.file),
        hint: 'give each file a path of its own',
      };
    }
    const folders = foldersAmong(files.map(({ file }) => file));
    for (const { file, path: at } of files.filter((each) => folders.has(each.file))) {
      yield {
        path: at,
        message: invalidValue(file, 'another file of the volume has it for a folder'),
        hint: 'give each file a path of its own',
      };
    }
  }
}

interface FileOf {
  readonly file: string;
  readonly path: Path;
}

function filesOf(volume: PartlyVolume, path: Path): readonly FileOf[] {
  const { configMap, secret, downwardAPI, projected } = volume;
  const lists = [
    { items: configMap?.items, path: [...path, 'configMap'] },
    { items: secret?.items, path: [...path, 'secret'] },
    { items: downwardAPI?.items, path: [...path, 'downwardAPI'] },
    ...placed(projected?.sources, [...path, 'projected', 'sources']).flatMap((source) =>
      (['configMap', 'secret', 'downwardAPI'] as const).map((kind) => ({
        items: source.value[kind]?.items,
        path: [...source.path, kind],
      })),
    ),
  ];
  return lists.flatMap(({ items, path: at }) =>
    placed(items as readonly ({ readonly path?: string } | undefined)[], [...at, 'items']).flatMap(
      (item) =>
        item.value.path === undefined
          ? []
          : [{ file: posix.normalize(item.value.path), path: [...item.path, 'path'] }],
    ),
  );
}

/** Those of which another one is in a folder of that name. */
function foldersAmong(files: readonly string[]): ReadonlySet<string> {
  // With NUL, which no path has, for the slash a folder is right before what is in it.
  const keys = [...new Set(files)].map((file) => file.replaceAll('/', '\0')).toSorted();
  const folders = keys.filter((key, index) => keys[index + 1]?.startsWith(`${key}\0`));
  return new Set(folders.map((key) => key.replaceAll('\0', '/')));
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
    yield {
      path,
      message: forbidden('may only be specified when mountPropagation is None'),
      hint: 'leave out recursiveReadOnly or mountPropagation',
    };
  }
}
