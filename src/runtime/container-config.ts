/**
 * Pod, container and loan -> the container as CRI wants to hear it. Pure.
 *
 * The spec hash covers everything the container is made from, but neither its attempt nor its
 * generation. It is for who looks at containers; whether a standby still fits is judged by what can change
 * under it: its inputs (inputs.ts), its image and its surroundings (agent/start-container.ts).
 *
 * Read next: environment.ts, mounts.ts, resources.ts and security.ts, the larger parts of it.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { DeviceGrant } from '../pod/devices.ts';
import type { Loan } from '../pod/loan.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import type { FindObject } from '../pod/objects.ts';
import type { Container, Pod } from '../pod/pod.ts';
import { withDevices } from './devices.ts';
import type { EnvFiles } from './env-file.ts';
import { environmentOf } from './environment.ts';
import { expandWords } from './expand.ts';
import type { Environment } from './expand.ts';
import type { ContainerConfig } from './generated/runtime/v1/ContainerConfig.ts';
import type { VolumeImages } from './image-mounts.ts';
import type { ReadyImage } from './images.ts';
import { containerAnnotations, containerLabels } from './labels.ts';
import { mountsOf, subPathsOf } from './mounts.ts';
import { ProgramRoom } from './program-room.ts';
import { resourcesOf } from './resources.ts';
import { containerSecurity, seeing } from './security.ts';
import { criSignal } from './stop-signal.ts';
import { mappedMount } from './user-namespace.ts';

/** What is known when a container is about to be created, beside pod and node. */
export interface Ingredients {
  readonly image: ReadyImage;
  /** What environmentFor gives; worked out once, as it may be large. */
  readonly environment: Environment;
  /** Hash of what it takes from objects and addresses (inputs.ts); absent: it takes nothing. */
  readonly inputs?: string;
  /** Absent: none are given. */
  readonly devices?: DeviceGrant;
  /** What the image volumes hold that the container mounts. Absent: it mounts none. */
  readonly volumeImages?: VolumeImages;
  /** Hash of what it finds on the machine; absent: it does not matter. */
  readonly surroundings?: string;
}

/** What a container's environment is filled from, beside pod and node. */
export interface EnvironmentSources {
  /** Of the sandbox; empty with the host's network. Primary address first. */
  readonly podIPs: readonly string[];
  /** Finds ConfigMaps and Secrets. */
  readonly find: FindObject;
  /** Absent: there are none. */
  readonly envFiles?: EnvFiles;
}

/** Which of its runs a container is for. */
export interface Run {
  readonly attempt: number;
  readonly generation: number;
  readonly sandboxAttempt: number;
  /** Id of the container whose processes it sees; absent: none. */
  readonly target?: string;
}

/** The config of one run of a container. */
export function containerConfig(
  pod: Pod,
  container: Container,
  run: Run,
  ingredients: Ingredients,
  loan: Loan,
  node: NodeFacts,
): ContainerConfig {
  const { name } = container;
  const { attempt, generation, sandboxAttempt, target } = run;
  const lasting = lastingConfig(pod, container, ingredients, loan, node);
  const identity = {
    podUid: pod.metadata.uid,
    name,
    generation,
    sandboxAttempt,
    specHash: hashOf(pod, container, ingredients, loan, lasting),
    surroundings: ingredients.surroundings,
    inputs: ingredients.inputs,
    target,
  };
  return {
    ...lasting,
    metadata: { name, attempt },
    mounts: [
      ...(lasting.mounts ?? []),
      mappedMount(pod, loan, messageMount(container, attempt, loan)),
    ],
    labels: containerLabels(pod, identity, node.agentId),
    annotations: { ...lasting.annotations, ...containerAnnotations(pod, container, attempt) },
    linux: {
      ...lasting.linux,
      securityContext: seeing(target, lasting.linux?.securityContext ?? {}),
    },
    logPath: `${name}/${attempt}.log`,
  };
}

/** The hash that containerConfig would write on the container now. */
export function specHash(
  pod: Pod,
  container: Container,
  ingredients: Ingredients,
  loan: Loan,
  node: NodeFacts,
): string {
  const lasting = lastingConfig(pod, container, ingredients, loan, node);
  return hashOf(pod, container, ingredients, loan, lasting);
}

/** The variables of a container. Throws a ContainerConfigError as environmentOf does. */
export function environmentFor(
  pod: Pod,
  container: Container,
  { podIPs, find, envFiles: files }: EnvironmentSources,
  node: NodeFacts,
): Environment {
  return environmentOf(pod, container, {
    nodeName: node.name,
    hostIPs: node.hostIPs,
    podIPs: pod.spec.hostNetwork ? node.hostIPs : podIPs,
    size: node,
    find,
    files,
  });
}

/** The part of the config that is the same for every run. */
function lastingConfig(
  pod: Pod,
  container: Container,
  ingredients: Ingredients,
  loan: Loan,
  node: NodeFacts,
): ContainerConfig {
  const { image, environment, volumeImages: images = {} } = ingredients;
  const { stopSignal } = container.lifecycle ?? {};
  const room = new ProgramRoom();
  room.takeAll(environment);
  const config: ContainerConfig = {
    image: { image: image.ref, userSpecifiedImage: container.image },
    command: expandWords(container.command, environment, { field: 'command', room }),
    args: expandWords(container.args, environment, { field: 'args', room }),
    workingDir: container.workingDir ?? '',
    envs: [...environment].map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts: mountsOf(pod, container, loan, node, { environment, images }).map((mount) =>
      mappedMount(pod, loan, mount),
    ),
    stdin: container.stdin,
    stdinOnce: container.stdinOnce,
    tty: container.tty,
    // For whoever stops it by CRI; we send the signal ourselves, as few versions honour this.
    ...(stopSignal !== undefined && { stopSignal: criSignal(stopSignal) }),
    linux: {
      resources: resourcesOf(pod, container, node),
      securityContext: containerSecurity(pod, container, image.user, loan, node),
    },
  };
  return withDevices(config, ingredients.devices);
}

/** Of its own for each run, so no part of what the hash covers. */
function messageMount({ name, terminationMessagePath }: Container, attempt: number, loan: Loan) {
  return {
    containerPath: posix.resolve('/', terminationMessagePath),
    hostPath: posix.join(loan.messageDirectory, name, String(attempt)),
    readonly: false,
    selinuxRelabel: true,
  };
}

/** Short, since it is a label; long enough for the containers of one pod. */
function hashOf(
  pod: Pod,
  container: Container,
  { environment }: Ingredients,
  loan: Loan,
  lasting: ContainerConfig,
): string {
  // Their places are the same whatever they are bound to.
  const subPaths = subPathsOf(pod, container, environment, loan).map(({ subPath }) => subPath);
  const hash = createHash('sha256').update(JSON.stringify([lasting, subPaths]));
  return hash.digest('hex').slice(0, 16);
}
