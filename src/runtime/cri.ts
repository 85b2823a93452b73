/**
 * The calls of the Kubernetes Container Runtime Interface, one typed method each.
 *
 * Stopping or removing what is not there is a success with every version of containerd; every
 * other error is passed on as call.ts makes it. Each call has a deadline, the kubelet's unless a
 * comment says why.
 *
 * Read next: observe.ts, sandbox-config.ts and container-config.ts, which make use of it.
 */
import { isCallError, perform } from './call.ts';
import type { Method } from './call.ts';
import type { Containerd } from './connect.ts';
import type { AttachRequest } from './generated/runtime/v1/AttachRequest.ts';
import type { AuthConfig } from './generated/runtime/v1/AuthConfig.ts';
import type { CgroupDriver__Output } from './generated/runtime/v1/CgroupDriver.ts';
import type { Container__Output } from './generated/runtime/v1/Container.ts';
import type { ContainerConfig } from './generated/runtime/v1/ContainerConfig.ts';
import type { ContainerFilter } from './generated/runtime/v1/ContainerFilter.ts';
import type { ContainerStatus__Output } from './generated/runtime/v1/ContainerStatus.ts';
import type { ExecRequest } from './generated/runtime/v1/ExecRequest.ts';
import type { ExecSyncResponse__Output } from './generated/runtime/v1/ExecSyncResponse.ts';
import type { Image__Output } from './generated/runtime/v1/Image.ts';
import type { LinuxContainerResources } from './generated/runtime/v1/LinuxContainerResources.ts';
import type { PodSandbox__Output } from './generated/runtime/v1/PodSandbox.ts';
import type { PodSandboxConfig } from './generated/runtime/v1/PodSandboxConfig.ts';
import type { PodSandboxFilter } from './generated/runtime/v1/PodSandboxFilter.ts';
import type { PodSandboxStatus__Output } from './generated/runtime/v1/PodSandboxStatus.ts';
import type { StatusResponse__Output } from './generated/runtime/v1/StatusResponse.ts';
import type { VersionResponse__Output } from './generated/runtime/v1/VersionResponse.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;

/** Most calls take milliseconds; a machine in trouble needs its time. */
const usualMs = 2 * minuteMs;
/** It takes no work to answer, and somebody may be waiting to hear that nobody does. */
const versionMs = 20 * secondMs;
/** May pull the pause image and runs the CNI plugins. */
const runSandboxMs = 4 * minuteMs;
/** containerd itself gives up a pull that makes no progress for five minutes. */
const pullMs = 60 * minuteMs;
/** Over the grace: if our deadline came first, containerd would never send its SIGKILL. */
const stopMarginMs = 2 * minuteMs;

/** CRI as promises. Ids are containerd's 64 hex digits. Without a signal only the deadline ends a wait. */
export interface Cri {
  /** Absolute path of containerd's socket, for messages. */
  readonly socketPath: string;
  version(signal?: AbortSignal): Promise<VersionResponse__Output>;
  /** Conditions and, always asked for, `info.config`: the effective configuration as JSON. */
  status(signal?: AbortSignal): Promise<StatusResponse__Output>;
  /** Absent before containerd 2.0, which does not know the call. */
  cgroupDriver(signal?: AbortSignal): Promise<CgroupDriver__Output | undefined>;

  /** Resolves to the sandbox's id, once its network is up. */
  runPodSandbox(
    config: PodSandboxConfig,
    runtimeHandler: string,
    signal?: AbortSignal,
  ): Promise<string>;
  /** SIGKILL to everything in it at once. */
  stopPodSandbox(id: string, signal?: AbortSignal): Promise<void>;
  removePodSandbox(id: string, signal?: AbortSignal): Promise<void>;
  podSandboxStatus(id: string, signal?: AbortSignal): Promise<PodSandboxStatus__Output>;
  /** The runtime's verbose view: pid, OCI spec, CNI result. */
  podSandboxInfo(id: string, signal?: AbortSignal): Promise<unknown>;
  listPodSandboxes(
    filter: PodSandboxFilter,
    signal?: AbortSignal,
  ): Promise<readonly PodSandbox__Output[]>;

  /** Resolves to the container's id; the sandbox's config is the one it was run with. */
  createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
    signal?: AbortSignal,
  ): Promise<string>;
  /** Only once, and only when created. A failed start leaves the container exited with 128. */
  startContainer(id: string, signal?: AbortSignal): Promise<void>;
  /** Stop signal, wait, SIGKILL; with 0 seconds SIGKILL at once. Resolves when it has exited. */
  stopContainer(id: string, graceSeconds: number, signal?: AbortSignal): Promise<void>;
  /** One that still runs is killed first, without grace. */
  removeContainer(id: string, signal?: AbortSignal): Promise<void>;
  containerStatus(id: string, signal?: AbortSignal): Promise<ContainerStatus__Output>;
  /** The runtime's verbose view: pid, OCI spec. */
  containerInfo(id: string, signal?: AbortSignal): Promise<unknown>;
  listContainers(
    filter: ContainerFilter,
    signal?: AbortSignal,
  ): Promise<readonly Container__Output[]>;
  /** What is zero or left out stays as it is. */
  updateContainerResources(
    id: string,
    linux: LinuxContainerResources,
    signal?: AbortSignal,
  ): Promise<void>;
  /** After the log file was renamed; only while the container runs. */
  reopenContainerLog(id: string, signal?: AbortSignal): Promise<void>;

  /**
   * Runs a command to its end. Out of time it is killed, and the error's code is `deadline`; with 0
   * seconds it may take as long as it likes.
   */
  execSync(
    id: string,
    command: readonly string[],
    timeoutSeconds: number,
    signal?: AbortSignal,
  ): Promise<ExecSyncResponse__Output>;
  /** Resolves to a URL of the streaming server, good for one use within a minute. */
  exec(request: ExecRequest, signal?: AbortSignal): Promise<string>;
  attach(request: AttachRequest, signal?: AbortSignal): Promise<string>;

  /** Absent: containerd does not have it. */
  imageStatus(image: string, signal?: AbortSignal): Promise<Image__Output | undefined>;
  listImages(signal?: AbortSignal): Promise<readonly Image__Output[]>;
  /** Resolves to the reference to create containers with. Asks the registry even if it is there. */
  pullImage(image: string, auth?: AuthConfig, signal?: AbortSignal): Promise<string>;
}

