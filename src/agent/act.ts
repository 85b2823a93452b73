/**
 * The table from action kind to the calls that perform it. No policy in here: what an action means
 * is said in pod/action.ts, when it is due in pod/decide.ts.
 *
 * Each can safely be done twice: what is gone counts as removed, and an instance that was already
 * created is found again by the look that follows every failure.
 */
import { RepriseError, messageOf } from '../errors.ts';
import { DeviceError } from '../host/devices/device-error.ts';
import { CgroupError, containerCgroup, isEmpty, podCgroup } from '../host/cgroups.ts';
import type { Hierarchy } from '../host/cgroups.ts';
import { FolderError } from '../host/folder.ts';
import { writeHostsFile } from '../host/hosts-file.ts';
import { killContainers, whenEmpty } from '../host/kill.ts';
import { readResolverConfig } from '../host/node-facts.ts';
import { makeMessageFile, messageFile, removeMessageFile } from '../host/last-words.ts';
import { lend, placesOf, takeBack } from '../host/lend.ts';
import { removeOldLogs } from '../host/log-rotation.ts';
import type { LendSettings } from '../host/lend.ts';
import type { QosShares } from '../host/qos-shares.ts';
import { provideSubPaths } from '../host/volumes/sub-path.ts';
import { VolumeError } from '../host/volumes/volume-error.ts';
import type { Action } from '../pod/action.ts';
import type { PodEvent } from '../pod/decision.ts';
import type { Loan } from '../pod/loan.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import type { FindObject } from '../pod/objects.ts';
import type { Pod } from '../pod/pod.ts';
import { findContainer, podKey } from '../pod/pod.ts';
import { qosClassOf } from '../pod/pod-resources.ts';
import type { ObservedSandbox } from '../pod/observed.ts';
import type { LinuxUser } from '../pod/origin.ts';
import { ContainerConfigError } from '../runtime/config-error.ts';
import { containerConfig, specHash, subPathsFor } from '../runtime/container-config.ts';
import { RuntimeCallError, isCallError } from '../runtime/call.ts';
import type { Cri } from '../runtime/cri.ts';
import { dnsOf } from '../runtime/dns.ts';
import type { Downloads } from '../runtime/downloads.ts';
import type { CheckHealth } from '../runtime/grpc-health.ts';
import { ImageError } from '../runtime/images.ts';
import type { ReadyImage } from '../runtime/images.ts';
import { hasSubPaths } from '../runtime/mounts.ts';
import { NetworkNotReadyError, assertNetworkReady } from '../runtime/network-ready.ts';
import { rootRefusal } from '../runtime/non-root.ts';
import { inputsOf } from '../runtime/inputs.ts';
import { lookAtPod, userOf } from '../runtime/observe.ts';
import { sandboxConfig } from '../runtime/sandbox-config.ts';
import type { StopWithSignal } from '../runtime/stop-signal.ts';
import { checkDevices, devicesFor, proveInjected } from './devices/give-devices.ts';
import type { DeviceMeans } from './devices/give-devices.ts';
import { freeDevices } from './devices/free-devices.ts';
import type { ObjectStore } from './object-store.ts';
import {
  explainImageVolumes,
  imagesOf,
  proveImageVolumes,
  provideImageVolumes,
} from './image-volumes.ts';
import { provideImage } from './provide-image.ts';
import type { PulledImages } from './pulled-images.ts';
import { readEnvFiles } from './env-files.ts';
import { runHook } from './hook.ts';
import { probeContainer } from './probe.ts';
import type { PodStore } from './store.ts';
import type { Outcome } from './view.ts';
import type { Picture } from './worker.ts';

/** What actions are performed with; one for all pods of an agent. */
export interface Means {
  readonly cri: Cri;
  /** As it is now: ask for it when it is needed. */
  readonly node: NodeFacts;
  /** Looks for the node's addresses; whether they are others than before. */
  readonly lookForAddresses: () => boolean;
  readonly lending: LendSettings;
  readonly checkHealth: CheckHealth;
  readonly stopWithSignal: StopWithSignal;
  readonly hierarchy: Hierarchy;
  readonly qosShares: QosShares;
  readonly store: PodStore;
  readonly objects: ObjectStore;
  readonly devices: DeviceMeans;
  /** Images known to be there, by the name in the manifest: asked for once, not at every start. */
  readonly images: Map<string, ReadyImage>;
  /** Which of the images there are not for everybody. */
  readonly pulledImages: PulledImages;
  /** Begins to count what arrives of images. */
  readonly countDownloads: () => Downloads;
  readonly now: () => number;
}

