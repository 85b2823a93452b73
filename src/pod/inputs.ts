/**
 * Whether an instance that was made ahead still fits what its container takes from ConfigMaps, Secrets
 * and the node's addresses, and whether one can be made ahead at all: variables are fixed when a
 * container is created.
 */
import type { Instance, Observed } from './observed.ts';
import { own } from './own.ts';
import type { Pod } from './pod.ts';
import { containersOf } from './pod.ts';

/** By container: a hash of what it takes from them now; absent if it takes nothing. */
export type Inputs = Readonly<Record<string, string>>;

/** In the place of a hash: something is missing that must not be. */
export const lackingInputs = 'lacking';

/** Whether an instance has what it would be made with now. */
export function hasCurrentInputs({ inputs = {} }: Observed, instance: Instance): boolean {
  // What is still being made is judged when it is there.
  return instance.state === 'creating' || instance.inputs === own(inputs, instance.name);
}

/** Whether a container cannot be created for now, as an object or a key is missing. */
export function lacksInputs({ inputs = {} }: Observed, name: string): boolean {
  return own(inputs, name) === lackingInputs;
}

/**
 * Whether a container has to be made when it is to start and not before: it has variables out of files,
 * which the containers before it may write anew in each run.
 */
export function isMadeLast(pod: Pod, name: string): boolean {
  const found = containersOf(pod).find(({ container }) => container.name === name);
  const env = found?.container.env ?? [];
  return env.some(({ valueFrom }) => valueFrom?.fileKeyRef !== undefined);
}
