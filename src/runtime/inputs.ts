/**
 * What containers take from ConfigMaps, Secrets and the node's addresses, as a hash: an instance that
 * was made ahead fits as long as the hash is what it would be now. Volumes are no part of it, as they
 * change in place.
 */
import { createHash } from 'node:crypto';
import type { FindObject } from '../pod/objects.ts';
import type { Container, Pod } from '../pod/pod.ts';
import { everyContainerOf } from '../pod/pod.ts';
import { environmentReferences } from '../pod/references.ts';
import { lackingInputs } from '../pod/inputs.ts';
import type { Inputs } from '../pod/inputs.ts';
import { ContainerConfigError } from './config-error.ts';
import { takenFromNode, takenFromObjects } from './environment.ts';

/** What they may take from. */
export interface Sources {
  readonly find: FindObject;
  /** The node's addresses. */
  readonly hostIPs: readonly string[];
}

/** The hash for one container; absent if it takes nothing from them. */
export function inputsOf(pod: Pod, container: Container, sources: Sources): string | undefined {
  const addresses = takenFromNode(pod, container, sources.hostIPs);
  if (environmentReferences(container).length + addresses.length === 0) return undefined;
  try {
    const taken = [...takenFromObjects(pod, container, sources.find), ...addresses];
    return createHash('sha256').update(JSON.stringify(taken)).digest('hex').slice(0, 16);
  } catch (error) {
    if (error instanceof ContainerConfigError) return lackingInputs;
    throw error;
  }
}

/** The hashes of all containers that take something. */
export function allInputsOf(pod: Pod, sources: Sources): Inputs {
  return Object.fromEntries(
    everyContainerOf(pod).flatMap(({ container }) => {
      const hash = inputsOf(pod, container, sources);
      return hash === undefined ? [] : [[container.name, hash]];
    }),
  );
}
