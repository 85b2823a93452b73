/** What the rules over several fields share: how they see a pod, and how they report. */
import type { Path, Problem } from '../manifest-error.ts';
import type { RawContainer, RawPod } from '../schema/pod.ts';
import type { Partly } from '../sound.ts';

/** A pod of which faulty parts have been taken out. */
export type PartlyPod = Partly<RawPod>;
export type PartlyContainer = Partly<RawContainer>;
export type PartlySpec = Partly<RawPod['spec']>;

/** What a rule finds. */
export interface RuleProblem extends Problem {
  /** It is no problem if this part was there, but faulty; the part at `path` itself is implied. */
  readonly dependsOn?: Path;
}

/** One rule: the problems of a pod, none if it keeps to it. */
export type Rule = (pod: PartlyPod) => Iterable<RuleProblem>;

/** A container with its place in the manifest. */
export interface Placed {
  readonly container: PartlyContainer;
  readonly path: Path;
  readonly kind: 'init' | 'app' | 'ephemeral';
  readonly isInit: boolean;
}

/** All containers, in the order of their start, and then those that were added. */
export function placedContainers({ spec }: PartlyPod): readonly Placed[] {
  const place = (list: keyof typeof kindOf): readonly Placed[] =>
    placed(spec?.[list] as PartlySpec['containers'], ['spec', list]).map(({ value, path }) => ({
      container: value,
      path,
      kind: kindOf[list],
      isInit: list === 'initContainers',
    }));
  return [...place('initContainers'), ...place('containers'), ...place('ephemeralContainers')];
}

const kindOf = {
  initContainers: 'init',
  containers: 'app',
  ephemeralContainers: 'ephemeral',
} as const;

/** The sound items of a list, each with its path. */
export function placed<T>(
  list: readonly (T | undefined)[] | undefined,
  path: Path,
): readonly { readonly value: T; readonly path: Path }[] {
  return (list ?? []).flatMap((value, index) =>
    value === undefined ? [] : [{ value, path: [...path, index] }],
  );
}

/** The items whose key was there before in the list. */
export function repeated<T>(
  items: readonly T[],
  keyOf: (item: T) => string | undefined,
): readonly T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    if (key === undefined) return false;
    const isRepeated = seen.has(key);
    seen.add(key);
    return isRepeated;
  });
}
