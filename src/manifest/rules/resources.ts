/** Requests and limits. */
import { parseQuantity } from '../../pod/quantity.ts';
import { didYouMean } from '../issues.ts';
import { forbidden, invalidValue } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import { placedContainers } from './rule.ts';
import type { PartlyPod } from './rule.ts';

const known = ['cpu', 'memory', 'ephemeral-storage'];

type Amounts = Readonly<Record<string, string | number | undefined>>;

/** Only resources that are handed out here, and never more requested than allowed. */
export function* checkResources(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    const { requests = {}, limits = {} } = container.resources ?? {};
    const at = [...path, 'resources'];
    for (const name of Object.keys(requests)) yield* checkName(name, [...at, 'requests', name]);
    for (const name of Object.keys(limits)) yield* checkName(name, [...at, 'limits', name]);
    yield* checkCpu(requests, [...at, 'requests']);
    yield* checkCpu(limits, [...at, 'limits']);
    for (const [name, request] of Object.entries(requests)) {
      const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
      if (limit === undefined || amount(request) <= amount(limit)) continue;
      yield {
        path: [...at, 'requests', name],
        message: invalidValue(
          request,
          `must be less than or equal to the ${name} limit of ${limit}`,
        ),
      };
    }
  }
}

function* checkName(name: string, path: Path): Generator<Problem> {
  if (known.includes(name)) return;
  if (name.startsWith('hugepages-')) {
    yield { path, message: forbidden('huge pages are not supported yet') };
  } else if (name.includes('/')) {
    yield {
      path,
      message: forbidden('devices and other extended resources are not supported yet'),
    };
  } else {
    yield {
      path,
      message: invalidValue(name, 'must be a standard resource of a container'),
      hint: didYouMean(name, known),
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
  };
}

function amount(quantity: string | number | undefined): number {
  return parseQuantity(String(quantity)) ?? 0;
}
