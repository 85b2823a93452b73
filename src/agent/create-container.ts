/**
 * Creates a container: brings its image and its files, and proves that the runtime did all it was asked
 * for. Why it cannot be created is a ContainerConfigError if its manifest does not fit what there is.
 */
import { RepriseError } from '../errors.ts';
import { writeHostsFile } from '../host/hosts-file.ts';
import { makeMessageFile, messageFile } from '../host/last-words.ts';
import { provideSubPaths } from '../host/volumes/sub-path.ts';
import type { Action } from '../pod/action.ts';
import type { PodEvent } from '../pod/decision.ts';
import { findContainer } from '../pod/pod.ts';
import type { LinuxUser } from '../pod/origin.ts';
import { ContainerConfigError } from '../runtime/config-error.ts';
import { containerConfig, environmentFor, specHash } from '../runtime/container-config.ts';
import { rootRefusal } from '../runtime/non-root.ts';
import { inputsOf } from '../runtime/inputs.ts';
import { subPathsOf } from '../runtime/mounts.ts';
import { userOf } from '../runtime/observe.ts';
import { sandboxConfig } from '../runtime/sandbox-config.ts';
import { devicesFor, proveInjected } from './devices/give-devices.ts';
import { explainImageVolumes, proveImageVolumes, provideImageVolumes } from './image-volumes.ts';
import { provideImage } from './provide-image.ts';
import { readEnvFiles } from './env-files.ts';
import { loanOf, sandboxOf } from './means.ts';
import type { Means, Occasion } from './means.ts';
import { surroundingsOf } from './start-container.ts';
import type { Outcome } from './view.ts';

export async function createContainer(
  means: Means,
  action: Action & { kind: 'create-container' },
  occasion: Occasion,
): Promise<Outcome> {
  const { pod, picture, find, signal } = occasion;
  const { cri, node } = means;
  const container = findContainer(pod, action.name);
  const sandbox = sandboxOf(picture);
  if (container === undefined || sandbox === undefined) {
    throw new RepriseError('there is no such container or no sandbox for it');
  }
  const loan = loanOf(picture);
  const image = await provideImage(means, container, occasion);
  const refusal = rootRefusal(pod, container, image.user);
  if (refusal !== undefined) throw new ContainerConfigError(refusal);
  const volumeImages = await provideImageVolumes(means, container, occasion);

  await writeHostsFile(loan.hostsFile, pod, sandbox.ips, node);
  const { attempt, generation, target } = action;
  const run = { attempt, generation, sandboxAttempt: sandbox.attempt, target };
  const devices = await devicesFor(means, pod, container, image.user);
  const envFiles = await readEnvFiles(container, loan);
  const podIPs = sandbox.ips;
  const { hash: surroundings } = await surroundingsOf(pod, container, loan, node);
  // Taken at once: objects may change while the volumes are bound and the runtime is at work.
  const environment = environmentFor(pod, container, { podIPs, find, envFiles }, node);
  const inputs = inputsOf(pod, container, { find, hostIPs: node.hostIPs });
  const ingredients = { image, environment, inputs, devices, volumeImages, surroundings };
  await provideSubPaths(subPathsOf(pod, container, environment, loan));
  const config = containerConfig(pod, container, run, ingredients, loan, node);
  const hash = specHash(pod, container, ingredients, loan, node);
  const sandboxConf = sandboxConfig(pod, sandbox.attempt, loan, node);
  await makeMessageFile(messageFile(loan.messageDirectory, container.name, attempt));
  try {
    const id = await cri.createContainer(sandbox.id, config, sandboxConf, signal);
    await proveInjected(means, pod, { id, name: container.name }, signal);
    await proveImageVolumes(means, container, config, id, occasion);
    if (means.devices.keeper.knows(pod)) means.devices.madeWith.set(id, devices?.summary ?? '');
    occasion.tell(created(action.name));
    const { digest: imageRef, name } = image;
    const user = await userOfNew(means, id, signal);
    const made = { imageRef, image: name, user, specHash: hash, surroundings, inputs };
    return { kind: 'created', id, ...made };
  } catch (error) {
    throw explainImageVolumes(error, container, occasion);
  }
}

/** Asked now, as most containers are made ahead: nobody waits for it. */
async function userOfNew(
  { cri, node }: Means,
  id: string,
  signal: AbortSignal,
): Promise<LinuxUser | undefined> {
  // Runtimes learned to tell it and to be strict about it at once (KEP-3619).
  return node.strictSupplementalGroups ? userOf(await cri.containerStatus(id, signal)) : undefined;
}

function created(container: string): PodEvent {
  return { type: 'Normal', reason: 'Created', message: 'Container created', container };
}
