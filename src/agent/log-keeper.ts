/**
 * Looks after the logs of running containers, now and then, and rotates those that have grown long.
 * Logs of earlier runs go when their container is removed: act.ts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { defaultRotation, rotateLog } from '../host/log-rotation.ts';
import { placesOf } from '../host/lend.ts';
import { logFile } from '../host/logs.ts';
import type { Logger } from '../log.ts';
import { podKey } from '../pod/pod.ts';
import type { Means } from './means.ts';
import type { Worker } from './worker.ts';

/** The kubelet's own interval; the kernel does not tell when a file has reached a size. */
const EVERY_MS = 10_000;

/** Rotates logs until the signal comes; a log that cannot be rotated is tried again next time. */
export async function keepLogsShort(
  means: Means,
  workers: () => readonly Worker[],
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await delay(EVERY_MS, undefined, { signal });
      for (const worker of workers()) await rotateLogsOf(means, worker, log, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function rotateLogsOf(
  { cri, lending, now }: Means,
  { pod, picture }: Worker,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (const { id, name, attempt, state } of picture.observed.instances) {
    if (id === undefined || state !== 'running') continue;
    const reopen = (): Promise<void> => cri.reopenContainerLog(id, signal);
    const rotation = { reopen, limits: defaultRotation, now: now(), signal };
    try {
      await rotateLog(logFile(placesOf(pod, lending).logs, name, attempt), rotation);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error, pod: podKey(pod), container: name }, 'could not rotate a log');
    }
  }
}
