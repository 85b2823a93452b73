/** Requests and limits, of containers and of the pod as a whole. */
import { parseQuantity } from '../../pod/quantity.ts';
import { didYouMean } from '../did-you-mean.ts';
import { forbidden, invalidValue } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import { checkHugePages, pageSizeOf } from './huge-pages.ts';
import { placedContainers } from './rule.ts';
import type { Placed, PartlyPod } from './rule.ts';

const ofContainers = ['cpu', 'memory', 'ephemeral-storage'];
const ofPods = ['cpu', 'memory'];

export type Amounts = Readonly<Record<string, string | number | undefined>>;

/** Only resources that are handed out here, and never more requested than allowed. */
export function* checkResources(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    const { requests = {}, limits = {} } = container.resources ?? {};
    yield* checkAmounts(requests, limits, [...path, 'resources'], ofContainers);
  }
}

/** The pod as a whole requests no less than its containers, and allows no less than any of them. */
export function* checkPodResources(pod: PartlyPod): Generator<Problem> {
  if (pod.spec?.resources === undefined) return;
  const { requests = {}, limits = {} } = pod.spec.resources;
  const path = ['spec', 'resources'];
  yield* checkAmounts(requests, limits, path, ofPods);
  const containers = placedContainers(pod);
  for (const [name, request] of Object.entries(requests)) {
    const needed = peakRequest(containers, name);
    if (amount(request) >= needed) continue;
    yield {
      path: [...path, 'requests', name],
      message: invalidValue(request, `must be at least the ${needed} that its containers request`),
      hint: 'leave it out: then it is what they request',
    };
  }
  for (const { container, path: at } of containers) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const most = Object.hasOwn(limits, name) ? limits[name] : undefined;
      if (most === undefined || amount(limit) <= amount(most)) continue;
      yield {
        path: [...at, 'resources', 'limits', name],
        message: invalidValue(limit, `must be less than or equal to the pod's limit of ${most}`),
        hint: "lower it, or raise the pod's limit",
      };
    }
  }
}

function* checkAmounts(
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
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    if (limit === undefined || amount(request) <= amount(limit)) continue;
    yield {
      path: [...at, 'requests', name],
      message: invalidValue(request, `must be less than or equal to the ${name} limit of ${limit}`),
      hint: 'lower the request, or raise the limit',
    };
  }
}

function* checkName(name: string, path: Path, known: readonly string[]): Generator<Problem> {
  if (known.includes(name) || pageSizeOf(name) !== undefined) return;
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

/** What containers request at their hungriest moment; see pod/pod-resources.ts. */
function peakRequest(containers: readonly Placed[], name: string): number {
  let sidecars = 0;
  let running = 0;
  let duringInit = 0;
  for (const { container, isInit } of containers) {
    const { requests, limits } = container.resources ?? {};
    const request = amount(requests?.[name] ?? limits?.[name] ?? 0);
    if (isInit && container.restartPolicy !== 'Always') {
      duringInit = Math.max(duringInit, sidecars + request);
    } else {
      running += request;
      if (isInit) sidecars += request;
    }
  }
  return Math.max(duringInit, running);
}

function amount(quantity: string | number | undefined): number {
  return parseQuantity(String(quantity)) ?? 0;
}
