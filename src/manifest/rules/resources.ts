/** Requests and limits of containers, and what holds for those of the pod as a whole as well. */
import { own } from '../../pod/own.ts';
import { bytes, milliCpu, parseQuantity } from '../../pod/quantity.ts';
import { didYouMean } from '../did-you-mean.ts';
import { forbidden, invalidValue } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import { checkHugePages, pageSizeOf } from './huge-pages.ts';
import { placedContainers } from './rule.ts';
import type { PartlyPod } from './rule.ts';

const ofContainers = ['cpu', 'memory', 'ephemeral-storage'];
export const ofPods = ['cpu', 'memory'];

export type Amounts = Readonly<Record<string, string | number | undefined>>;

/** Only resources that are handed out here, and never more requested than allowed. */
export function* checkResources(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    const { requests = {}, limits = {} } = container.resources ?? {};
    yield* checkAmounts(requests, limits, [...path, 'resources'], ofContainers);
  }
}

/** Known resources, no more requested than allowed. */
export function* checkAmounts(
  requests: Amounts,
  limits: Amounts,
  at: Path,
  known: readonly string[],
): Generator<Problem> {
  for (const name of Object.keys(requests))
    yield* checkName(name, [...at, 'requests', name], known);
  for (const name of Object.keys(limits)) yield* checkName(name, [...at, 'limits', name], known);
  yield* checkCpu(requests, [...at, 'requests']);
  yield* checkCpu(limits, [...at, 'limits']);
  yield* checkHugePages(requests, limits, at);
  for (const [name, request] of Object.entries(requests)) {
    const limit = own(limits, name);
    if (limit === undefined || rounded(name, request) <= rounded(name, limit)) continue;
    yield {
      path: [...at, 'requests', name],
      message: invalidValue(request, `must be less than or equal to the ${name} limit of ${limit}`),
      hint: 'lower the request, or raise the limit',
    };
  }
}

export function isKnown(name: string, known: readonly string[]): boolean {
  return known.includes(name) || pageSizeOf(name) !== undefined;
}

function* checkName(name: string, path: Path, known: readonly string[]): Generator<Problem> {
  if (isKnown(name, known)) return;
  if (name.includes('/')) {
    // Those of containers have rules of their own: see devices.ts.
    if (known !== ofPods) return;
    const hint = 'move it to the limits of the container that uses it';
    yield { path, message: forbidden('devices are given to containers'), hint };
  } else {
    const whose = known === ofPods ? 'a pod' : 'a container';
    yield {
      path,
      message: invalidValue(name, `must be a standard resource of ${whose}`),
      hint: didYouMean(name, known) ?? `use ${known.join(', ')} or hugepages-SIZE`,
    };
  }
}

/** The kernel counts quotas in microseconds of CPU; more than this would overflow them. */
const mostCpus = 1_000_000;

function* checkCpu(amounts: Amounts, path: Path): Generator<Problem> {
  if (amount(amounts['cpu']) <= mostCpus) return;
  yield {
    path: [...path, 'cpu'],
    message: invalidValue(amounts['cpu'], `must be at most ${mostCpus}`),
    hint: 'leave it out: no node has so many',
  };
}

/**
 * In thousandths of a CPU, else in whole numbers, as the pod will have it: three times 0.1 is 0.3, and
 * what is shown of a pod that was accepted is accepted again.
 */
export function rounded(name: string, quantity: string | number | undefined): number {
  if (quantity === undefined) return 0;
  return name === 'cpu' ? milliCpu(String(quantity)) : bytes(String(quantity));
}

function amount(quantity: string | number | undefined): number {
  return parseQuantity(String(quantity)) ?? 0;
}
