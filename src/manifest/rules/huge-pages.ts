/** Huge pages: whole ones, that are all there from the start, and volumes made of them. */
import { own } from '../../pod/own.ts';
import { parseQuantity } from '../../pod/quantity.ts';
import { forbidden, invalidValue, requiredValue } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import type { Amounts } from './resources.ts';
import { placed, placedContainers } from './rule.ts';
import type { PartlyPod } from './rule.ts';

const prefix = 'hugepages-';

/** Bytes of one page of a resource such as `hugepages-2Mi`; undefined if it is none. */
export function pageSizeOf(resource: string): number | undefined {
  if (!resource.startsWith(prefix)) return undefined;
  const size = parseQuantity(resource.slice(prefix.length));
  return size !== undefined && size > 0 ? size : undefined;
}

/** They are not lent to others meanwhile: what is requested is the limit. */
export function* checkHugePages(requests: Amounts, limits: Amounts, at: Path): Generator<Problem> {
  for (const [name, request] of Object.entries(requests)) {
    if (pageSizeOf(name) === undefined) continue;
    const limit = own(limits, name);
    if (limit === undefined) {
      yield {
        path: [...at, 'limits', name],
        near: [...at, 'requests', name],
        message: requiredValue('huge pages need a limit'),
        hint: 'write the limit alone: it is requested, too',
      };
    } else if (parseQuantity(String(request)) !== parseQuantity(String(limit))) {
      yield {
        path: [...at, 'requests', name],
        message: invalidValue(request, `must be equal to the ${name} limit of ${limit}`),
        hint: 'leave the request out: then it is the limit',
      };
    }
  }
  for (const [name, limit] of Object.entries(limits)) {
    const size = pageSizeOf(name);
    if (size === undefined) continue;
    const bytes = parseQuantity(String(limit)) ?? 0;
    if (bytes % size !== 0) {
      yield {
        path: [...at, 'limits', name],
        message: invalidValue(limit, `must be a multiple of the page size, ${size}`),
        hint: `round it up to ${Math.ceil(bytes / size) * size}`,
      };
    }
    if (!['cpu', 'memory'].some((each) => each in requests || each in limits)) {
      yield {
        path: at,
        near: [...at, 'limits', name],
        message: forbidden('huge pages require cpu or memory'),
        hint: 'request cpu or memory beside them',
      };
    }
  }
}

/** A volume of huge pages is made of those that the pod has. */
export function* checkHugePageVolumes(pod: PartlyPod): Generator<Problem> {
  const holders = [
    pod.spec?.resources,
    ...placedContainers(pod).map((each) => each.container.resources),
  ];
  const names = holders.flatMap((each) => Object.keys(each?.limits ?? {}));
  const sizes = new Set(names.flatMap((name) => pageSizeOf(name) ?? []));
  for (const { value, path } of placed(pod.spec?.volumes, ['spec', 'volumes'])) {
    const medium = value.emptyDir?.medium;
    if (medium === undefined || !medium.startsWith('HugePages')) continue;
    const at = [...path, 'emptyDir', 'medium'];
    if (medium === 'HugePages') {
      if (sizes.size === 1) continue;
      yield {
        path: at,
        message: invalidValue(medium, 'the pod must have a limit on huge pages of one size'),
        hint: 'name the size: HugePages-2Mi',
      };
    } else if (!sizes.has(pageSizeOf(`hugepages-${medium.slice('HugePages-'.length)}`) ?? 0)) {
      yield {
        path: at,
        message: invalidValue(medium, 'the pod must have a limit on huge pages of this size'),
        hint: `add limits: { hugepages-${medium.slice('HugePages-'.length)}: ... } to a container`,
      };
    }
  }
}
