/**
 * Where the parts are wired: the agent, its API on the socket, the logs it can read.
 *
 * Used by `agent`, which hosts many pods, and by `run`, which hosts one.
 */
import path from 'node:path';
import { readOwnObjects } from '../agent/object-store.ts';
import { startAgent } from '../agent/start.ts';
import type { RunningAgent } from '../agent/start.ts';
import { serveApi } from '../api/server.ts';
import type { ReadLog } from '../api/logs.ts';
import { NotFoundError, RepriseError } from '../errors.ts';
import { LogError, logText, readLog } from '../host/logs.ts';
import { createLogger, logLevels } from '../log.ts';
import type { Logger, LogLevel } from '../log.ts';
import type { V1Object } from '../pod/objects.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import type { NodeOptions } from './options.ts';
import { UsageError } from './usage-error.ts';
import { ownVersion } from './own-version.ts';

export interface HostOptions extends NodeOptions {
  readonly socket: string;
  /** Host this pod and no other. */
  readonly only?: { readonly namespace: string; readonly name: string };
  readonly log: Logger;
}

/** An agent that serves its socket; disposing of it leaves its pods running. */
export interface HostedAgent extends Pick<RunningAgent, 'failed'>, AsyncDisposable {
  /** The objects that came with a pod; the API shows them to nobody. */
  ownObjects(pod: V1Pod): readonly V1Object[];
}

/** Brings an agent to life and serves its socket. */
export async function hostAgent(options: HostOptions, signal: AbortSignal): Promise<HostedAgent> {
  requireRoot();
  await using stack = new AsyncDisposableStack();
  const { backend, failed } = stack.use(
    await startAgent(
      {
        containerd: options.containerd,
        dataDir: options.dataDir,
        podLogDir: options.podLogDir,
        cgroupRoot: options.cgroupRoot,
        podPidsLimit: options.podPidsLimit,
        nodeName: options.nodeName,
        clusterDomain: options.clusterDomain,
        resolvConf: options.resolvConf,
        inPlaceBackoffMs: options.inPlaceBackoff,
        maxContainerRestartMs: options.maxContainerRestartPeriod,
        allowedUnsafeSysctls: options.allowedUnsafeSysctls,
        standbys: options.standbys,
        deferredCleanup: options.deferredCleanup,
        devices: {
          cdiSpecDirs: options.cdiSpecDirs,
          nvidiaSmi: options.nvidiaSmi,
          driverDirectory: options.nvidiaDriverDir,
          devDirectory: options.devDir,
          kernelLog: options.kernelLog,
          checkPeriodMs: options.deviceCheckPeriod,
          unhealthy: options.unhealthyDevices,
        },
        only: options.only,
        log: options.log,
      },
      signal,
    ),
  );
  const { socket, log } = options;
  stack.use(await serveApi(backend, { socket, version: ownVersion(), readLog: readLogFile, log }));
  const life = stack.move();
  return {
    failed,
    ownObjects: ({ metadata }) => readOwnObjects(path.join(options.dataDir, 'pods', metadata.uid)),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

/** The logger of an agent; REPRISE_LOG_LEVEL says how much it tells. */
export function agentLogger(otherwise: LogLevel): Logger {
  const asked = process.env['REPRISE_LOG_LEVEL'] ?? otherwise;
  const level = logLevels.find((one) => one === asked);
  if (level === undefined) {
    throw new UsageError(`REPRISE_LOG_LEVEL=${asked} is no level`, {
      next: `use one of ${logLevels.join(', ')}`,
    });
  }
  return createLogger({ level });
}

/** Sandboxes, cgroups and mounts are root's business; better said at once than by their errors. */
export function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new RepriseError('an agent has to run as root', {
    where: `user ${process.geteuid?.() ?? '?'}`,
    next: 'use sudo (sudo -E keeps your environment)',
  });
}

const readLogFile: ReadLog = async function* (file, options, signal) {
  const { tailLines: tail, sinceMs: sinceTime, followUntil: finished } = options;
  const lines = readLog(file, { tail, sinceTime, follow: finished && { finished }, signal });
  try {
    yield* logText(lines, options);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    const { where, next } = error;
    throw new NotFoundError(error.message, { where, next, cause: error });
  }
};
