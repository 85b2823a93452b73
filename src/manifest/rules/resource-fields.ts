/** What a pod wants to be told of the resources of its containers, in variables and in files. */
import type { z } from 'zod';
import { parseQuantity } from '../../pod/quantity.ts';
import { didYouMean } from '../did-you-mean.ts';
import { invalidValue, quoted } from '../manifest-error.ts';
import type { Path } from '../manifest-error.ts';
import type { resourceFieldRef } from '../schema/environment.ts';
import type { Partly } from '../sound.ts';
import { placed, placedContainers } from './rule.ts';
import type { PartlyPod, RuleProblem } from './rule.ts';

/** What a container asks for can only be told of one that there is. */
export function* checkResourceFields(pod: PartlyPod): Generator<RuleProblem> {
  const containers = placedContainers(pod);
  const names = containers.flatMap(({ container }) => container.name ?? []);
  // A container whose name is faulty may be the one that is meant.
  if (names.length < containers.length) return;
  for (const { ref, path } of resourceRefsIn(pod)) {
    const name = ref.containerName;
    if (name === undefined || names.includes(name)) continue;
    yield {
      path: [...path, 'containerName'],
      message: `Not found: ${quoted(name)}`,
      hint: didYouMean(name, names) ?? 'name a container of this pod',
    };
  }
}

/** CPUs are told in thousandths or whole, all else by a power of 1000 or of 1024. */
export function* checkDivisors(pod: PartlyPod): Generator<RuleProblem> {
  for (const { ref, path } of resourceRefsIn(pod)) {
    const { resource, divisor } = ref;
    if (resource === undefined || divisor === undefined) continue;
    const isCpu = resource.endsWith('.cpu');
    if (isDivisor(String(divisor), isCpu)) continue;
    yield {
      path: [...path, 'divisor'],
      message: invalidValue(
        divisor,
        isCpu
          ? 'must be 1m or 1 for cpu'
          : 'must be 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi or 1Ei for what is no cpu',
      ),
      hint: isCpu ? 'use 1m to be told thousandths' : 'use 1Mi to be told mebibytes',
    };
  }
}

const exponents = [1, 2, 3, 4, 5, 6];
const powersOf1000 = exponents.map((exponent) => 1000 ** exponent);
const powersOf1024 = exponents.map((exponent) => 1024 ** exponent);

function isDivisor(text: string, isCpu: boolean): boolean {
  const value = parseQuantity(text) ?? 0;
  // Kubernetes' own output has 0 for an absent one.
  if (value === 0 || value === 1) return true;
  if (isCpu) return value === 0.001;
  // To Kubernetes 1Ki is a divisor, and 1024 is none.
  return (text.endsWith('i') ? powersOf1024 : powersOf1000).includes(value);
}

type PartlyRef = Partly<z.output<typeof resourceFieldRef>>;

interface PlacedRef {
  readonly ref: PartlyRef;
  readonly path: Path;
}

/** All that a pod wants to be told of the resources of its containers. */
function resourceRefsIn(pod: PartlyPod): readonly PlacedRef[] {
  return [...placesInEnvironments(pod), ...placesInVolumes(pod)].flatMap(({ value, path }) =>
    value?.resourceFieldRef === undefined
      ? []
      : [{ ref: value.resourceFieldRef, path: [...path, 'resourceFieldRef'] }],
  );
}

interface Place {
  readonly value: { readonly resourceFieldRef?: PartlyRef } | undefined;
  readonly path: Path;
}

function placesInEnvironments(pod: PartlyPod): readonly Place[] {
  return placedContainers(pod).flatMap(({ container, path }) =>
    placed(container.env, [...path, 'env']).map(({ value, path: at }) => ({
      value: value.valueFrom,
      path: [...at, 'valueFrom'],
    })),
  );
}

function placesInVolumes({ spec }: PartlyPod): readonly Place[] {
  return placed(spec?.volumes, ['spec', 'volumes']).flatMap(({ value, path }) => {
    const sources = placed(value.projected?.sources, [...path, 'projected', 'sources']);
    const lists = [
      { items: value.downwardAPI?.items, path: [...path, 'downwardAPI'] },
      ...sources.map((source) => ({
        items: source.value.downwardAPI?.items,
        path: [...source.path, 'downwardAPI'],
      })),
    ];
    return lists.flatMap((list) => placed(list.items, [...list.path, 'items']));
  });
}