/** CRI over an open connection. */
export function criOver(containerd: Containerd): Cri {
  const { socketPath, runtime, images } = containerd;

  function call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    signal: AbortSignal | undefined,
    deadlineMs = usualMs,
  ): Promise<Response> {
    return perform(containerd, method, request, { deadlineMs, signal });
  }

  return {
    socketPath,
    version: (signal) => call(runtime.Version, {}, signal, versionMs),
    status: (signal) => call(runtime.Status, { verbose: true }, signal),
    cgroupDriver: async (signal) => {
      const answer = await orUndefined(call(runtime.RuntimeConfig, {}, signal), 'unimplemented');
      return answer?.linux?.cgroupDriver;
    },

    runPodSandbox: async (config, runtimeHandler, signal) => {
      const request = { config, runtimeHandler };
      return (await call(runtime.RunPodSandbox, request, signal, runSandboxMs)).podSandboxId;
    },
    stopPodSandbox: async (podSandboxId, signal) => {
      // Up to 1.6.34 and 1.7.20 an unknown id is an error here.
      await orUndefined(call(runtime.StopPodSandbox, { podSandboxId }, signal), 'not-found');
    },
    removePodSandbox: async (podSandboxId, signal) => {
      await orUndefined(call(runtime.RemovePodSandbox, { podSandboxId }, signal), 'not-found');
    },
    podSandboxStatus: async (podSandboxId, signal) => {
      const { status } = await call(runtime.PodSandboxStatus, { podSandboxId }, signal);
      return present(status, 'PodSandboxStatus');
    },
    podSandboxInfo: async (podSandboxId, signal) => {
      const request = { podSandboxId, verbose: true };
      const { info } = await call(runtime.PodSandboxStatus, request, signal);
      return parseInfo(info, 'PodSandboxStatus');
    },
    listPodSandboxes: async (filter, signal) =>
      (await call(runtime.ListPodSandbox, { filter }, signal)).items,

    createContainer: async (podSandboxId, config, sandboxConfig, signal) => {
      const request = { podSandboxId, config, sandboxConfig };
      return (await call(runtime.CreateContainer, request, signal)).containerId;
    },
    startContainer: async (containerId, signal) => {
      await call(runtime.StartContainer, { containerId }, signal);
    },
    stopContainer: async (containerId, graceSeconds, signal) => {
      const request = { containerId, timeout: Math.ceil(graceSeconds) };
      const deadlineMs = graceSeconds * secondMs + stopMarginMs;
      // Up to 1.6.34 and 1.7.20 an unknown id is an error here.
      await orUndefined(call(runtime.StopContainer, request, signal, deadlineMs), 'not-found');
    },
    removeContainer: async (containerId, signal) => {
      await orUndefined(call(runtime.RemoveContainer, { containerId }, signal), 'not-found');
    },
    containerStatus: async (containerId, signal) => {
      const { status } = await call(runtime.ContainerStatus, { containerId }, signal);
      return present(status, 'ContainerStatus');
    },
    containerInfo: async (containerId, signal) => {
      const { info } = await call(runtime.ContainerStatus, { containerId, verbose: true }, signal);
      return parseInfo(info, 'ContainerStatus');
    },
    listContainers: async (filter, signal) =>
      (await call(runtime.ListContainers, { filter }, signal)).containers,
    updateContainerResources: async (containerId, linux, signal) => {
      await call(runtime.UpdateContainerResources, { containerId, linux }, signal);
    },
    reopenContainerLog: async (containerId, signal) => {
      await call(runtime.ReopenContainerLog, { containerId }, signal);
    },

    execSync: (containerId, command, timeoutSeconds, signal) => {
      const request = { containerId, cmd: [...command], timeout: Math.ceil(timeoutSeconds) };
      const deadlineMs = timeoutSeconds === 0 ? Infinity : timeoutSeconds * secondMs + usualMs;
      return call(runtime.ExecSync, request, signal, deadlineMs);
    },
    exec: async (request, signal) => (await call(runtime.Exec, request, signal)).url,
    attach: async (request, signal) => (await call(runtime.Attach, request, signal)).url,

    imageStatus: async (image, signal) =>
      (await call(images.ImageStatus, { image: { image } }, signal)).image ?? undefined,
    listImages: async (signal) => (await call(images.ListImages, {}, signal)).images,
    pullImage: async (image, auth, signal) => {
      const request = { image: { image }, auth: auth ?? null };
      return (await call(images.PullImage, request, signal, pullMs)).imageRef;
    },
  };
}

/** The one error that is an answer becomes `undefined`. */
async function orUndefined<T>(
  answer: Promise<T>,
  code: 'not-found' | 'unimplemented',
): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isCallError(error, code)) return undefined;
    throw error;
  }
}

/** proto3 lets every message be absent; containerd never leaves these out. */
function present<T>(value: T | null, call: string): T {
  if (value === null) throw new Error(`${call} was answered without a status`);
  return value;
}

function parseInfo(info: Readonly<Record<string, string>>, call: string): unknown {
  if (info['info'] === undefined) throw new Error(`${call} was answered without info`);
  return JSON.parse(info['info']);
}