/** What an action is performed for, and how it is told about. */
export interface Occasion {
  readonly pod: Pod;
  readonly picture: Picture;
  /** Finds the objects that the pod may see. */
  readonly find: FindObject;
  readonly tell: (event: PodEvent) => void;
  /** Says how far an action is that takes its time; absent: nobody asks. */
  readonly progress?: (text: string) => void;
  readonly signal: AbortSignal;
}

/** How long a process usually takes to die of SIGKILL, with some to spare. */
const DEAD_WITHIN_MS = 50;
/** How long exited processes may take to leave their cgroup before somebody has to be told. */
const GONE_WITHIN_MS = 2_000;

const done: Outcome = { kind: 'done' };

/** Performs one action; throws a RepriseError when it fails. */
export async function act(means: Means, action: Action, occasion: Occasion): Promise<Outcome> {
  const { cri } = means;
  const { pod, signal } = occasion;
  switch (action.kind) {
    case 'lend': {
      const loan = await lend(pod, means.lending, occasion.find);
      means.qosShares.add(pod);
      return { kind: 'lent', loan };
    }
    case 'run-sandbox':
      return await runSandbox(means, action.attempt, occasion);
    case 'create-container':
      return await createContainer(means, action, occasion);
    case 'start-container':
      await bindSubPathsAgain(means, action.name, occasion);
      await checkDevices(means, action, occasion);
      await cri.startContainer(action.id, signal);
      means.devices.madeWith.delete(action.id);
      return done;
    case 'stop-container':
      await stopContainer(means, action, occasion);
      return done;
    case 'run-hook':
      return await runHook(means, action, occasion);
    case 'probe-container':
      return await probeContainer(means, action, occasion);
    case 'kill-containers':
      return await kill(means, action.ids, occasion);
    case 'prove-gone':
      return await proveGone(means, action.ids, occasion);
    case 'free-devices':
      await freeDevices(means, action.before, occasion);
      return done;
    case 'remove-container':
      await removeContainer(means, action, occasion);
      return done;
    case 'stop-sandbox':
      await cri.stopPodSandbox(action.id, signal);
      if (occasion.picture.memory.ending !== undefined) means.qosShares.remove(pod);
      return done;
    case 'remove-sandbox':
      await cri.removePodSandbox(action.id, signal);
      return done;
    case 'forget':
      await assertNothingLeft(means, pod, signal);
      means.qosShares.remove(pod);
      await takeBack(pod, means.lending);
      means.store.forget(pod);
      return done;
    default:
      return action satisfies never;
  }
}

/** Why an action failed: Kubernetes' reason, for the status, and a message. */
export function explain(
  action: Action,
  error: unknown,
): { reason: string; message: string; image?: string } {
  if (error instanceof ImageError) {
    return { reason: error.reason, message: error.details, image: error.image };
  }
  const message = error instanceof RuntimeCallError ? error.details : messageOf(error);
  if (error instanceof ContainerConfigError || isVolumeFault(action, error)) {
    return { reason: 'CreateContainerConfigError', message };
  }
  switch (action.kind) {
    case 'create-container': {
      const isBefore = error instanceof DeviceError;
      return { reason: isBefore ? 'PreCreateHookError' : 'CreateContainerError', message };
    }
    case 'start-container': {
      const isBefore = error instanceof DeviceError;
      return { reason: isBefore ? 'PreStartHookError' : 'RunContainerError', message };
    }
    case 'run-sandbox': {
      const hasNetwork = !(error instanceof NetworkNotReadyError);
      return { reason: hasNetwork ? 'FailedCreatePodSandBox' : 'NetworkNotReady', message };
    }
    case 'lend':
      if (error instanceof FolderError) return { reason: 'Failed', message };
      if (error instanceof CgroupError) return { reason: 'FailedCreatePodContainer', message };
      return { reason: 'FailedMount', message };
    case 'run-hook':
      return {
        reason: action.hook === 'preStop' ? 'FailedPreStopHook' : 'FailedPostStartHook',
        message,
      };
    case 'probe-container':
      return { reason: 'FailedProbe', message };
    case 'free-devices':
      return { reason: 'FailedFreeDevices', message };
    case 'stop-container':
    case 'kill-containers':
    case 'prove-gone':
    case 'remove-container':
    case 'stop-sandbox':
    case 'remove-sandbox':
    case 'forget':
      return { reason: 'FailedKillPod', message };
    default:
      return action satisfies never;
  }
}

