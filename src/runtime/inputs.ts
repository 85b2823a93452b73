/**
 * What containers take from ConfigMaps and Secrets, as a hash: an instance that was made ahead fits as
 * long as the hash is what it would be now. Volumes are no part of it, as they change in place.
 */
import { createHash } from 'node:crypto';
import type { FindObject } from '../pod/objects.ts';
import type { Container, Pod } from '../pod/pod.ts';
import { everyContainerOf } from '../pod/pod.ts';
import { environmentReferences } from '../pod/references.ts';
import { lackingInputs } from '../pod/inputs.ts';
import type { Inputs } from '../pod/inputs.ts';
import { ContainerConfigError } from './config-error.ts';
import { takenFromObjects } from './environment.ts';

/** The hash for one container; absent if it takes nothing from objects. */
export function inputsOf(pod: Pod, container: Container, find: FindObject): string | undefined {
  if (environmentReferences(container).length === 0) return undefined;
  try {
    const taken = JSON.stringify(takenFromObjects(pod, container, find));
    return createHash('sha256').update(taken).digest('hex').slice(0, 16);
  } catch (error) {
    if (error instanceof ContainerConfigError) return lackingInputs;
    throw error;
  }
}

/** The hashes of all containers that take something. */
export function allInputsOf(pod: Pod, find: FindObject): Inputs {
  return Object.fromEntries(
    everyContainerOf(pod).flatMap(({ container }) => {
      const hash = inputsOf(pod, container, find);
      return hash === undefined ? [] : [[container.name, hash]];
    }),
  );
}