/** A sub-path of a volume cannot be had; as a whole, volumes are provided before any container. */
function isVolumeFault({ kind }: Action, error: unknown): boolean {
  const isOfContainer = kind === 'create-container' || kind === 'start-container';
  return isOfContainer && error instanceof VolumeError;
}

/** A call of an agent that was killed may have landed after the last look. */
async function assertNothingLeft({ cri }: Means, pod: Pod, signal: AbortSignal): Promise<void> {
  const { sandboxes, instances } = await lookAtPod(cri, pod.metadata.uid, signal);
  if (sandboxes.length + instances.length === 0) return;
  throw new RepriseError('the runtime still has something of the pod', {
    where: `pod ${podKey(pod)}`,
    next: 'nothing: it is looked at again, and removed',
  });
}

async function stopContainer(
  { cri, stopWithSignal }: Means,
  { id, name, graceSeconds }: Action & { kind: 'stop-container' },
  { pod, signal }: Occasion,
): Promise<void> {
  const { stopSignal } = findContainer(pod, name)?.lifecycle ?? {};
  if (stopSignal === undefined) await cri.stopContainer(id, graceSeconds, signal);
  else await stopWithSignal(id, stopSignal, graceSeconds, signal);
}

async function runSandbox(
  means: Means,
  attempt: number,
  { pod, picture, tell, signal }: Occasion,
): Promise<Outcome> {
  const { config: dnsConfig, warnings } = dnsOf(pod, readResolverConfig());
  for (const warning of warnings) tell(warning);
  if (!pod.spec.hostNetwork) await assertNetworkReady(means.cri, signal);
  const config = { ...sandboxConfig(pod, attempt, loanOf(picture), means.node), dnsConfig };
  const id = await means.cri.runPodSandbox(config, pod.spec.runtimeClassName ?? '', signal);
  const { sandboxes } = await lookAtPod(means.cri, pod.metadata.uid, signal);
  const sandbox = sandboxes.find((one) => one.id === id);
  if (sandbox === undefined) {
    throw new RepriseError('the sandbox was gone as soon as it was there', { where: id });
  }
  return { kind: 'sandbox', sandbox };
}

async function createContainer(
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
  const ingredients = { image, podIPs, find, envFiles, devices, volumeImages };
  await provideSubPaths(subPathsFor(pod, container, ingredients, loan, node));
  const config = containerConfig(pod, container, run, ingredients, loan, node);
  // Taken now: objects may change while the runtime is at work.
  const hash = specHash(pod, container, ingredients, loan, node);
  const inputs = inputsOf(pod, container, { find, hostIPs: node.hostIPs });
  const sandboxConf = sandboxConfig(pod, sandbox.attempt, loan, node);
  await makeMessageFile(messageFile(loan.messageDirectory, container.name, attempt));
  try {
    const id = await cri.createContainer(sandbox.id, config, sandboxConf, signal);
    await proveInjected(means, pod, container, id, signal);
    await proveImageVolumes(means, container, config, id, occasion);
    if (means.devices.keeper.knows(pod)) means.devices.madeWith.set(id, devices?.summary ?? '');
    occasion.tell(containerEvent('Created', 'Container created', action.name));
    const { digest: imageRef, name } = image;
    const user = await userOfNew(means, id, signal);
    return { kind: 'created', id, imageRef, image: name, user, specHash: hash, inputs };
  } catch (error) {
    // An image may have been removed since we last asked for it.
    if (isCallError(error, 'not-found')) {
      for (const name of imagesOf(pod, container)) means.images.delete(name);
    }
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

async function removeContainer(
  { cri, lending, devices }: Means,
  { id, name }: Action & { kind: 'remove-container' },
  { pod, picture, signal }: Occasion,
): Promise<void> {
  await cri.removeContainer(id, signal);
  devices.madeWith.delete(id);
  const attempt = picture.observed.instances.find((one) => one.id === id)?.attempt;
  const { messages, logs } = placesOf(pod, lending);
  if (attempt !== undefined) await removeMessageFile(messageFile(messages, name, attempt));
  await removeOldLogs(logs, name);
}

/** A container made ahead waits for its start while others may replace what its mounts are bound to. */
async function bindSubPathsAgain(
  { node }: Means,
  name: string,
  { pod, picture, find }: Occasion,
): Promise<void> {
  const container = findContainer(pod, name);
  if (container === undefined || !hasSubPaths(container)) return;
  const podIPs = sandboxOf(picture)?.ips ?? [];
  const loan = loanOf(picture);
  const ingredients = { podIPs, find, envFiles: await readEnvFiles(container, loan) };
  await provideSubPaths(subPathsFor(pod, container, ingredients, loan, node));
}

async function kill(
  means: Means,
  ids: readonly string[],
  { pod, picture, signal }: Occasion,
): Promise<Outcome> {
  const { hierarchy, cri } = means;
  const pidsById = new Map(picture.observed.instances.map(({ id, pid }) => [id, pid]));
  const idsByCgroup = new Map(ids.map((id) => [cgroupOf(means, pod, id), id]));
  const { caught, missing, leftovers } = await killContainers([...idsByCgroup.keys()], {
    hierarchy,
  });
  // A cgroup that is not where it should be, or that cannot be killed as a whole, is the runtime's.
  const rest = [...missing, ...leftovers.map(({ cgroup }) => cgroup)];
  await Promise.all(
    rest.map((cgroup) => cri.stopContainer(idsByCgroup.get(cgroup) ?? '', 0, signal)),
  );
  const withFirst = ids.filter((id) => {
    const pid = pidsById.get(id);
    return pid !== undefined && caught.get(cgroupOf(means, pod, id))?.includes(pid) === true;
  });
  return { kind: 'killed', caught: withFirst };
}

async function proveGone(
  means: Means,
  ids: readonly string[],
  { pod, signal }: Occasion,
): Promise<Outcome> {
  const { hierarchy } = means;
  const cgroups = ids.map((id) => cgroupOf(means, pod, id));
  const occupied = cgroups.filter((cgroup) => !isEmpty(cgroup, hierarchy));
  if (occupied.length === 0) return done;
  // They are dying, most likely.
  const left = await whenEmpty(occupied, signal, DEAD_WITHIN_MS, hierarchy);
  if (left.length === 0) return done;
  // The first process has ended, others have not: children that moved to a pid namespace of their
  // own, or a shim that died before them.
  await killContainers(occupied, { hierarchy });
  const survivors = await whenEmpty(occupied, signal, GONE_WITHIN_MS, hierarchy);
  if (survivors.length === 0) return done;
  const names = survivors.map(({ pid, command }) => `${pid} (${command})`).join(', ');
  throw new RepriseError(`processes of an ended container do not die: ${names}`, {
    where: survivors[0]?.cgroup,
    next: 'they may hang in the kernel, in a driver or a network file system: see /proc/PID/stack',
  });
}

/** The name of a container's cgroup. */
export function cgroupOf({ lending }: Pick<Means, 'lending'>, pod: Pod, id: string): string {
  const { cgroupRoot, cgroupDriver: driver } = lending;
  return containerCgroup(podCgroup(pod, qosClassOf(pod), { cgroupRoot, driver }), id, driver);
}

function sandboxOf({ observed, memory }: Picture): ObservedSandbox | undefined {
  return observed.sandboxes.find(({ attempt }) => attempt === memory.sandboxAttempt);
}

function loanOf({ observed }: Picture): Loan {
  if (observed.loan === undefined) throw new Error('nothing was lent to the pod yet');
  return observed.loan;
}

function containerEvent(reason: string, message: string, container: string): PodEvent {
  return { type: 'Normal', reason, message, container };
}
